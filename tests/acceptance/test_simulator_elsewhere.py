"""The server against a simulator of another process, as it would be against the real service."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parent.parent.parent
CREDENTIALS = ("--app-id", "app", "--customer-id", "customer", "--customer-secret", "secret")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def simulator(storage: Path, port: int, *options: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from server.cli import main; main()", "simulate",
        "--storage", str(storage), "--port", str(port), *options,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readline(), 30)
        assert said.startswith(b"Agora simulator on http://")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 10)


async def test_a_whole_recording_with_credentials_and_webhooks(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    port, server_port = free_port(), free_port()
    webhook = f"http://127.0.0.1:{server_port}/api/v1/webhooks/agora"
    options = (*CREDENTIALS, "--webhook-url", webhook, "--webhook-secret", "known")
    async with simulator(tmp_path / "store", port, *options) as url:
        server = await fresh(
            PORT=str(server_port),
            AGORA_BASE_URL=url,
            AGORA_APP_ID="app",
            AGORA_CUSTOMER_ID="customer",
            AGORA_CUSTOMER_SECRET="secret",
            AGORA_WEBHOOK_SECRET="known",
            TAPEDECK_STORAGE__PATH=str(tmp_path / "store"),
        )
        host = Client(http, server)
        _, report, _ = await host.call("GET", "/readyz")
        assert report["mode"]["agora"] == "simulated"
        started = await host.start("e-1")
        await host.in_state(started["id"], "active", 4)
        assert (await host.stop("e-1"))["completeness"] == "complete"
        async with http.get(f"{url}/_simulator/sessions?cname=e-1") as response:
            (session,) = (await response.json())["items"]
        assert session["sid"] == started["agoraRecordingId"]
        assert session["endedAt"] is not None


async def test_without_webhooks_polling_alone_carries(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with simulator(tmp_path / "store", free_port()) as url:
        server = await fresh(AGORA_BASE_URL=url, TAPEDECK_STORAGE__PATH=str(tmp_path / "store"))
        host = Client(http, server)
        started = await host.start("e-2")
        await host.in_state(started["id"], "active", 15)
        assert (await host.stop("e-2"))["state"] == "completed"
        status, problem, _ = await host.call("POST", "/api/v1/webhooks/agora", {})
        assert (status, problem["code"]) == (503, "provider_unavailable")


async def test_wrong_credentials_fail_the_recording_with_their_code(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with simulator(tmp_path / "store", free_port(), *CREDENTIALS) as url:
        server = await fresh(
            AGORA_BASE_URL=url,
            AGORA_APP_ID="app",
            AGORA_CUSTOMER_ID="customer",
            AGORA_CUSTOMER_SECRET="wrong",
            TAPEDECK_STORAGE__PATH=str(tmp_path / "store"),
        )
        host = Client(http, server)
        status, problem, _ = await host.call("POST", "/api/v1/meetings/e-3/recording/start")
        assert (status, problem["code"]) == (502, "provider_unauthorized")
        assert problem["recording"]["state"] == "failed"
        status, report, _ = await host.call("GET", "/readyz")
        assert (status, report["status"]) == (200, "degraded")


async def test_a_provider_that_is_away_is_waited_for(fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    port = free_port()
    async with simulator(tmp_path / "store", port):
        server = await fresh(AGORA_BASE_URL=f"http://127.0.0.1:{port}", TAPEDECK_STORAGE__PATH=str(tmp_path / "store"))
    host = Client(http, server)
    path = "/api/v1/meetings/e-4/recording/start"
    status, waiting, _ = await host.call("POST", path, headers={"Prefer": "wait=1"})
    assert (status, waiting["state"]) == (202, "starting")
    async with simulator(tmp_path / "store", port):

        async def accepted() -> bool:
            return (await host.recording(waiting["id"]))["agoraRecordingId"] is not None

        await eventually(accepted, 25)
        await host.in_state(waiting["id"], "active", 15)
        assert (await host.stop("e-4"))["state"] == "completed"
