"""The server against a simulator of another process, as it would be against the real service."""

from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client
from tests.listening import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
OFTEN = {
    "TAPEDECK_RECORDING__ACQUIRE_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS": "[0.5]",
}
CREDENTIALS = ("--app-id", "app", "--customer-id", "customer", "--customer-secret", "secret")


async def test_a_whole_recording_with_credentials_and_webhooks(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    server_port = free_port()
    webhook = f"http://127.0.0.1:{server_port}/api/v1/webhooks/agora"
    options = (*CREDENTIALS, "--webhook-url", webhook, "--webhook-secret", "known")
    async with Simulator(tmp_path / "store", *options) as simulator:
        server = await fresh(
            **simulator.environment(
                PORT=str(server_port),
                AGORA_APP_ID="app",
                AGORA_CUSTOMER_ID="customer",
                AGORA_CUSTOMER_SECRET="secret",
                AGORA_WEBHOOK_SECRET="known",
                TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS="[600]",  # no look of its own: what is told, webhooks tell
            )
        )
        host = Client(http, server)
        _, report, _ = await host.call("GET", "/readyz")
        assert report["mode"]["agora"] == "simulated"
        started = await host.start("e-1")
        await host.in_state(started["id"], "active")
        assert (await host.stop("e-1"))["completeness"] == "complete"
        (session,) = (await simulator.control(http, "sessions?cname=e-1"))["items"]
        assert session["sid"] == started["agoraRecordingId"]
        assert session["endedAt"] is not None


async def test_without_webhooks_polling_alone_carries(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with Simulator(tmp_path / "store") as simulator:
        server = await fresh(**simulator.environment(**OFTEN))
        host = Client(http, server)
        started = await host.start("e-2")
        await host.in_state(started["id"], "active", 15)
        assert (await host.stop("e-2"))["state"] == "completed"
        status, problem, _ = await host.call("POST", "/api/v1/webhooks/agora", {})
        assert (status, problem["code"]) == (503, "provider_unavailable")


async def test_a_provider_that_is_away_is_waited_for(fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with Simulator(tmp_path / "store") as simulator:
        server = await fresh(**simulator.environment(**OFTEN))
    host = Client(http, server)
    path = "/api/v1/meetings/e-4/recording/start"
    status, waiting, _ = await host.call("POST", path, headers={"Prefer": "wait=1"})
    assert (status, waiting["state"]) == (202, "starting")
    async with simulator:

        async def accepted() -> bool:
            return (await host.recording(waiting["id"]))["agoraRecordingId"] is not None

        await eventually(accepted, 25)
        await host.in_state(waiting["id"], "active", 15)
        assert (await host.stop("e-4"))["state"] == "completed"
