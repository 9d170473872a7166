"""One recording, the live one, its history and playback: what they show, and to whom."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from server.config import Config
from server.moments import unix_ms
from tests.unit.server.calls import OPERATOR, Calls, host, serving_calls, token_of
from tests.unit.server.conftest import Serve

GUEST = token_of("guest-1", {"m": "PARTICIPANT"})
STRANGER = token_of("x", {"other": "HOST"})


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    async with serving_calls(serve) as made:
        yield made


# --- one ---


async def test_the_live_recording_comes_and_goes(calls: Calls) -> None:
    live = await calls.start("m")
    _, shown, headers = await calls.call("GET", "/meetings/m/recording", token=GUEST)
    assert shown["id"] == live["id"]
    tag = headers["ETag"]
    status, nothing, headers = await calls.call("GET", "/meetings/m/recording", If_None_Match=f'"x", W/{tag}')
    assert (status, nothing, headers["ETag"]) == (304, None, tag)
    await calls.stop("m")
    status, problem, _ = await calls.call("GET", "/meetings/m/recording", If_None_Match=tag)
    assert (status, problem["code"]) == (404, "no_active_recording")


async def test_a_tag_changes_with_its_recording(calls: Calls) -> None:
    live = await calls.start("m")
    path = f"/recordings/{live['id']}"
    tag = (await calls.call("GET", path))[2]["ETag"]
    assert (await calls.call("GET", path, If_None_Match=tag))[0] == 304
    assert (await calls.call("GET", path, If_None_Match="*"))[0] == 304
    await calls.stop("m")
    status, _, headers = await calls.call("GET", path, If_None_Match=tag)
    assert status == 200
    assert headers["ETag"] != tag


async def test_what_is_private_is_for_hosts_and_operators(calls: Calls) -> None:
    live = await calls.start("m", {"externalId": "e", "metadata": {"a": 1}})
    paths = ["/meetings/m/recording", f"/recordings/{live['id']}", "/meetings/m/recordings"]
    for token in (host(), token_of("c", {"m": "CO_HOST"}), OPERATOR):
        for path in paths:
            _, shown, _ = await calls.call("GET", path, token=token)
            shown = shown["items"][0] if "items" in shown else shown
            assert (shown["externalId"], shown["metadata"]) == ("e", {"a": 1})
    for path in paths:
        _, shown, _ = await calls.call("GET", path, token=GUEST)
        shown = shown["items"][0] if "items" in shown else shown
        assert shown["id"] == live["id"]
        assert not {"externalId", "metadata"} & set(shown)


async def test_strangers_find_nothing(calls: Calls) -> None:
    done = await calls.completed("m")
    one = f"/recordings/{done['id']}"
    for path in (one, f"{one}/history", f"{one}/playback", "/meetings/m/recording", "/meetings/m/recordings"):
        status, problem, _ = await calls.call("GET", path, token=STRANGER)
        assert (status, problem["code"]) == (404, "not_found"), path
        assert done["id"] not in str(problem)


@pytest.mark.parametrize("name", ["x", "0" * 36, "..", "%00", "00000000-0000-0000-0000-000000000000"])
async def test_what_was_never_made_is_not_found(calls: Calls, name: str) -> None:
    for path in (f"/recordings/{name}", f"/recordings/{name}/history", f"/recordings/{name}/playback"):
        assert (await calls.call("GET", path))[0] == 404


async def test_no_call_takes_what_it_does_not_know(calls: Calls) -> None:
    done = await calls.completed("m")
    one = f"/recordings/{done['id']}"
    for method, path in [
        ("GET", one),
        ("GET", f"{one}/history"),
        ("GET", f"{one}/playback"),
        ("GET", "/meetings/m/recording"),
        ("GET", "/meetings/m/recordings"),
        ("POST", "/meetings/m/recording/start"),
        ("POST", "/meetings/m/recording/stop"),
        ("POST", "/meetings/m/end"),
        ("POST", f"{one}/stop"),
        ("DELETE", one),
    ]:
        status, problem, _ = await calls.call(method, f"{path}?what=1")
        assert (status, problem["errors"][0]["pointer"]) == (422, "/what"), path


# --- history ---


async def test_a_history_is_whole_and_in_order_page_by_page(calls: Calls) -> None:
    await calls.over(1)
    done = await calls.completed("m")
    await calls.sealed(done)
    whole = await calls.read(f"/recordings/{done['id']}/history")
    kinds = [item["type"] for item in whole["items"]]
    assert kinds[0] == "recording.starting"
    assert kinds[-2:] == ["recording.completed", "media.sealed"]
    assert {"recorder.opened", "recorder.acquired", "recorder.accepted"} <= set(kinds)
    assert whole["nextCursor"] is None
    pages: list[Any] = []
    cursor = ""
    while True:
        page = await calls.read(f"/recordings/{done['id']}/history?limit=2{cursor}")
        assert 0 < len(page["items"]) <= 2
        pages += page["items"]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert pages == whole["items"]


async def test_a_history_is_for_hosts_and_operators(calls: Calls) -> None:
    live = await calls.start("m")
    for token, status in ((GUEST, 403), (token_of("c", {"m": "CO_HOST"}), 200), (OPERATOR, 200)):
        assert (await calls.call("GET", f"/recordings/{live['id']}/history", token=token))[0] == status


# --- playback ---


async def test_playback_signs_what_there_is(calls: Calls) -> None:
    done = await calls.completed("m")
    page = await calls.read(f"/recordings/{done['id']}/playback?expiresIn=60", token=GUEST)
    assert {item["kind"] for item in page["items"]} == {"hls", "mp4"}
    for item in page["items"]:
        assert item["url"].startswith("http://here/media/tapedeck/")
        assert "&signature=" in item["url"]
        assert item["expiresAt"].endswith("Z")


async def test_a_live_recording_plays_as_far_as_it_is_there(calls: Calls) -> None:
    live = await calls.start("m")
    path = f"/recordings/{live['id']}/playback"
    status, problem, _ = await calls.call("GET", path)
    assert (status, problem["code"]) == (409, "recording_not_ready")
    await calls.in_state(live, "active")
    for _ in range(2):
        calls.time_ms += 20_000
        (item,) = (await calls.read(path, token=GUEST))["items"]
        assert (item["kind"], item["part"], item["fileSize"]) == ("hls", 1, 200)
        seconds = (calls.time_ms - unix_ms(live["createdAt"])) / 1000
        assert item["duration"] == seconds - seconds % 15, "as many slices as are full"
    calls.recorder.open.clear()
    await calls.call("POST", "/meetings/m/recording/stop", Prefer="wait=0")
    assert (await calls.read(path))["items"]


async def test_storage_that_is_away_is_told_to_who_plays_what_is_live(calls: Calls) -> None:
    done = await calls.completed("m")
    live = await calls.start("m")
    calls.storage_trouble = StorageUnavailable("asleep")
    status, problem, headers = await calls.call("GET", f"/recordings/{live['id']}/playback")
    assert (status, problem["code"]) == (503, "storage_unavailable")
    assert int(headers["Retry-After"]) > 0
    calls.storage_trouble = StorageNotFound()
    assert (await calls.call("GET", f"/recordings/{live['id']}/playback"))[0] == 409
    looks = calls.looks
    await calls.read(f"/recordings/{done['id']}/playback")
    assert calls.looks == looks


@pytest.mark.parametrize("trouble", [StorageDenied("no keys"), StorageUnavailable("no keys")])
async def test_where_nothing_can_be_signed_nothing_is_handed_out(calls: Calls, trouble: Exception) -> None:
    done = await calls.completed("m")
    calls.keys_trouble = trouble
    status, problem, headers = await calls.call("GET", f"/recordings/{done['id']}/playback")
    assert (status, problem["code"], problem["detail"]) == (503, "storage_unavailable", "no keys")
    assert int(headers["Retry-After"]) > 0
    page = await calls.read("/meetings/m/recordings?include=playback")
    assert page["items"][0]["playback"] == {"items": []}


async def test_every_url_is_counted_and_logged_with_who_asked(calls: Calls) -> None:
    done = await calls.completed("m")
    with capture_logs() as logs:
        await calls.read(f"/recordings/{done['id']}/playback?expiresIn=60", token=GUEST)
        await calls.read("/meetings/m/recordings?include=playback", token=GUEST)
    minted = [line for line in logs if line["event"] == "playback.minted"]
    assert [(line["sub"], line["recording"], line["urls"]) for line in minted] == [("guest-1", done["id"], 2)] * 2
    assert [line["seconds"] for line in minted] == [60, 900]
    assert "signature" not in str(minted)
    for kind in ("hls", "mp4"):
        assert calls.registry.get_sample_value("tapedeck_playback_urls_total", {"kind": kind}) == 2


async def test_playback_says_why_not(calls: Calls) -> None:
    live = await calls.start("m")
    status, problem, headers = await calls.call("GET", f"/recordings/{live['id']}/playback")
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_not_ready", True)
    assert int(headers["Retry-After"]) > 0
    await calls.stop("m")
    status, problem, _ = await calls.call("GET", f"/recordings/{live['id']}/playback")
    assert (status, problem["code"]) == (404, "no_media")


async def test_a_url_lasts_as_long_as_was_asked_for(calls: Calls) -> None:
    done = await calls.completed("m")
    for seconds in (60, 43200):
        page = await calls.read(f"/recordings/{done['id']}/playback?expiresIn={seconds}")
        assert {unix_ms(item["expiresAt"]) for item in page["items"]} == {calls.time_ms // 1000 * 1000 + seconds * 1000}


async def test_a_tombstone_keeps_its_story(calls: Calls) -> None:
    done = await calls.completed("m")
    one = f"/recordings/{done['id']}"
    assert [(await calls.call("DELETE", one))[0] for _ in range(2)] == [204, 204]
    shown = await calls.read(one)
    assert (shown["status"], shown["state"], shown["files"]) == ("deleted", "deleted", [])
    assert shown["deletedAt"] is not None
    kinds = [item["type"] for item in (await calls.read(f"{one}/history"))["items"]]
    assert kinds[-1] == "recording.deleted"
    status, problem, _ = await calls.call("GET", f"{one}/playback")
    assert (status, problem["code"]) == (410, "recording_deleted")


async def test_a_look_at_the_head_of_any_answer_is_the_answer_without_its_body(calls: Calls) -> None:
    done = await calls.completed("m")
    live = await calls.start("m")
    one = f"/recordings/{done['id']}"
    for path in (
        *("/meetings/m/recording", "/meetings/m/recordings", "/recordings", one, f"{one}/history", f"{one}/playback"),
        *(f"/recordings/{live['id']}/playback", "/recordings/x", "/meetings/m/recordings?limit=0"),
    ):
        token = token_of("o", {"*": "HOST"}, operator=True)
        status, _, headers = await calls.call("GET", path, token=token)
        sent = {"Authorization": f"Bearer {token}"}
        async with calls.edge.client.head(f"/api/v1{path}", headers=sent) as response:
            assert (response.status, await response.read()) == (status, b"")
            for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Retry-After"):
                assert response.headers.get(name) == headers.get(name), (path, name)


@pytest.mark.parametrize("expires_in", ["59", "43201", "x", "-60", "1e3", ""])
async def test_playback_lasts_for_a_bounded_while(calls: Calls, expires_in: str) -> None:
    done = await calls.completed("m")
    status, problem, _ = await calls.call("GET", f"/recordings/{done['id']}/playback?expiresIn={expires_in}")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/expiresIn")


async def test_who_may_play_is_a_setting(serve: Serve) -> None:
    config = Config.model_validate({"access": {"playback_roles": ["HOST"]}})
    async with serving_calls(serve, config) as calls:
        done = await calls.completed("m")
        for token, status in ((GUEST, 403), (token_of("h", {"m": "HOST"}), 200), (OPERATOR, 200)):
            assert (await calls.call("GET", f"/recordings/{done['id']}/playback", token=token))[0] == status
