"""Who is in a channel, as the service's lists say, a moment late (channel management 2 and its test vectors)."""

from typing import Any

import aiohttp
import pytest

from tests.fakes.studio import Bench, Clock
from tests.integration.conftest import Begin
from tests.waiting import eventually

ROOM, RECORDER = "room-7", "900000017"
COMMUNICATION, LIVE = {"channelType": 0}, {"channelType": 1}
NOTHING = {"channel_exist": False}


async def look(bench: Bench, path: str, app: str = "app") -> Any:
    status, told = await bench.ask("GET", f"/dev/v1/channel/{path.replace('APP', app)}")
    assert (status, told["success"]) == (200, True), told
    return told["data"]


async def put(bench: Bench, cname: str, *users: int) -> None:
    assert (await bench.ask("PUT", f"/_simulator/channels/{cname}", {"users": list(users)}))[0] == 200


async def test_communication(begin: Begin) -> None:
    bench = await begin(list_lag_seconds=0.0)
    await put(bench, ROOM, 42)
    assert await look(bench, f"user/APP/{ROOM}") == {"channel_exist": True, "mode": 1, "total": 1, "users": [42]}
    await bench.record(ROOM, RECORDER, recording=COMMUNICATION)
    assert await look(bench, f"user/APP/{ROOM}") == {
        "channel_exist": True,
        "mode": 1,
        "total": 2,
        "users": [42, 900_000_017],
    }
    assert await look(bench, f"user/APP/{ROOM}/hosts_only") == NOTHING
    assert (await look(bench, f"user/property/APP/42/{ROOM}"))["role"] == 1


