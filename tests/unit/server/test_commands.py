"""Start, stop, end and delete: what each answers, for how long it waits, and who may."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from actors.domain.model import FailureCode, Phase
from actors.ports import JournalUnavailable
from tests.unit.server.calls import OPERATOR, Calls, host, serving_calls, token_of
from tests.unit.server.conftest import Serve, bearer
from tests.waiting import eventually

START, STOP = "/meetings/m/recording/start", "/meetings/m/recording/stop"


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    async with serving_calls(serve) as made:
        yield made


# --- start ---


async def test_a_start_answers_once_the_provider_has_accepted(calls: Calls) -> None:
    status, recording, headers = await calls.call("POST", START)
    assert (status, recording["state"], recording["live"]) == (201, "starting", True)
    assert recording["agoraRecordingId"] == calls.agora.sessions[0].sid
    assert headers["Location"] == f"/api/v1/recordings/{recording['id']}"
    assert headers["ETag"] == f'"{recording["id"]}.{recording["version"]}"'
    assert "Preference-Applied" not in headers


async def test_each_recording_has_an_id_and_a_folder_of_its_own(calls: Calls) -> None:
    first, second = await calls.start("m"), await calls.start("n")
    assert first["id"] != second["id"]
    prefixes = [session.prefix for session in calls.agora.sessions]
    assert prefixes == [("tapedeck", made["id"].replace("-", "")) for made in (first, second)]


@pytest.mark.parametrize(
    ("prefer", "applied"), [("wait=0", "wait=0"), ("respond-async", "respond-async"), ("wait=0, x", "wait=0")]
)
async def test_a_wait_that_is_over_leaves_the_outcome_open(calls: Calls, prefer: str, applied: str) -> None:
    calls.recorder.open.clear()
    status, recording, headers = await calls.call("POST", START, Prefer=prefer)
    assert (status, recording["state"], recording["agoraRecordingId"]) == (202, "starting", None)
    assert headers["Preference-Applied"] == applied
    assert headers["Location"].endswith(recording["id"])


@pytest.mark.parametrize("code", [FailureCode.PROVIDER_REJECTED, FailureCode.PROVIDER_UNAUTHORIZED])
async def test_a_refusal_of_the_provider_shows_the_failed_recording(calls: Calls, code: FailureCode) -> None:
    calls.recorder.refusal = code
    status, problem, _ = await calls.call("POST", START)
    assert (status, problem["code"], problem["detail"]) == (502, code.value, "Agora said no")
    assert problem["recording"]["state"] == "failed"
    assert problem["recording"]["error"]["code"] == code.value


async def test_a_refusal_of_the_provider_is_kept_under_its_key_even_when_it_is_deleted(calls: Calls) -> None:
    calls.recorder.refusal = FailureCode.PROVIDER_REJECTED
    _, first, told = await calls.call("POST", START, Idempotency_Key="k", Prefer="wait=9")
    assert (told["Preference-Applied"], "Idempotent-Replayed" in told) == ("wait=9", False)
    assert (await calls.call("DELETE", f"/recordings/{first['recording']['id']}"))[0] == 204
    status, again, told = await calls.call("POST", START, Idempotency_Key="k")
    assert (status, again["code"], told["Idempotent-Replayed"]) == (502, "provider_rejected", "true")
    assert (again["recording"]["id"], again["recording"]["state"]) == (first["recording"]["id"], "deleted")


@pytest.mark.parametrize("gate", ["open", "starts"])
async def test_a_start_that_is_stopped_while_its_caller_waits(calls: Calls, gate: str) -> None:
    getattr(calls.recorder, gate).clear()
    waiting = asyncio.create_task(calls.call("POST", START))

    async def begun() -> bool:
        phases = {recording.phase for recording in calls.database.recordings.values()}
        return phases == {Phase.ACQUIRING if gate == "open" else Phase.STARTING}

    await eventually(begun)
    await calls.call("POST", STOP, Prefer="wait=0")
    status, problem, _ = await waiting
    assert (status, problem["code"]) == (409, "recording_aborted")
    assert problem["recording"]["stoppedBy"] == "host-1"


async def test_a_second_start_names_the_live_recording(calls: Calls) -> None:
    live = await calls.start("m")
    status, problem, headers = await calls.call("POST", START)
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_already_active", False)
    assert problem["recording"]["id"] == live["id"]
    assert "Retry-After" not in headers


async def test_a_start_beside_a_stopping_one_may_be_tried_again(calls: Calls) -> None:
    await calls.start("m")
    calls.recorder.open.clear()
    await calls.call("POST", STOP, Prefer="wait=0")
    status, problem, headers = await calls.call("POST", START)
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_already_active", True)
    assert problem["recording"]["state"] == "stopping"
    assert int(headers["Retry-After"]) > 0


async def test_what_was_left_out_takes_the_defaults(calls: Calls) -> None:
    recording = await calls.start("m", {"streams": "audio_video"})
    assert recording["channelName"] == "m"
    assert recording["outputs"] == ["hls", "mp4"]
    assert recording["video"] == {"width": 1280, "height": 720, "fps": 15, "bitrate": 1130}
    assert recording["layout"]["template"] == "best_fit"
    assert recording["subscribe"] == {"audio": "all", "video": "all"}
    assert (recording["maxDuration"], recording["maxIdleTime"]) == (14400, 300)
    assert (recording["channelType"], recording["metadata"], recording["externalId"]) == ("communication", {}, None)


async def test_a_meeting_id_of_64_characters_needs_a_channel(calls: Calls) -> None:
    status, problem, _ = await calls.call("POST", f"/meetings/{'m' * 64}/recording/start")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/channelName")
    assert (await calls.start("m" * 64, {"channelName": "short"}))["channelName"] == "short"


async def test_a_full_disk_refuses_new_recordings_only(calls: Calls) -> None:
    live = await calls.start("m", Idempotency_Key="k")
    calls.free_bytes = 1000
    status, problem, headers = await calls.call("POST", "/meetings/n/recording/start")
    assert (status, problem["code"], headers["Retry-After"]) == (503, "storage_unavailable", "60")
    assert (await calls.call("POST", START))[1]["recording"]["id"] == live["id"]
    assert (await calls.start("m", Idempotency_Key="k"))["id"] == live["id"]
    assert len(calls.database.recordings) == 1


async def test_a_full_disk_denies_no_start_that_was_made(calls: Calls) -> None:
    started = await calls.start("m", Idempotency_Key="k")
    await calls.in_state(started, "active")
    await calls.stop("m")
    calls.free_bytes = 1000
    status, again, headers = await calls.call("POST", START, Idempotency_Key="k")
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (201, started["id"], "true")
    for _ in range(2):
        status, problem, _ = await calls.call("POST", START, Idempotency_Key="new")
        assert (status, problem["code"], problem["retryable"]) == (503, "storage_unavailable", True)
    calls.free_bytes = None
    assert (await calls.start("m", Idempotency_Key="new"))["id"] != started["id"]


async def test_what_is_stored_is_never_denied(calls: Calls) -> None:
    calls.journal.away = True
    status, recording, _ = await calls.call("POST", START)
    assert (status, recording["state"]) == (202, "starting")
    status, recording, _ = await calls.call("POST", STOP)
    assert (status, recording["state"]) == (200, "stopping")


# --- repetition ---


async def test_the_same_key_is_the_same_command_in_whatever_order_its_body_stands(calls: Calls) -> None:
    first = await calls.start("m", {"externalId": "x", "maxDuration": 60}, Idempotency_Key="k")
    status, again, headers = await calls.call(
        "POST", START, {"maxDuration": 60, "externalId": "x"}, Idempotency_Key="k"
    )
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (201, first["id"], "true")
    status, problem, _ = await calls.call("POST", START, {"maxDuration": 61}, Idempotency_Key="k")
    assert (status, problem["code"]) == (422, "idempotency_key_reused")


async def test_a_key_belongs_to_its_caller_and_its_path(calls: Calls) -> None:
    await calls.start("m", Idempotency_Key="k")
    status, problem, _ = await calls.call("POST", START, token=host("other"), Idempotency_Key="k")
    assert (status, problem["code"]) == (409, "recording_already_active")
    status, _, headers = await calls.call("POST", STOP, Idempotency_Key="k")
    assert status == 200
    assert "Idempotent-Replayed" not in headers


async def test_a_repeated_stop_never_stops_the_next_recording(calls: Calls) -> None:
    first = await calls.start("m")
    await calls.call("POST", STOP, Idempotency_Key="k")
    second = await calls.start("m")
    status, again, headers = await calls.call("POST", STOP, Idempotency_Key="k")
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (200, first["id"], "true")
    assert (await calls.call("GET", "/meetings/m/recording"))[1]["id"] == second["id"]


async def test_a_repeated_stop_of_what_was_stopping_already_is_known_too(calls: Calls) -> None:
    first = await calls.start("m")
    calls.recorder.open.clear()
    await calls.call("POST", STOP, Prefer="wait=0")
    await calls.call("POST", STOP, Prefer="wait=0", Idempotency_Key="k")
    calls.recorder.open.set()
    await calls.stop("m")
    second = await calls.start("m")
    status, again, headers = await calls.call("POST", STOP, Idempotency_Key="k")
    assert (status, again["id"], headers["Idempotent-Replayed"]) == (200, first["id"], "true")
    assert (await calls.call("GET", "/meetings/m/recording"))[1]["id"] == second["id"]


@pytest.mark.parametrize("body", [b'{"metadata":{"a":NaN},"metadata":{}}', b'{"maxDuration":1e999,"maxDuration":60}'])
async def test_a_number_that_is_none_does_not_hide_behind_its_double(calls: Calls, body: bytes) -> None:
    headers = {**bearer({"m": "HOST"}), "Idempotency-Key": "k", "Content-Type": "application/json"}
    async with calls.edge.client.post("/api/v1/meetings/m/recording/start", data=body, headers=headers) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (400, "bad_request")
    assert not calls.database.recordings


# --- stop, end ---


async def test_a_stop_waits_for_the_end(calls: Calls) -> None:
    await calls.start("m")
    recording = await calls.stop("m")
    assert (recording["state"], recording["live"], recording["stoppedBy"]) == ("aborted", False, "host-1")
    assert recording["endReason"] == "stop_requested"


@pytest.mark.parametrize(("prefer", "status"), [("wait=0", 200), ("respond-async", 202)])
async def test_a_stop_whose_wait_is_over_shows_what_is_stored(calls: Calls, prefer: str, status: int) -> None:
    await calls.start("m")
    calls.recorder.open.clear()
    got, recording, headers = await calls.call("POST", STOP, Prefer=prefer)
    assert (got, recording["state"], headers["Preference-Applied"]) == (status, "stopping", prefer)
    again = await calls.call("POST", STOP, Prefer="wait=0")
    assert (again[0], again[1]["id"], again[1]["version"]) == (200, recording["id"], recording["version"])


async def test_a_stop_without_a_live_recording_shows_the_last_one(calls: Calls) -> None:
    status, problem, _ = await calls.call("POST", STOP)
    assert (status, problem["code"]) == (409, "no_active_recording")
    assert "recording" not in problem
    last = await calls.start("m")
    await calls.stop("m")
    status, problem, _ = await calls.call("POST", STOP)
    assert (status, problem["recording"]["id"]) == (409, last["id"])


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (OPERATOR, "operator"),
        (token_of("both", {"m": "CO_HOST"}, operator=True), "stop_requested"),
        (token_of("guest", {"m": "PARTICIPANT"}, operator=True), "operator"),
        (host(), "stop_requested"),
    ],
)
async def test_a_stop_by_id_says_who_wanted_it(calls: Calls, token: str, reason: str) -> None:
    live = await calls.start("m")
    status, stopped, _ = await calls.call("POST", f"/recordings/{live['id']}/stop", token=token)
    assert (status, stopped["endReason"]) == (200, reason)
    following = await calls.start("m")
    assert (await calls.call("POST", f"/recordings/{live['id']}/stop", token=token))[1]["id"] == live["id"]
    assert (await calls.call("GET", "/meetings/m/recording"))[1]["id"] == following["id"]


async def test_the_end_of_a_meeting_stops_what_is_live(calls: Calls) -> None:
    assert (await calls.call("POST", "/meetings/m/end"))[:2] == (200, {"recording": None})
    live = await calls.start("m")
    status, ended, _ = await calls.call("POST", "/meetings/m/end")
    assert (status, ended["recording"]["id"], ended["recording"]["endReason"]) == (200, live["id"], "meeting_ended")


# --- delete ---


async def test_a_live_recording_is_not_deleted(calls: Calls) -> None:
    live = await calls.start("m")
    status, problem, _ = await calls.call("DELETE", f"/recordings/{live['id']}")
    assert (status, problem["code"], problem["recording"]["id"]) == (409, "recording_live", live["id"])


async def test_a_deletion_leaves_a_tombstone_and_may_be_repeated(calls: Calls) -> None:
    done = await calls.completed("m")
    for _ in range(2):
        assert (await calls.call("DELETE", f"/recordings/{done['id']}"))[:2] == (204, None)
    _, tombstone, _ = await calls.call("GET", f"/recordings/{done['id']}")
    assert (tombstone["status"], tombstone["storageStatus"]) == ("deleted", "deleted")
    assert (tombstone["files"], tombstone["storageUrl"], tombstone["storageKey"]) == ([], None, None)
    assert tombstone["deletedAt"] is not None
    status, problem, _ = await calls.call("GET", f"/recordings/{done['id']}/playback")
    assert (status, problem["code"]) == (410, "recording_deleted")


async def test_a_deletion_that_cannot_be_followed_goes_on(calls: Calls) -> None:
    done = await calls.completed("m")

    async def away(*_: object) -> None:
        raise JournalUnavailable

    calls.system.wait = away  # type: ignore[method-assign, assignment]
    assert (await calls.call("DELETE", f"/recordings/{done['id']}"))[0] == 202


# --- who ---


@pytest.mark.parametrize("call", [("POST", START), ("POST", STOP), ("POST", "/meetings/m/end")])
@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (token_of("p", {"m": "PARTICIPANT"}), 403, "forbidden"),
        (OPERATOR, 403, "forbidden"),
        (token_of("x", {"other": "HOST"}), 404, "not_found"),
    ],
)
async def test_who_may_not_command(calls: Calls, call: tuple[str, str], token: str, status: int, code: str) -> None:
    got, problem, _ = await calls.call(*call, token=token)
    assert (got, problem["code"]) == (status, code)
    assert not calls.database.recordings


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (token_of("c", {"m": "CO_HOST"}), 403),
        (token_of("p", {"m": "PARTICIPANT"}), 403),
        (token_of("x", {"other": "HOST"}), 404),
        (token_of("h", {"m": "HOST"}), 204),
        (OPERATOR, 204),
    ],
)
async def test_who_may_delete(calls: Calls, token: str, status: int) -> None:
    done = await calls.completed("m")
    assert (await calls.call("DELETE", f"/recordings/{done['id']}", token=token))[0] == status


async def test_on_behalf_of_is_for_service_tokens(calls: Calls) -> None:
    status, problem, _ = await calls.call("POST", START, {"onBehalfOf": "alice"}, token=host(meeting="m"))
    assert (status, problem["code"]) == (403, "forbidden")
    assert not calls.database.recordings
    started = await calls.start("m", {"onBehalfOf": "alice"})
    _, stopped, _ = await calls.call("POST", STOP, {"onBehalfOf": "bob"})
    assert (started["startedBy"], stopped["stoppedBy"]) == ("alice", "bob")
