"""PATCH of a live recording: what merges, what is refused, for how long it waits, and what the provider is told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors.domain.effects import AgoraUpdate, AgoraUpdateLayout
from actors.domain.model import FailureCode, Layout, Subscription
from tests.unit.server.calls import OPERATOR, Calls, serving_calls, token_of
from tests.unit.server.conftest import Serve
from tests.waiting import eventually

PATCHED, STOP = "/meetings/m/recording", "/meetings/m/recording/stop"
PICTURE = {"streams": "audio_video", "layout": {"backgroundColor": "#112233"}}
VERTICAL = {"layout": {"template": "vertical", "maxResolutionUid": "7"}}


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    async with serving_calls(serve) as made:
        yield made


async def active(calls: Calls, body: Any = None) -> Any:
    return await calls.in_state(await calls.start("m", body), "active")


async def patch(calls: Calls, body: Any = None, **more: Any) -> tuple[int, Any, Any]:
    return await calls.call("PATCH", PATCHED, body, **more)


def updates_of(calls: Calls) -> int:
    """How many times subscribers were told of a change."""
    return sum(stored.event.kind == "recording.updated" for _, stored in calls.database.events)


async def test_only_the_given_fields_change(calls: Calls) -> None:
    before = await active(calls, PICTURE)
    status, changed, headers = await patch(calls, VERTICAL)
    assert (status, changed["state"], changed["id"]) == (200, "active", before["id"])
    assert changed["layout"] == {"template": "vertical", "maxResolutionUid": "7", "backgroundColor": "#112233"}
    assert changed["subscribe"] == {"audio": "all", "video": "all"}
    assert changed["version"] > before["version"]
    assert headers["ETag"] == f'"{changed["id"]}.{changed["version"]}"'
    _, changed, _ = await patch(calls, {"subscribe": {"video": ["9"]}, "layout": {"maxResolutionUid": None}})
    assert changed["subscribe"] == {"audio": "all", "video": ["9"]}
    assert changed["layout"] == {"template": "vertical", "maxResolutionUid": None, "backgroundColor": "#112233"}
    assert (await calls.call("GET", PATCHED))[1] == changed


async def test_the_provider_has_it_when_the_answer_comes(calls: Calls) -> None:
    await active(calls, PICTURE)
    await patch(calls, {**VERTICAL, "subscribe": {"audio": ["1", "2"]}})
    (session,) = calls.agora.sessions
    assert session.layout == Layout("vertical", "7", "#112233")
    assert session.subscribe == Subscription(audio=("1", "2"))
    assert [type(call) for call in calls.recorder.sent] == [AgoraUpdate, AgoraUpdateLayout]
    assert updates_of(calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"layout": {}},
        {"layout": None, "subscribe": None},
        {"subscribe": {"audio": "all", "video": "all"}},
        {"layout": {"template": "best_fit", "maxResolutionUid": None, "backgroundColor": "#112233"}},
    ],
)
async def test_what_changes_nothing_is_no_event(calls: Calls, body: Any) -> None:
    before = await active(calls, PICTURE)
    status, after, _ = await patch(calls, body)
    assert (status, after) == (200, before)
    assert calls.recorder.sent == []
    assert updates_of(calls) == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"layout": {"template": "grid"}}, "/layout/template"),
        ({"layout": {"template": None}}, "/layout/template"),
        ({"layout": {"backgroundColor": "red"}}, "/layout/backgroundColor"),
        ({"layout": {"maxResolutionUid": "0"}}, "/layout/maxResolutionUid"),
        ({"layout": {"width": 1}}, "/layout/width"),
        ({"layout": []}, "/layout"),
        ({"subscribe": {"audio": []}}, "/subscribe/audio"),
        ({"subscribe": {"audio": None}}, "/subscribe/audio"),
        ({"subscribe": {"video": "some"}}, "/subscribe/video"),
        ({"subscribe": {"audio": ["1", "me"]}}, "/subscribe/audio/1"),
        ({"maxDuration": 60}, "/maxDuration"),
        ({"onBehalfOf": "alice"}, "/onBehalfOf"),
    ],
)
async def test_what_may_not_be_said(calls: Calls, body: Any, pointer: str) -> None:
    before = await active(calls, PICTURE)
    status, problem, _ = await patch(calls, body)
    assert (status, problem["code"]) == (422, "validation_failed")
    assert problem["errors"][0]["pointer"] == pointer
    assert (await calls.call("GET", PATCHED))[1] == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (VERTICAL, "/layout"),
        ({"layout": {}, "subscribe": {"audio": ["1"]}}, "/layout"),
        ({"subscribe": {"audio": ["1"], "video": ["1"]}}, "/subscribe/video"),
    ],
)
async def test_sound_alone_has_no_picture(calls: Calls, body: Any, pointer: str) -> None:
    before = await active(calls)
    status, problem, _ = await patch(calls, body)
    assert (status, problem["code"], problem["errors"][0]["pointer"]) == (422, "validation_failed", pointer)
    assert (await calls.call("GET", PATCHED))[1] == before
    status, after, _ = await patch(calls, {"subscribe": {"audio": ["1"], "video": "all"}})
    assert (status, after["subscribe"], after["layout"]) == (200, {"audio": ["1"]}, None)


async def test_while_it_starts_it_may_be_tried_again(calls: Calls) -> None:
    starting = await calls.start("m", PICTURE)
    status, problem, headers = await patch(calls, VERTICAL)
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_not_active", True)
    assert problem["recording"]["id"] == starting["id"]
    assert problem["recording"]["layout"]["template"] == "best_fit"
    assert int(headers["Retry-After"]) > 0


async def test_while_it_stops_nothing_changes(calls: Calls) -> None:
    await active(calls, PICTURE)
    calls.recorder.open.clear()
    await calls.call("POST", STOP, Prefer="wait=0")
    status, problem, headers = await patch(calls, VERTICAL)
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_not_active", False)
    assert problem["recording"]["state"] == "stopping"
    assert "Retry-After" not in headers


async def test_without_a_live_recording_the_last_one_is_shown(calls: Calls) -> None:
    status, problem, _ = await patch(calls, VERTICAL)
    assert (status, problem["code"]) == (409, "no_active_recording")
    assert "recording" not in problem
    last = await calls.completed("m", PICTURE)
    status, problem, _ = await patch(calls, VERTICAL)
    assert (status, problem["code"], problem["recording"]["id"]) == (409, "no_active_recording", last["id"])


@pytest.mark.parametrize(("prefer", "status"), [("wait=0", 200), ("respond-async", 202)])
async def test_a_wait_that_is_over_leaves_the_outcome_open(calls: Calls, prefer: str, status: int) -> None:
    await active(calls, PICTURE)
    calls.recorder.updates.clear()
    got, changed, headers = await patch(calls, VERTICAL, Prefer=prefer)
    assert (got, changed["layout"]["template"], headers["Preference-Applied"]) == (status, "vertical", prefer)
    (session,) = calls.agora.sessions
    calls.recorder.updates.set()

    async def told() -> bool:
        return session.layout == Layout("vertical", "7", "#112233")

    await eventually(told)


@pytest.mark.parametrize("code", [FailureCode.PROVIDER_REJECTED, FailureCode.PROVIDER_UNAUTHORIZED])
async def test_a_refusal_of_the_provider_leaves_it_as_it_was(calls: Calls, code: FailureCode) -> None:
    before = await active(calls, PICTURE)
    calls.recorder.refusal = code
    status, problem, _ = await patch(calls, VERTICAL)
    assert (status, problem["code"], problem["detail"]) == (502, code.value, "Agora said no")
    assert problem["recording"]["layout"] == before["layout"]
    assert (problem["recording"]["state"], problem["recording"]["error"]) == ("active", None)
    assert updates_of(calls) == 2
    _, history, _ = await calls.call("GET", f"/recordings/{before['id']}/history")
    refusals = [item["data"]["refusal"] for item in history["items"] if item["type"] == "recording.updated"]
    assert refusals == [None, {"code": code.value, "message": "Agora said no", "retryable": False}]
    calls.recorder.refusal = None
    assert (await patch(calls, {}))[0] == 200, "what is asked anew is not refused for what was asked before"
    assert (await patch(calls, VERTICAL))[1]["layout"]["template"] == "vertical"


async def test_two_at_once_both_take_effect(calls: Calls) -> None:
    await active(calls, PICTURE)
    calls.recorder.updates.clear()
    bodies = [VERTICAL, {"subscribe": {"audio": ["1"]}}, {"subscribe": {"video": ["2"]}}]
    waiting = [asyncio.create_task(patch(calls, body)) for body in bodies]

    async def all_wanted() -> bool:
        return updates_of(calls) == 3

    await eventually(all_wanted)
    calls.recorder.updates.set()
    assert {status for status, _, _ in await asyncio.gather(*waiting)} == {200}
    _, changed, _ = await calls.call("GET", PATCHED)
    assert changed["layout"]["template"] == "vertical"
    assert changed["subscribe"] == {"audio": ["1"], "video": ["2"]}
    (session,) = calls.agora.sessions
    assert session.subscribe == Subscription(audio=("1",), video=("2",))
    assert session.layout == Layout("vertical", "7", "#112233")


async def test_a_change_that_a_stop_overtakes(calls: Calls) -> None:
    live = await active(calls, PICTURE)
    calls.recorder.updates.clear()
    waiting = asyncio.create_task(patch(calls, VERTICAL))

    async def sent() -> bool:
        return bool(calls.recorder.sent)

    await eventually(sent)
    await calls.call("POST", STOP, Prefer="wait=0")
    status, problem, _ = await waiting
    assert (status, problem["code"], problem["recording"]["id"]) == (409, "recording_not_active", live["id"])


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (token_of("c", {"m": "CO_HOST"}), 200, None),
        (token_of("p", {"m": "PARTICIPANT"}), 403, "forbidden"),
        (OPERATOR, 403, "forbidden"),
        (token_of("x", {"other": "HOST"}), 404, "not_found"),
    ],
)
async def test_who_may(calls: Calls, token: str, status: int, code: str | None) -> None:
    await active(calls, PICTURE)
    got, told, _ = await patch(calls, VERTICAL, token=token)
    assert (got, told.get("code")) == (status, code)
    assert updates_of(calls) == (1 if code is None else 0)