async def test_live_until_nobody_is_left(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(list_lag_seconds=0.0, now=clock)
    await put(bench, ROOM, 42)
    started = int(clock())
    take = await bench.record(ROOM, RECORDER, recording=LIVE)
    await take.has_slices(1)
    live = {"channel_exist": True, "mode": 2, "audience": [900_000_017], "audience_total": 1}
    assert await look(bench, f"user/APP/{ROOM}") == {**live, "broadcasters": [42]}
    assert await look(bench, f"user/APP/{ROOM}/hosts_only") == {
        "channel_exist": True,
        "mode": 2,
        "broadcasters": [42],
    }
    status = await look(bench, f"user/property/APP/{RECORDER}/{ROOM}")
    assert started <= status.pop("join") <= clock()
    assert status == {"uid": 900_000_017, "in_channel": True, "platform": 6, "role": 3}
    human = await look(bench, f"user/property/APP/42/{ROOM}")
    assert (human["platform"], human["role"]) == (7, 2)
    assert await look(bench, f"user/property/APP/43/{ROOM}") == {"in_channel": False}
    await put(bench, ROOM)
    assert await look(bench, f"user/APP/{ROOM}") == {**live, "broadcasters": []}
    await take.stop()
    for path in (f"user/APP/{ROOM}", f"user/APP/{ROOM}/hosts_only"):
        assert await look(bench, path) == NOTHING
    assert await look(bench, f"user/property/APP/{RECORDER}/{ROOM}") == {"in_channel": False}


async def test_changes_are_seen_late(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(list_lag_seconds=30.0, now=clock)
    assert (await look(bench, f"user/APP/{ROOM}"))["users"] == [1001, 1002]
    await put(bench, ROOM, 42)
    take = await bench.record(ROOM, RECORDER)
    assert (await look(bench, f"user/APP/{ROOM}"))["users"] == [1001, 1002]
    assert await look(bench, f"user/property/APP/{RECORDER}/{ROOM}") == {"in_channel": False}
    clock.ahead = 31.0
    await take.has_slices(1)
    await take.stop()
    assert (await look(bench, f"user/APP/{ROOM}"))["audience"] == [900_000_017]
    clock.ahead = 62.0
    assert (await look(bench, f"user/APP/{ROOM}"))["users"] == [42]


async def test_banned_recorder_is_seen_until_the_list_catches_up(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(list_lag_seconds=30.0, rule_delay_seconds=0.0, now=clock)
    take = await bench.record(ROOM, RECORDER)
    clock.ahead = 31.0
    rule = {"appid": "app", "cname": ROOM, "uid": 900_000_017, "privileges": ["join_channel"]}
    await bench.ask("POST", "/dev/v1/kicking-rule", rule)

    async def out() -> bool:
        return bool((await bench.shown(take.sid))["endedAt"])

    await eventually(out)
    assert (await look(bench, f"user/APP/{ROOM}"))["audience"] == [900_000_017]
    clock.ahead = 62.0
    assert (await look(bench, f"user/APP/{ROOM}"))["users"] == [1001, 1002]


async def test_channels_by_page_and_app(begin: Begin) -> None:
    bench = await begin(list_lag_seconds=0.0)
    await put(bench, ROOM, 42)
    await put(bench, "empty")
    await bench.record("m-2")
    listed = [{"channel_name": ROOM, "user_count": 1}, {"channel_name": "m-2", "user_count": 3}]
    assert await look(bench, "APP") == {"channels": listed, "total_size": 2}
    assert await look(bench, "APP?page_no=1&page_size=1") == {"channels": listed[1:], "total_size": 2}
    assert await look(bench, "APP?page_no=2&page_size=1") == {"channels": [], "total_size": 2}
    assert await look(bench, "APP", "other") == {"channels": listed[:1], "total_size": 1}
    assert (await look(bench, "user/APP/m-2", "other"))["users"] == [1001, 1002]


async def test_name_of_a_channel_is_one_segment(begin: Begin) -> None:
    bench = await begin(list_lag_seconds=0.0)
    await put(bench, "a%20%3F%23b", 42)
    assert (await look(bench, "user/APP/a%20%3F%23b"))["users"] == [42]
    assert (await look(bench, "user/property/APP/42/a%20%3F%23b"))["in_channel"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("app?page_no=-1", "invalid page_no"),
        ("app?page_no=x", "invalid page_no"),
        ("app?page_size=0", "invalid page_size"),
        ("app?page_size=501", "invalid page_size"),
        ("user/property/app/0/m", "invalid uid"),
        ("user/property/app/me/m", "invalid uid"),
    ],
)
async def test_refusals(begin: Begin, path: str, message: str) -> None:
    bench = await begin()
    assert await bench.ask("GET", f"/dev/v1/channel/{path}") == (400, {"message": message})


async def test_strangers_and_wrong_verbs(begin: Begin) -> None:
    bench = await begin(app_id="app")
    refused = (401, {"message": "Invalid authentication credentials"})
    assert await bench.ask("GET", "/dev/v1/channel/user/other/m") == refused
    assert (await bench.ask("POST", "/dev/v1/channel/user/app/m"))[0] == 404


async def test_rate_is_of_the_account_and_the_list(begin: Begin) -> None:
    bench = await begin(lists_per_second=2, now=lambda: 1_790_000_000.0)
    paths = [f"/dev/v1/channel/user/{app}/{cname}" for app, cname in (("a", "m"), ("b", "n"), ("c", "o"))]
    assert [(await bench.ask("GET", path))[0] for path in paths] == [200, 200, 429]
    assert (await bench.ask("GET", f"{paths[0]}/hosts_only"))[0] == 200
    assert (await bench.ask("GET", paths[0], auth="Basic eDp5"))[0] == 200


async def test_faults_of_lists_have_no_codes(begin: Begin) -> None:
    bench = await begin(faults={"users.http_500": 1})
    path = "/dev/v1/channel/user/app/m"
    assert await bench.ask("GET", path) == (500, {"message": "internal_error"})
    await bench.ask("PUT", "/_simulator/faults", {"users.garbage": 1})
    assert await bench.ask("GET", path) == (200, ["what", {"is": "this"}])
    await bench.ask("PUT", "/_simulator/faults", {"users.request_lost": 1})
    with pytest.raises(aiohttp.ClientError):
        await bench.ask("GET", path)
    _, told = await bench.ask("GET", "/_simulator/requests?limit=1")
    assert [(item["call"], item["status"], item["fault"]) for item in told["items"]] == [
        ("users", None, "users.request_lost")
    ]
    _, info = await bench.ask("GET", "/_simulator/info")
    assert set(info["fired"]) == {"users.http_500", "users.garbage", "users.request_lost"}
