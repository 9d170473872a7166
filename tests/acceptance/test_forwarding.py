"""Two servers on one database: whichever is asked, the one that has the meeting answers."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client, RunningServer, token_for
from tests.acceptance.scraped import scrape

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT = {
    "TAPEDECK_NODE__RENEW_SECONDS": "1.0",
    "TAPEDECK_NODE__SILENT_SECONDS": "2.5",
    "TAPEDECK_NODE__LET_GO_SECONDS": "4.0",
    "TAPEDECK_NODE__LEASE_SECONDS": "5.0",
}


class Pair:
    """The one that has the meetings, and the one that is asked."""

    def __init__(self, http: aiohttp.ClientSession, owner: RunningServer, asked: RunningServer) -> None:
        self.http = http
        self.owner, self.asked = owner, asked
        self.host, self.other = Client(http, owner), Client(http, asked)

    async def forwarded(self, outcome: str = "answered") -> float:
        return (await scrape(self.http, self.asked))("forwarded_requests_total", outcome=outcome)


@pytest_asyncio.fixture(loop_scope="module")
async def simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    async with Simulator(tmp_path / "store") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def pair(fresh: Fresh, simulator: Simulator, database_url: str, http: aiohttp.ClientSession) -> Pair:
    told = simulator.environment(DATABASE_URL=database_url, **SHORT)
    return Pair(http, await fresh(**told), await fresh(**told))


async def one_session(simulator: Simulator, http: aiohttp.ClientSession, meeting: str) -> dict[str, Any]:
    (session,) = (await simulator.control(http, f"sessions?cname={meeting}"))["items"]
    return session  # type: ignore[no-any-return]


async def test_every_command_is_answered_as_by_the_one_that_has_the_meeting(
    pair: Pair, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    started = await pair.host.start("f-1")
    base = "/api/v1/meetings/f-1"
    await pair.host.in_state(started["id"], "active")
    status, problem, _ = await pair.other.call("POST", f"{base}/recording/start")
    assert (status, problem["code"], problem["recording"]["id"]) == (409, "recording_already_active", started["id"])
    status, changed, headers = await pair.other.call("PATCH", f"{base}/recording", {"subscribe": {"audio": ["42"]}})
    assert (status, changed["subscribe"]) == (200, {"audio": ["42"]})
    assert headers.getall("X-Request-ID") == [headers["X-Request-ID"]]
    guest = Client(http, pair.asked, token_for("guest-1", "PARTICIPANT", "f-1"))
    assert (await guest.call("POST", f"{base}/recording/stop"))[0] == 403
    status, stopped, headers = await pair.other.call("POST", f"{base}/recording/stop", headers={"Prefer": "wait=25"})
    assert (status, stopped["state"], headers["Preference-Applied"]) == (200, "completed", "wait=25")
    assert "Idempotent-Replayed" not in headers
    assert await pair.forwarded() == 3
    assert (await one_session(simulator, http, "f-1"))["sid"] == stopped["agoraRecordingId"]


async def test_a_key_is_one_key_wherever_it_is_sent(
    pair: Pair, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    path, key = "/api/v1/meetings/f-2/recording/start", {"Idempotency-Key": "once"}
    started = await pair.host.start("f-2", **key)
    status, again, headers = await pair.other.call("POST", path, headers=key)
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (201, started["id"], "true")
    status, problem, _ = await pair.other.call("POST", path, {"streams": "audio_video"}, key)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    await pair.other.stop("f-2")
    await one_session(simulator, http, "f-2")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
async def test_a_command_outlives_the_one_that_has_the_meeting(
    pair: Pair, simulator: Simulator, http: aiohttp.ClientSession, blow: signal.Signals
) -> None:
    started = await pair.host.start("f-3")
    await pair.host.in_state(started["id"], "active")
    os.kill(pair.owner.pid, blow)
    try:
        stopped = await pair.other.stop("f-3")
    finally:
        if blow is signal.SIGSTOP:
            os.kill(pair.owner.pid, signal.SIGCONT)
    assert (stopped["state"], stopped["completeness"]) == ("completed", "complete")
    assert (await one_session(simulator, http, "f-3"))["endedAt"] is not None
    assert await pair.forwarded("unreachable" if blow is signal.SIGKILL else "broken") > 0


async def test_nobody_else_can_vouch_for_a_request(pair: Pair) -> None:
    forged = {"Tapedeck-Hop": f"t=1790000000000, waited=0, sig={'0' * 64}"}
    status, problem, _ = await pair.other.call("POST", "/api/v1/meetings/f-4/recording/start", headers=forged)
    assert (status, problem["code"]) == (401, "invalid_signature")


async def test_nodes_of_other_secrets_do_not_hand_anything_to_each_other(
    fresh: Fresh, simulator: Simulator, database_url: str, http: aiohttp.ClientSession
) -> None:
    told = simulator.environment(DATABASE_URL=database_url, TAPEDECK_NODE__FORWARD_SECONDS_MAX="0.5")
    owner = await fresh(**told, TAPEDECK_CLUSTER_SECRET="a" * 32)
    asked = await fresh(**told, TAPEDECK_CLUSTER_SECRET="b" * 32)
    pair = Pair(http, owner, asked)
    await pair.host.start("f-5")
    status, problem, headers = await pair.other.call("POST", "/api/v1/meetings/f-5/recording/stop")
    assert (status, problem["code"], problem["retryable"]) == (503, "overloaded", True)
    assert int(headers["Retry-After"]) >= 1
    assert await pair.forwarded("refused") > 0
    await pair.host.stop("f-5")
