"""One command is one command: at once two hundred times, across a kill, and for a caller who has left."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer, token_for
from tests.acceptance.wire import connect, request
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANY = 200
KEY = {"Idempotency-Key": "k"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowd() -> AsyncIterator[aiohttp.ClientSession]:
    """A session that opens as many connections as there are requests."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(crowd: aiohttp.ClientSession, server: RunningServer) -> Client:
    return Client(crowd, server)


def path(meeting: str, action: str = "start") -> str:
    return f"/api/v1/meetings/{meeting}/recording/{action}"


async def at_once(client: Client, target: str, body: Any = None, headers: dict[str, str] | None = None) -> list[Any]:
    answers: list[Any] = await asyncio.gather(*(client.call("POST", target, body, headers) for _ in range(MANY)))
    return answers


async def total(client: Client, meeting: str) -> int:
    _, listed, _ = await client.call("GET", f"/api/v1/meetings/{meeting}/recordings")
    count: int = listed["total"]
    return count


async def test_two_hundred_equal_commands_are_one(host: Client) -> None:
    for action, status in (("start", 201), ("stop", 200)):
        answers = await at_once(host, path("equal", action), {}, KEY)
        assert {status for status, _, _ in answers} == {status}
        assert len({recording["id"] for _, recording, _ in answers}) == 1
        assert sum(headers.get("Idempotent-Replayed") == "true" for _, _, headers in answers) == MANY - 1
        assert len({headers.get("Location") for _, _, headers in answers}) == 1
        # Each is the recording as it was when its answer was made: those of one version are the same to the byte.
        told = {(recording["version"], json.dumps(recording)) for _, recording, _ in answers}
        assert len(told) == len({version for version, _ in told})
    assert await total(host, "equal") == 1


async def test_two_hundred_starts_are_one_recording(host: Client) -> None:
    answers = await at_once(host, path("storm"))
    assert Counter(status for status, _, _ in answers) == {201: 1, 409: MANY - 1}
    (started,) = [body for status, body, _ in answers if status == 201]
    refused = [body for status, body, _ in answers if status == 409]
    assert {problem["code"] for problem in refused} == {"recording_already_active"}
    assert {problem["recording"]["id"] for problem in refused} == {started["id"]}
    stops = await at_once(host, path("storm", "stop"))
    # Who comes when it is over already is shown the same recording beside the refusal.
    assert {status for status, _, _ in stops} <= {200, 409}
    assert {body["id"] if status == 200 else body["recording"]["id"] for status, body, _ in stops} == {started["id"]}
    ends = await at_once(host, "/api/v1/meetings/storm/end", None, KEY)
    assert {(status, str(body)) for status, body, _ in ends} == {(200, "{'recording': None}")}


async def test_a_key_is_its_callers_its_methods_and_its_paths(
    host: Client, crowd: aiohttp.ClientSession, server: RunningServer
) -> None:
    _, first, _ = await host.call("POST", path("scope"), {"maxDuration": 60}, KEY)
    other = Client(crowd, server, token_for("host-2"))
    assert (await other.call("POST", path("scope"), {"maxDuration": 60}, KEY))[0] == 409
    status, elsewhere, headers = await host.call("POST", path("scope-2"), {"maxDuration": 60}, KEY)
    assert (status, elsewhere["id"] != first["id"], "Idempotent-Replayed" in headers) == (201, True, False)
    for changed in ({"maxDuration": 61}, {}, None, {"maxDuration": 60, "externalId": "x"}):
        status, problem, _ = await host.call("POST", path("scope"), changed, KEY)
        assert (status, problem["code"]) == (422, "idempotency_key_reused")
    for meeting, started in (("scope", first), ("scope-2", elsewhere)):
        await host.in_state(started["id"], "active")
        status, stopped, headers = await host.call("POST", path(meeting, "stop"), None, KEY)
        assert (status, "Idempotent-Replayed" in headers) == (200, False)
        assert not stopped["live"]
    by_id = f"/api/v1/recordings/{first['id']}/stop"
    for replayed in (None, "true"):
        status, _, headers = await host.call("POST", by_id, None, KEY)
        assert (status, headers.get("Idempotent-Replayed")) == (200, replayed)


