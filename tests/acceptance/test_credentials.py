"""Start-up with credentials: tried at once by a call that costs nothing, told everywhere, and never the end of the server."""

from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "hush-hush-hush"
START = "/api/v1/meetings/{}/recording/start"


def options(secret: str) -> tuple[str, ...]:
    return ("--app-id", "app", "--customer-id", "customer", "--customer-secret", secret)


async def test_wrong_ones_are_told_at_once_and_right_ones_are_taken_up(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with Simulator(tmp_path / "store", *options("another")) as simulator:
        server = await fresh(
            **simulator.environment(
                AGORA_APP_ID="app",
                AGORA_CUSTOMER_ID="customer",
                AGORA_CUSTOMER_SECRET=SECRET,
                TAPEDECK_HEALTH__INTERVAL_SECONDS="0.2",
            )
        )
        host = Client(http, server)
        asked = await simulator.control(http, "requests")
        assert [(item["call"], item["status"]) for item in asked["items"]] == [("ncs_ip", 401)]

        status, report, _ = await host.call("GET", "/readyz")
        assert (status, report["status"], report["ready"]) == (200, "degraded", True)
        assert report["checks"]["agora"]["ok"] is False
        assert report["checks"]["agora"]["detail"].startswith("the credentials are refused (401)")
        said = server.log.read_text(encoding="utf-8")
        assert "Trouble   agora: the credentials are refused (401)" in said
        assert '"check.failed"' in said

        status, problem, _ = await host.call("POST", START.format("c-1"))
        assert (status, problem["code"]) == (502, "provider_unauthorized")
        failed = problem["recording"]
        assert (failed["state"], failed["error"]["code"]) == ("failed", "provider_unauthorized")
        assert (await host.recording(failed["id"]))["error"] == failed["error"]

        await simulator.stop()
        await simulator.start(*options(SECRET))

        async def ready() -> bool:
            _, report, _ = await host.call("GET", "/readyz")
            return bool(report["status"] == "ready")

        await eventually(ready, 30)
        assert (await host.start("c-1"))["state"] in ("starting", "active")
        await host.stop("c-1")
        said = server.log.read_text(encoding="utf-8")
        assert '"check.recovered"' in said
        assert SECRET not in said


async def test_an_app_id_that_the_provider_does_not_know_fails_the_recording(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with Simulator(tmp_path / "store", *options(SECRET)) as simulator:
        server = await fresh(
            **simulator.environment(AGORA_APP_ID="unknown", AGORA_CUSTOMER_ID="customer", AGORA_CUSTOMER_SECRET=SECRET)
        )
        status, problem, _ = await Client(http, server).call("POST", START.format("c-2"))
        assert (status, problem["code"]) == (502, "provider_rejected")
        assert "appid" in problem["detail"]
