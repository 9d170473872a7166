"""Two servers on one database: each meeting is one server's, until that one dies, leaves, freezes, or loses its name."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.running import Client, RunningServer
from tests.listening import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT = {
    "TAPEDECK_NODE__RENEW_SECONDS": "1.0",
    "TAPEDECK_NODE__SILENT_SECONDS": "2.5",
    "TAPEDECK_NODE__LET_GO_SECONDS": "4.0",
    "TAPEDECK_NODE__LEASE_SECONDS": "5.0",
}
LONG = {"TAPEDECK_NODE__LEASE_SECONDS": "3600"}
"""A takeover that had to wait for such a lease would be seen to hang."""

Servers = Callable[..., Awaitable[RunningServer]]


@pytest_asyncio.fixture(loop_scope="module")
async def simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    async with Simulator(tmp_path / "store") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def beside(fresh: Fresh, simulator: Simulator, database_url: str) -> Servers:
    """Starts a server on the database and the provider that all servers of the test share."""

    async def make(**environment: str) -> RunningServer:
        return await fresh(**simulator.environment(DATABASE_URL=database_url, **environment))

    return make


async def owner_of(database_url: str, meeting: str) -> str | None:
    """The name of the node that has the meeting."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval("select node from meetings where meeting_id = $1", meeting)  # type: ignore[no-any-return]
    finally:
        await connection.close()


async def until_owned(database_url: str, meeting: str, server: RunningServer, within_seconds: float) -> None:
    async def look() -> bool:
        return await owner_of(database_url, meeting) == server.url

    await eventually(look, within_seconds)


async def assert_one_whole_session(
    simulator: Simulator, http: aiohttp.ClientSession, meeting: str, ended: dict[str, Any]
) -> None:
    assert (ended["state"], ended["completeness"]) == ("completed", "complete"), ended
    (session,) = (await simulator.control(http, f"sessions?cname={meeting}"))["items"]
    assert session["sid"] == ended["agoraRecordingId"]
    assert session["endedAt"] is not None


async def test_a_meeting_stays_with_its_server_until_that_one_is_dead_for_as_long_as_its_lease(
    beside: Servers, simulator: Simulator, http: aiohttp.ClientSession, database_url: str
) -> None:
    first, second = await beside(**SHORT), await beside(**SHORT)
    host, other = Client(http, first), Client(http, second)
    started = await host.start("t-1")
    await other.start("t-2")
    assert await owner_of(database_url, "t-1") == first.url
    await first.kill()
    await until_owned(database_url, "t-1", second, 20)
    await other.in_state(started["id"], "active")
    await assert_one_whole_session(simulator, http, "t-1", await other.stop("t-1"))
    await assert_one_whole_session(simulator, http, "t-2", await other.stop("t-2"))


async def test_a_notification_that_reached_another_server_is_applied_by_the_owner(
    fresh: Fresh, database_url: str, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    port = free_port()
    hook = ("--webhook-url", f"http://127.0.0.1:{port}/api/v1/webhooks/agora", "--webhook-secret", "known")
    async with Simulator(tmp_path / "store", *hook) as simulator:
        told = simulator.environment(
            DATABASE_URL=database_url,
            AGORA_WEBHOOK_SECRET="known",
            TAPEDECK_RECONCILER__INBOX_AGE_SECONDS="0.5",
            TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS="[600]",  # no look of its own: what is told, webhooks tell
        )
        owner, _ = await fresh(**told), await fresh(**told, PORT=str(port))
        host = Client(http, owner)
        started = await host.start("t-3")
        await host.in_state(started["id"], "active")
        await assert_one_whole_session(simulator, http, "t-3", await host.stop("t-3"))


async def test_a_server_that_leaves_hands_its_meetings_over_at_once(
    beside: Servers, simulator: Simulator, http: aiohttp.ClientSession, database_url: str
) -> None:
    first, second = await beside(**LONG), await beside(**LONG)
    started = await Client(http, first).start("t-4")
    assert await first.stop(10) == 0
    other = Client(http, second)
    await until_owned(database_url, "t-4", second, 5)
    await other.in_state(started["id"], "active")
    await assert_one_whole_session(simulator, http, "t-4", await other.stop("t-4"))


async def test_a_server_that_takes_anothers_name_takes_its_meetings_and_the_other_ends_and_says_why(
    beside: Servers, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    name = "http://same.example:3002"
    first = await beside(**LONG, TAPEDECK_NODE_URL=name)
    started = await Client(http, first).start("t-5")
    second = await beside(**LONG, TAPEDECK_NODE_URL=name)
    assert await first.ended(20) == 1
    assert f"another server has taken this one's name on their database, {name}" in first.log.read_text()
    assert "Traceback" not in first.log.read_text()
    other = Client(http, second)
    await other.in_state(started["id"], "active")
    await assert_one_whole_session(simulator, http, "t-5", await other.stop("t-5"))


async def test_a_server_that_was_frozen_longer_than_its_lease_goes_on_beside_the_one_that_took_over(
    beside: Servers, simulator: Simulator, http: aiohttp.ClientSession, database_url: str
) -> None:
    first, second = await beside(**SHORT), await beside(**SHORT)
    host = Client(http, first)
    await host.start("t-6")
    os.kill(first.pid, signal.SIGSTOP)
    try:
        await until_owned(database_url, "t-6", second, 20)
    finally:
        os.kill(first.pid, signal.SIGCONT)

    async def stands() -> bool:
        status, _, _ = await host.call("POST", "/api/v1/meetings/t-7/recording/start")
        return status == 201

    await eventually(stands, 10)
    assert await owner_of(database_url, "t-6") == second.url
    await assert_one_whole_session(simulator, http, "t-6", await host.stop("t-6"))
    await assert_one_whole_session(simulator, http, "t-7", await host.stop("t-7"))
