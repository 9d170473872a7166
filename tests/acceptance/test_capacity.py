"""A provider that has no more recorders, or takes no more requests: who is refused, who waits, and who is not told of it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client, RunningServer, token_for
from tests.acceptance.scraped import scrape
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASYNC = {"Prefer": "respond-async"}
PAUSE_SECONDS = 3
"""Of `agora.full_pause_seconds` here."""


class Site:
    """A simulator with two recorders, and a server that may believe in more."""

    def __init__(self, simulator: Simulator, server: RunningServer, http: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.server = server
        self.http = http
        self.host = Client(http, server)
        self.operator = Client(http, server, token_for("op", meeting="nowhere", operator=True))

    async def start(self, meeting: str, headers: dict[str, str] | None = None) -> tuple[int, Any, Any]:
        return await self.host.call("POST", f"/api/v1/meetings/{meeting}/recording/start", headers=headers)

    async def stored(self) -> set[str]:
        """The meetings that have a recording."""
        _, page, _ = await self.operator.call("GET", "/api/v1/recordings")
        return {item["meetingId"] for item in page["items"]}

    async def refused(self, meeting: str, limit: dict[str, Any]) -> None:
        """A start is refused, and nothing of it is stored."""
        status, problem, headers = await self.start(meeting)
        assert (status, problem["code"], problem["retryable"]) == (503, "recording_capacity_exhausted", True)
        assert problem["limit"] == limit
        assert int(headers["Retry-After"]) > 0
        assert meeting not in await self.stored()

    async def waits_for_a_recorder(self, meeting: str) -> Any:
        """A recording that is stored, and whose acquire was refused."""
        status, waiting, _ = await self.start(meeting, ASYNC)
        assert status == 202, waiting

        async def deferred() -> bool:
            _, history, _ = await self.host.call("GET", f"/api/v1/recordings/{waiting['id']}/history")
            return any(item["type"] == "recorder.deferred" for item in history["items"])

        await eventually(deferred)
        return waiting

    async def fails(self, faults: dict[str, float]) -> None:
        async with self.http.put(f"{self.simulator.url}/_simulator/faults", json=faults) as response:
            assert response.status == 200


@pytest_asyncio.fixture(loop_scope="module")
async def simulator(tmp_path_factory: Any) -> AsyncIterator[Simulator]:
    async with Simulator(tmp_path_factory.mktemp("capacity"), "--max-recorders", "2") as made:
        yield made


async def site(simulator: Simulator, fresh: Fresh, http: aiohttp.ClientSession, recorders_max: int) -> Site:
    settings = {"RECORDERS_MAX": str(recorders_max), "FULL_PAUSE_SECONDS": str(PAUSE_SECONDS)}
    environment = simulator.environment(**{f"TAPEDECK_AGORA__{key}": value for key, value in settings.items()})
    return Site(simulator, await fresh(**environment), http)


async def test_our_own_limit_refuses_before_the_provider_has_to(
    simulator: Simulator, fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    here = await site(simulator, fresh, http, 2)
    for meeting in ("m-1", "m-2"):
        await here.host.start(meeting)
    await here.refused("m-3", {"name": "agora.recorders_max", "value": 2})
    assert await here.stored() == {"m-1", "m-2"}
    assert (await here.host.stop("m-1"))["state"] == "completed"
    await here.host.start("m-3")
    requests = (await simulator.control(http, "requests"))["items"]
    assert len([item for item in requests if item["call"] == "acquire"]) == 3
    scraped = await scrape(http, here.server)
    assert scraped("commands_total", kind="StartRecording", outcome="recording_capacity_exhausted") == 1
    assert scraped("agora_full") == 0
    assert scraped("limit", setting="agora.recorders_max") == 2


async def test_a_provider_without_recorders_refuses_later_starts_and_lets_the_stored_one_wait(
    simulator: Simulator, fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    here = await site(simulator, fresh, http, 50)
    live = await here.host.start("m-1")
    await here.host.start("m-2")
    waiting = await here.waits_for_a_recorder("m-3")
    await here.refused("m-4", {"name": "agora.recorders_max", "value": 50})
    assert (await scrape(http, here.server))("agora_full") == 1
    stopped = await here.host.stop("m-1")
    assert (stopped["id"], stopped["state"], stopped["error"]) == (live["id"], "completed", None)
    assert (await here.host.in_state(waiting["id"], "active"))["error"] is None
    await here.host.stop("m-2")
    await here.host.start("m-4")
    assert (await scrape(http, here.server))("agora_full") == 0


async def test_it_is_forgotten_and_tried_again_although_nothing_waits(
    simulator: Simulator, fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    here = await site(simulator, fresh, http, 50)
    await here.fails({"acquire.http_429": 1})
    await here.waits_for_a_recorder("m-1")
    await here.refused("m-2", {"name": "agora.requests_per_second", "value": 10.0})
    aborted = await here.host.stop("m-1")
    assert (aborted["state"], aborted["error"]["code"]) == ("aborted", "aborted")
    await here.fails({})

    async def starts() -> bool:
        status, problem, headers = await here.start("m-2")
        assert status == 201 or int(headers["Retry-After"]) <= PAUSE_SECONDS, problem
        return status == 201

    assert await eventually(starts)


async def test_a_full_provider_is_never_shown_to_those_who_stop(
    simulator: Simulator, fresh: Fresh, http: aiohttp.ClientSession
) -> None:
    here = await site(simulator, fresh, http, 2)
    started = await here.host.start("m-1")
    await here.host.in_state(started["id"], "active")
    await here.fails({"acquire.http_429": 1, "query.http_429": 1, "stop.http_429": 1})
    status, stopping, _ = await here.host.call(
        "POST", "/api/v1/meetings/m-1/recording/stop", headers={"Prefer": "wait=1"}
    )
    assert (status, stopping["id"], stopping["error"]) == (200, started["id"], None)
    await here.fails({})
    assert (await here.host.in_state(started["id"], "completed"))["error"] is None