async def test_a_start_that_was_aborted_stays_so_under_its_key(fresh: Fresh, crowd: aiohttp.ClientSession) -> None:
    server = await fresh(TAPEDECK_SIMULATOR__FAULTS='{"acquire.request_lost": 1}')
    client = Client(crowd, server)
    waiting = asyncio.create_task(client.call("POST", path("m"), None, {**KEY, "Prefer": "wait=20"}))

    async def begun() -> bool:
        return (await client.call("GET", "/api/v1/meetings/m/recording"))[0] == 200

    await eventually(begun)
    repeated = asyncio.create_task(client.call("POST", path("m"), None, KEY))
    assert (await client.call("POST", path("m", "stop")))[0] == 200
    status, problem, headers = await waiting
    assert (status, problem["code"], headers["Preference-Applied"]) == (409, "recording_aborted", "wait=20")
    for answer in (repeated, client.call("POST", path("m"), None, KEY)):
        status, again, headers = await answer
        assert (status, again["code"], headers["Idempotent-Replayed"]) == (409, "recording_aborted", "true")
        assert again["recording"]["id"] == problem["recording"]["id"]


async def test_a_command_is_known_after_a_kill(fresh: Fresh, crowd: aiohttp.ClientSession) -> None:
    server = await fresh()
    client = Client(crowd, server)
    hasty = [asyncio.create_task(client.call("POST", path("kill"), {}, KEY)) for _ in range(20)]
    await asyncio.wait(hasty, return_when=asyncio.FIRST_COMPLETED)
    await server.kill()
    before = await asyncio.gather(*hasty, return_exceptions=True)
    await server.start()
    answers = await at_once(client, path("kill"), {}, KEY)
    told = {answer[1]["id"] for answer in before if isinstance(answer, tuple)}
    assert {(status, body["id"]) for status, body, _ in answers} == {(201, *told)}
    assert {headers.get("Idempotent-Replayed") for _, _, headers in answers} == {"true"}
    assert (await client.call("POST", path("kill"), {"maxDuration": 60}, KEY))[0] == 422


async def test_a_caller_who_hangs_up_has_still_commanded(host: Client, server: RunningServer) -> None:
    async def say(target: str) -> None:
        _, writer = await connect(server)
        writer.write(request("POST", target, token=token_for("host-1")))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def is_live() -> Any:
        status, recording, _ = await host.call("GET", "/api/v1/meetings/gone/recording")
        return recording if status == 200 else None

    await say(path("gone"))
    live = await eventually(is_live)
    await host.in_state(live["id"], "active")
    await say(path("gone", "stop"))
    await host.in_state(live["id"], "completed")


@pytest.mark.parametrize(
    ("prefer", "status", "applied"),
    [
        ("wait=0", 202, "wait=0"),
        ("wait=25", 201, "wait=25"),
        ("wait=26", 201, "wait=25"),
        ("wait=9999999999", 201, "wait=25"),
        ('wait="7"', 201, "wait=7"),
        ("return=minimal, wait=7", 201, "wait=7"),
        ("wait=7, wait=8", 201, "wait=7"),
        ("respond-async", 202, "respond-async"),
        ("respond-async, wait=9", 202, "respond-async"),
        ("wait=-1", 201, None),
        ("wait=1.5", 201, None),
        ("wait=" + "9" * 5000, 201, None),
        ("nonsense", 201, None),
        (',;="', 201, None),
    ],
)
async def test_how_long_a_caller_waits(host: Client, prefer: str, status: int, applied: str | None) -> None:
    got, started, headers = await host.call("POST", path("prefer"), None, {"Prefer": prefer})
    assert (got, headers.get("Preference-Applied")) == (status, applied)
    got, stopped, headers = await host.call("POST", path("prefer", "stop"), None, {"Prefer": prefer})
    assert (got, headers.get("Preference-Applied")) == (202 if applied == "respond-async" else 200, applied)
    assert stopped["id"] == started["id"]
    await host.call("POST", path("prefer", "stop"), None, {"Prefer": "wait=25"})


async def test_starts_and_stops_that_race_leave_nothing_behind(host: Client) -> None:
    calls = [("start", "stop")[number % 2] for number in range(MANY)]
    prefer = {"Prefer": "wait=1"}
    answers = await asyncio.gather(*(host.call("POST", path("race", action), None, prefer) for action in calls))
    assert {status for status, _, _ in answers} <= {200, 201, 202, 409}
    codes = {body["code"] for status, body, _ in answers if status == 409}
    assert codes <= {"recording_already_active", "recording_aborted", "no_active_recording"}
    await host.call("POST", path("race", "stop"), None, {"Prefer": "wait=25"})
    _, listed, _ = await host.call("GET", "/api/v1/meetings/race/recordings?limit=100")
    assert not [item for item in listed["items"] if item["live"]]
