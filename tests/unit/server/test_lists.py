"""Lists: page by page, filtered, with playback, and what is shown to whom."""

from collections.abc import AsyncIterator

import pytest

from actors.ports import StorageUnavailable
from server.config import Config
from server.moments import unix_ms
from tests.unit.server.calls import OPERATOR, Calls, host, serving_calls, token_of
from tests.unit.server.conftest import Serve

GUEST = token_of("guest-1", {"m": "PARTICIPANT"})


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    async with serving_calls(serve) as made:
        yield made


async def test_an_empty_list_has_the_same_form(calls: Calls) -> None:
    page = await calls.read("/meetings/m/recordings")
    assert page == {"items": [], "total": 0, "limit": 50, "offset": 0, "nextCursor": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_pages_by_cursor_hold_everything_once_newest_first(calls: Calls, limit: int) -> None:
    ids = await calls.over(5)
    found: list[str] = []
    query = f"limit={limit}"
    while True:
        page = await calls.read(f"/meetings/m/recordings?{query}")
        assert (page["total"], page["limit"]) == (5, limit)
        found += [item["id"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        query = f"limit={limit}&cursor={page['nextCursor']}"
    assert found == ids


async def test_new_recordings_do_not_shift_the_pages_of_a_cursor(calls: Calls) -> None:
    ids = await calls.over(4)
    first = await calls.read("/meetings/m/recordings?limit=2")
    await calls.over(1)
    second = await calls.read(f"/meetings/m/recordings?limit=2&cursor={first['nextCursor']}")
    assert [item["id"] for item in second["items"]] == ids[2:]


async def test_an_offset_gives_a_cursor_too(calls: Calls) -> None:
    ids = await calls.over(4)
    page = await calls.read("/meetings/m/recordings?limit=1&offset=1")
    assert ([item["id"] for item in page["items"]], page["offset"]) == ([ids[1]], 1)
    following = await calls.read(f"/meetings/m/recordings?cursor={page['nextCursor']}")
    assert [item["id"] for item in following["items"]] == ids[2:]
    assert following["nextCursor"] is None
    assert (await calls.read("/meetings/m/recordings?offset=4"))["items"] == []


async def test_filters_may_stand_there_several_times(calls: Calls) -> None:
    done = await calls.completed("m")
    (aborted,) = await calls.over(1)
    live = await calls.start("m")

    async def found(query: str) -> set[str]:
        return {item["id"] for item in (await calls.read(f"/meetings/m/recordings?{query}"))["items"]}

    assert await found("status=completed") == {done["id"]}
    assert await found("status=completed&status=failed") == {done["id"], aborted}
    assert await found("state=aborted") == {aborted}
    assert await found("state=starting&state=active") == {live["id"]}
    assert await found("status=failed&state=completed") == set()


async def test_tombstones_are_shown_when_asked_for(calls: Calls) -> None:
    (gone, left) = await calls.over(2)
    await calls.call("DELETE", f"/recordings/{gone}")
    for path in ("/meetings/m/recordings", "/recordings"):
        page = await calls.read(path, token=OPERATOR)
        assert ([item["id"] for item in page["items"]], page["total"]) == ([left], 1)
        for query in ("status=deleted", "state=deleted"):
            page = await calls.read(f"{path}?{query}", token=OPERATOR)
            assert [item["id"] for item in page["items"]] == [gone]


async def test_operators_see_all_meetings_or_one(calls: Calls) -> None:
    (one,), (two,) = await calls.over(1), await calls.over(1, "n")
    assert {item["id"] for item in (await calls.read("/recordings", token=OPERATOR))["items"]} == {one, two}
    page = await calls.read("/recordings?meetingId=n", token=OPERATOR)
    assert [item["id"] for item in page["items"]] == [two]
    assert (await calls.call("GET", "/recordings"))[0] == 403


async def test_a_cursor_is_good_for_its_own_list_only(calls: Calls) -> None:
    await calls.over(2)
    cursor = (await calls.read("/meetings/m/recordings?limit=1"))["nextCursor"]
    bad = [
        (f"/meetings/n/recordings?cursor={cursor}", "/cursor"),
        (f"/meetings/m/recordings?status=failed&cursor={cursor}", "/cursor"),
        (f"/recordings?cursor={cursor}", "/cursor"),
        (f"/meetings/m/recordings?cursor={cursor[:-4]}", "/cursor"),
        ("/meetings/m/recordings?cursor=%00", "/cursor"),
        ("/meetings/m/recordings?cursor=WzFd", "/cursor"),
        ("/meetings/m/recordings?meetingId=m", "/meetingId"),
        ("/recordings?meetingId=a/b", "/meetingId"),
        ("/recordings?meetingId=..", "/meetingId"),
        ("/recordings?status=deleted,failed", "/status/0"),
    ]
    for path, pointer in bad:
        status, problem, _ = await calls.call("GET", path, token=token_of("o", {"*": "HOST"}, operator=True))
        assert (status, problem["code"]) == (422, "validation_failed"), path
        assert problem["errors"][0]["pointer"] == pointer
    again = await calls.read(f"/meetings/m/recordings?limit=100&cursor={cursor}")
    assert len(again["items"]) == 1


# --- filters ---


async def found(calls: Calls, query: str, path: str = "/meetings/m/recordings", **options: str) -> list[str]:
    page = await calls.read(f"{path}?{query}", **options)
    assert page["total"] == len(page["items"])
    return [item["id"] for item in page["items"]]


async def test_an_external_id_finds_its_recordings_for_those_who_see_it(calls: Calls) -> None:
    mine = (await calls.start("m", {"externalId": "a+b & ü"}))["id"]
    await calls.stop("m")
    await calls.over(1)
    assert await found(calls, "externalId=a%2Bb%20%26%20%C3%BC") == [mine]
    assert await found(calls, "externalId=a") == []
    assert await found(calls, "externalId=a%2Bb%20%26%20%C3%BC", "/recordings", token=OPERATOR) == [mine]
    for query in ("externalId=a%2Bb%20%26%20%C3%BC", "externalId=never-given"):
        status, problem, _ = await calls.call("GET", f"/meetings/m/recordings?{query}", token=GUEST)
        assert (status, problem["code"]) == (403, "forbidden")


async def test_times_bound_what_is_listed(calls: Calls) -> None:
    ids = []
    for _ in range(3):
        ids.append((await calls.start("m"))["id"])
        await calls.stop("m")
        calls.time_ms += 1000
    first, second, third = ids
    begin = "2026-09-21T14:13:20"
    assert await found(calls, f"from={begin}.001Z") == [third, second]
    assert await found(calls, f"from={begin}Z&to=2026-09-21T14:13:22Z") == [second, first]
    assert await found(calls, "from=2026-09-21T16:13:21%2B02:00&to=2026-09-21t11:13:22-03:00") == [second]
    assert await found(calls, "updatedSince=2026-09-21T14:13:22Z") == [third]
    assert await found(calls, "from=2027-01-01T00:00:00Z") == []
    assert await found(calls, "to=0001-01-01T00:00:00Z") == []


async def test_what_changes_is_updated_since(calls: Calls) -> None:
    live = await calls.start("m")
    await calls.in_state(live, "active")
    calls.time_ms += 60_000
    since = "2026-09-21T14:14:20Z"
    assert calls.time_ms > unix_ms(since)
    assert await found(calls, f"updatedSince={since}") == []
    await calls.stop("m")
    assert await found(calls, f"updatedSince={since}") == [live["id"]]


async def test_completeness_and_overdue_deadlines_find_what_needs_a_look(calls: Calls) -> None:
    done = await calls.completed("m")
    assert await found(calls, "completeness=complete") == [done["id"]]
    calls.recorder.open.clear()
    waiting = await calls.start("m", Prefer="wait=0")
    assert await found(calls, "completeness=unknown") == [waiting["id"]]
    assert await found(calls, "overdue=true") == []
    calls.time_ms += 180_000
    assert await found(calls, "overdue=true") == [waiting["id"]]
    assert await found(calls, "overdue=false") == [waiting["id"], done["id"]]
    assert await found(calls, "overdue=true&completeness=complete") == []


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "from=2026-11-22", "from=2026-11-22T10:00:00", "from=1790000000", "from=", "to=2026-02-30T00:00:00Z",
     "to=2026-11-22T10:00:00+01:00", "to=2026-11-22%2010:00:00Z", "to=2026-11-22T25:00:00Z", "to=2026-11-22T10:00:00%2B24:00",
     "to=0000-01-01T00:00:00Z", "to=%D9%A2026-11-22T10:00:00Z", "updatedSince=2026-11-22T10:00Z", "updatedSince=" + "9" * 600,
     "from=2026-11-22T10:00:00Z&from=2026-11-22T10:00:00Z", "externalId=", "externalId=" + "x" * 129, "externalId=%00",
     "externalId=a&externalId=b", "completeness=whole", "completeness=partial&completeness=complete", "overdue=1", "overdue=True",
     "include=history", "include=playback,playback", "include=playback&include=playback", "external_id=x", "from_=x",
     "updated_since=2026-11-22T10:00:00Z", "state=live", "status=aborted"],
)  # fmt: skip
async def test_what_is_no_filter_is_pointed_at(calls: Calls, query: str) -> None:
    status, problem, _ = await calls.call("GET", f"/meetings/m/recordings?{query}")
    assert (status, problem["code"]) == (422, "validation_failed")
    assert problem["errors"][0]["pointer"].split("/")[1] == query.partition("=")[0]


async def test_a_plus_that_became_a_space_is_told(calls: Calls) -> None:
    _, problem, _ = await calls.call("GET", "/meetings/m/recordings?from=2026-11-22T10:00:00+01:00")
    assert "write it %2B" in problem["errors"][0]["detail"]


FILTERS = [
    "status=failed", "state=aborted", "externalId=x", "completeness=unknown", "from=2026-01-01T00:00:00Z",
    "to=2027-01-01T00:00:00Z", "updatedSince=2026-01-01T00:00:00Z",
]  # fmt: skip


async def test_a_cursor_knows_every_filter(calls: Calls) -> None:
    for _ in range(2):
        await calls.start("m", {"externalId": "x"})
        await calls.stop("m")
    for made_for in FILTERS:
        cursor = (await calls.read(f"/meetings/m/recordings?limit=1&{made_for}"))["nextCursor"]
        for other in [*FILTERS, "overdue=true"]:
            status, _, _ = await calls.call("GET", f"/meetings/m/recordings?cursor={cursor}&{other}")
            assert status == (200 if other == made_for else 422), (made_for, other)
        assert (await calls.call("GET", f"/meetings/m/recordings?cursor={cursor}"))[0] == 422
    plain = (await calls.read("/meetings/m/recordings?limit=1"))["nextCursor"]
    assert (await calls.call("GET", f"/meetings/m/recordings?cursor={plain}&overdue=true"))[0] == 422


async def test_a_cursor_minds_neither_the_order_of_filters_nor_what_is_shown(calls: Calls) -> None:
    ids = await calls.over(2)
    query = "status=failed&status=completed&state=aborted"
    cursor = (await calls.read(f"/meetings/m/recordings?limit=1&{query}"))["nextCursor"]
    again = "state=aborted&overdue=false&status=completed&status=failed&status=failed&include=playback"
    page = await calls.read(f"/meetings/m/recordings?cursor={cursor}&limit=7&{again}")
    assert [item["id"] for item in page["items"]] == ids[1:]


# --- playback in lists ---


async def test_a_list_may_bring_playback_along(calls: Calls) -> None:
    done = await calls.completed("m")
    (aborted,) = await calls.over(1)
    live = await calls.start("m")
    await calls.in_state(live, "active")
    calls.time_ms += 15_000
    for path, token in (("/meetings/m/recordings", GUEST), ("/recordings", OPERATOR)):
        items = (await calls.read(f"{path}?include=playback", token=token))["items"]
        played = {item["id"]: item["playback"] for item in items}
        assert played[aborted] == {"items": []}
        for each in (done["id"], live["id"]):
            assert played[each] == await calls.read(f"/recordings/{each}/playback", token=token)
            assert played[each]["items"]
    assert "playback" not in (await calls.read("/meetings/m/recordings"))["items"][0]


async def test_playback_in_a_list_is_for_those_who_may_play(serve: Serve) -> None:
    config = Config.model_validate({"access": {"playback_roles": ["HOST"]}})
    async with serving_calls(serve, config) as calls:
        await calls.completed("m")
        path = "/meetings/m/recordings?include=playback"
        for token, status in ((GUEST, 403), (token_of("c", {"m": "CO_HOST"}), 403), (host(), 200), (OPERATOR, 200)):
            got, told, _ = await calls.call("GET", path, token=token)
            assert got == status
            assert status == 200 or told["code"] == "forbidden"


async def test_a_list_is_shown_while_storage_is_away(calls: Calls) -> None:
    live = await calls.start("m")
    await calls.in_state(live, "active")
    calls.storage_trouble = StorageUnavailable("asleep")
    (item,) = (await calls.read("/meetings/m/recordings?include=playback"))["items"]
    assert (item["id"], item["playback"]) == (live["id"], {"items": []})
