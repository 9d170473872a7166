"""A start that no recorder is there for: refused, with the limit, and nothing of it is stored."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors.domain.model import Failure, FailureCode
from actors.domain.outcomes import Limit, RetryLater
from server.config import Config
from server.settings import AgoraSettings
from tests.unit.server.calls import OPERATOR, Calls, serving_calls
from tests.unit.server.conftest import Serve
from tests.waiting import eventually

NO = Failure(FailureCode.CAPACITY, "Agora answered HTTP 400, code 406.", retryable=True)
FULL = {
    Limit.RECORDERS: {"name": "agora.recorders_max", "value": 2},
    Limit.REQUESTS: {"name": "agora.requests_per_second", "value": 10.0},
}


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    """Two recordings at once, and no more."""
    async with serving_calls(serve, Config(agora=AgoraSettings(recorders_max=2))) as made:
        yield made


async def start(calls: Calls, meeting: str, **headers: str) -> tuple[int, Any, Any]:
    return await calls.call("POST", f"/meetings/{meeting}/recording/start", **headers)


async def stored(calls: Calls) -> int:
    total: int = (await calls.read("/recordings", token=OPERATOR))["total"]
    return total


async def knows_that_it_is_full(calls: Calls, limit: Limit) -> Any:
    """A recording that waits for a recorder, after the provider's refusal has come."""
    calls.recorder.full = RetryLater("full", NO, limit=limit)
    waiting = await calls.start("waits", Prefer="respond-async")

    async def known() -> bool:
        return calls.system.capacity.full is not None

    await eventually(known)
    return waiting


async def test_our_own_count_at_the_limit_refuses(calls: Calls) -> None:
    for meeting in ("m-1", "m-2"):
        await calls.start(meeting)
    status, problem, headers = await start(calls, "m-3")
    assert (status, problem["code"], problem["retryable"]) == (503, "recording_capacity_exhausted", True)
    assert problem["limit"] == FULL[Limit.RECORDERS]
    assert int(headers["Retry-After"]) > 0
    assert await stored(calls) == 2


async def test_it_is_the_live_ones_that_count(calls: Calls) -> None:
    for meeting in ("m-1", "m-2"):
        await calls.completed(meeting)
    for meeting in ("m-1", "m-2"):
        await calls.start(meeting)
    assert (await start(calls, "m-3"))[0] == 503
    await calls.stop("m-2")
    assert (await start(calls, "m-3"))[0] == 201


@pytest.mark.parametrize("limit", Limit)
async def test_a_provider_that_is_known_to_be_full_refuses(calls: Calls, limit: Limit) -> None:
    await knows_that_it_is_full(calls, limit)
    status, problem, headers = await start(calls, "m")
    assert (status, problem["code"], problem["retryable"]) == (503, "recording_capacity_exhausted", True)
    assert problem["limit"] == FULL[limit]
    assert 15 <= int(headers["Retry-After"]) <= 20
    assert await stored(calls) == 1


async def test_what_is_stored_waits_and_opens_the_door_again(calls: Calls) -> None:
    waiting = await knows_that_it_is_full(calls, Limit.RECORDERS)
    assert (await start(calls, "m"))[0] == 503
    calls.recorder.full = None
    assert (await calls.in_state(waiting, "active"))["error"] is None
    assert (await start(calls, "m"))[0] == 201


async def test_a_full_provider_is_not_shown_to_those_who_stop(calls: Calls) -> None:
    live = await calls.start("live")
    await calls.in_state(live, "active")
    await knows_that_it_is_full(calls, Limit.REQUESTS)
    assert (await calls.stop("live"))["id"] == live["id"]
    assert (await calls.stop("waits"))["state"] == "aborted"


async def test_a_meeting_that_is_live_hears_of_its_recording(calls: Calls) -> None:
    live = await calls.start("live", Idempotency_Key="k")
    await knows_that_it_is_full(calls, Limit.RECORDERS)
    status, problem, _ = await start(calls, "live")
    assert (status, problem["code"], problem["recording"]["id"]) == (409, "recording_already_active", live["id"])
    status, again, headers = await start(calls, "live", Idempotency_Key="k")
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (201, live["id"], "true")


async def test_the_same_key_may_try_again(calls: Calls) -> None:
    await asyncio.gather(*(calls.start(meeting) for meeting in ("m-1", "m-2")))
    for _ in range(2):
        assert (await start(calls, "m-3", Idempotency_Key="k"))[0] == 503
    await calls.stop("m-1")
    status, _, headers = await start(calls, "m-3", Idempotency_Key="k")
    assert (status, "Idempotent-Replayed" in headers) == (201, False)
