"""One recording, the live one, lists, history and playback: what they show, to whom, and page by page."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.config import Config
from tests.unit.server.calls import OPERATOR, Calls, host, serving_calls, token_of
from tests.unit.server.conftest import Serve

GUEST = token_of("guest-1", {"m": "PARTICIPANT"})
STRANGER = token_of("x", {"other": "HOST"})


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    async with serving_calls(serve) as made:
        yield made


async def several(calls: Calls, count: int, meeting: str = "m") -> list[str]:
    """Ids of as many recordings that are over, newest first; two begin in the same millisecond."""
    made = []
    for number in range(count):
        calls.time_ms += number % 2
        made.append((await calls.start(meeting))["id"])
        await calls.stop(meeting)
    return made[::-1]


async def listed(calls: Calls, path: str, **options: Any) -> Any:
    status, page, _ = await calls.call("GET", path, **options)
    assert status == 200, page
    return page


# --- lists ---


async def test_an_empty_list_has_the_same_form(calls: Calls) -> None:
    page = await listed(calls, "/meetings/m/recordings")
    assert page == {"items": [], "total": 0, "limit": 50, "offset": 0, "nextCursor": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_pages_by_cursor_hold_everything_once_newest_first(calls: Calls, limit: int) -> None:
    ids = await several(calls, 5)
    found: list[str] = []
    query = f"limit={limit}"
    while True:
        page = await listed(calls, f"/meetings/m/recordings?{query}")
        assert (page["total"], page["limit"]) == (5, limit)
        found += [item["id"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        query = f"limit={limit}&cursor={page['nextCursor']}"
    assert found == ids


async def test_new_recordings_do_not_shift_the_pages_of_a_cursor(calls: Calls) -> None:
    ids = await several(calls, 4)
    first = await listed(calls, "/meetings/m/recordings?limit=2")
    await several(calls, 1)
    second = await listed(calls, f"/meetings/m/recordings?limit=2&cursor={first['nextCursor']}")
    assert [item["id"] for item in second["items"]] == ids[2:]


async def test_an_offset_gives_a_cursor_too(calls: Calls) -> None:
    ids = await several(calls, 4)
    page = await listed(calls, "/meetings/m/recordings?limit=1&offset=1")
    assert ([item["id"] for item in page["items"]], page["offset"]) == ([ids[1]], 1)
    following = await listed(calls, f"/meetings/m/recordings?cursor={page['nextCursor']}")
    assert [item["id"] for item in following["items"]] == ids[2:]
    assert following["nextCursor"] is None
    assert (await listed(calls, "/meetings/m/recordings?offset=4"))["items"] == []


async def test_filters_may_stand_there_several_times(calls: Calls) -> None:
    done = await calls.completed("m")
    (aborted,) = await several(calls, 1)
    live = await calls.start("m")

    async def found(query: str) -> set[str]:
        return {item["id"] for item in (await listed(calls, f"/meetings/m/recordings?{query}"))["items"]}

    assert await found("status=completed") == {done["id"]}
    assert await found("status=completed&status=failed") == {done["id"], aborted}
    assert await found("state=aborted") == {aborted}
    assert await found("state=starting&state=active") == {live["id"]}
    assert await found("status=failed&state=completed") == set()


async def test_tombstones_are_shown_when_asked_for(calls: Calls) -> None:
    (gone, left) = await several(calls, 2)
    await calls.call("DELETE", f"/recordings/{gone}")
    for path in ("/meetings/m/recordings", "/recordings"):
        page = await listed(calls, path, token=OPERATOR)
        assert ([item["id"] for item in page["items"]], page["total"]) == ([left], 1)
        for query in ("status=deleted", "state=deleted"):
            page = await listed(calls, f"{path}?{query}", token=OPERATOR)
            assert [item["id"] for item in page["items"]] == [gone]


async def test_operators_see_all_meetings_or_one(calls: Calls) -> None:
    (one,), (two,) = await several(calls, 1), await several(calls, 1, "n")
    assert {item["id"] for item in (await listed(calls, "/recordings", token=OPERATOR))["items"]} == {one, two}
    page = await listed(calls, "/recordings?meetingId=n", token=OPERATOR)
    assert [item["id"] for item in page["items"]] == [two]
    assert (await calls.call("GET", "/recordings"))[0] == 403


async def test_a_cursor_is_good_for_its_own_list_only(calls: Calls) -> None:
    await several(calls, 2)
    cursor = (await listed(calls, "/meetings/m/recordings?limit=1"))["nextCursor"]
    bad = [
        (f"/meetings/n/recordings?cursor={cursor}", "/cursor"),
        (f"/meetings/m/recordings?status=failed&cursor={cursor}", "/cursor"),
        (f"/recordings?cursor={cursor}", "/cursor"),
        (f"/meetings/m/recordings?cursor={cursor[:-4]}", "/cursor"),
        ("/meetings/m/recordings?cursor=%00", "/cursor"),
        ("/meetings/m/recordings?cursor=WzFd", "/cursor"),
        ("/meetings/m/recordings?meetingId=m", "/meetingId"),
        ("/recordings?meetingId=a/b", "/meetingId"),
        ("/recordings?status=deleted,failed", "/status/0"),
    ]
    for path, pointer in bad:
        status, problem, _ = await calls.call("GET", path, token=token_of("o", {"*": "HOST"}, operator=True))
        assert (status, problem["code"]) == (422, "validation_failed"), path
        assert problem["errors"][0]["pointer"] == pointer
    again = await listed(calls, f"/meetings/m/recordings?limit=100&cursor={cursor}")
    assert len(again["items"]) == 1


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
    await several(calls, 1)
    done = await calls.completed("m")
    whole = await listed(calls, f"/recordings/{done['id']}/history")
    kinds = [item["type"] for item in whole["items"]]
    assert kinds[0] == "recording.starting"
    assert kinds[-1] == "recording.completed"
    assert {"recorder.opened", "recorder.acquired", "recorder.accepted"} <= set(kinds)
    assert whole["nextCursor"] is None
    pages: list[Any] = []
    cursor = ""
    while True:
        page = await listed(calls, f"/recordings/{done['id']}/history?limit=2{cursor}")
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
    page = await listed(calls, f"/recordings/{done['id']}/playback?expiresIn=60", token=GUEST)
    assert {item["kind"] for item in page["items"]} == {"hls", "mp4"}
    for item in page["items"]:
        assert item["url"].startswith("http://here/media/tapedeck/")
        assert "&signature=" in item["url"]
        assert item["expiresAt"].endswith("Z")


async def test_playback_says_why_not(calls: Calls) -> None:
    live = await calls.start("m")
    status, problem, headers = await calls.call("GET", f"/recordings/{live['id']}/playback")
    assert (status, problem["code"], problem["retryable"]) == (409, "recording_not_ready", True)
    assert int(headers["Retry-After"]) > 0
    await calls.stop("m")
    status, problem, _ = await calls.call("GET", f"/recordings/{live['id']}/playback")
    assert (status, problem["code"]) == (404, "no_media")


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
