"""Kicking rules over HTTP: made, listed, changed, ended; what they do to recorders and people (channel management 1, 5)."""

from datetime import datetime
from typing import Any

import aiohttp
import pytest

from tests.fakes.studio import BASE, Bench, Clock, Receiver, Take
from tests.integration.conftest import Begin
from tests.waiting import eventually

RULES = "/dev/v1/kicking-rule"
APP = {"appid": "app"}
NOW = 1_767_225_600.0
"""2026-01-01T00:00:00Z"""


async def ban(bench: Bench, **rule: Any) -> int:
    """Make a rule; its number."""
    body = {**APP, "cname": "m-1", "privileges": ["join_channel"], **rule}
    status, told = await bench.ask("POST", RULES, body)
    assert (status, told["status"]) == (200, "success"), told
    return int(told["id"])


async def listed(bench: Bench, app: str = "app") -> list[dict[str, Any]]:
    status, told = await bench.ask("GET", f"{RULES}?appid={app}")
    assert (status, told["status"]) == (200, "success")
    return list(told["rules"])


async def left(take: Take) -> dict[str, Any]:
    """The session as it is shown once its recorder is out."""

    async def shown() -> dict[str, Any] | None:
        found = await take.bench.shown(take.sid)
        return found if found["endedAt"] else None

    return await eventually(shown) or {}


async def test_vectors_of_the_reference(begin: Begin) -> None:
    bench = await begin(now=lambda: NOW)
    number = await ban(bench, cname="room-7", uid=900_000_017, time_in_seconds=86_430)
    (one,) = await listed(bench)
    assert one == {
        "id": number,
        "appid": "app",
        "uid": 900_000_017,
        "opid": one["opid"],
        "cname": "room-7",
        "ip": None,
        "ts": "2026-01-02T00:00:30.000Z",
        "privileges": ["join_channel"],
        "createAt": "2026-01-01T00:00:00.000Z",
        "updateAt": "2026-01-01T08:00:00.000Z",
    }
    assert isinstance(one["opid"], int)
    changed = await bench.ask("PUT", RULES, {**APP, "id": number, "time": 30})
    assert changed == (200, {"status": "success", "result": {"id": number, "ts": "2026-01-01T00:30:00.000Z"}})
    assert (await listed(bench))[0]["ts"] == "2026-01-01T00:30:00.000Z"
    assert await bench.ask("DELETE", RULES, {**APP, "id": number}) == (200, {"status": "success", "id": number})
    assert await listed(bench) == []
    assert await ban(bench, uid=5) == number + 1


async def test_banned_recorder_leaves_after_the_delay_and_no_other_does(
    begin: Begin, receiver: tuple[Receiver, str]
) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock, rule_delay_seconds=0.4)
    take = await bench.record()
    beside, elsewhere = await bench.record(uid="78"), await bench.record("m-2")
    await take.has_slices(1)
    assert await ban(bench, uid=77) == 1
    (rule,) = await listed(bench)
    shown = await left(take)
    assert shown["exitReason"] == "banned"
    waited = datetime.fromisoformat(shown["endedAt"]) - datetime.fromisoformat(rule["createAt"])
    assert waited.total_seconds() == pytest.approx(0.4, abs=0.002)
    await hook.has(take.sid, 41, 31, 11)
    told = {event["eventType"]: event["payload"]["details"] for event in hook.events(take.sid)}
    assert (told[41]["leaveCode"], told[11]["exitStatus"]) == (8, 0)
    assert (await take.stop())[1]["code"] == 49
    clock.ahead = 30.0
    assert (await take.stop())[0] == (await take.query())[0] == 404
    for other in (beside, elsewhere):
        assert (await other.query())[0] == 200
    _, people = await bench.ask("GET", "/_simulator/channels/m-1")
    assert people == {"users": ["1001", "1002"]}


async def test_start_under_a_ban_is_accepted_and_never_joins(begin: Begin, receiver: tuple[Receiver, str]) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock, rule_delay_seconds=0.0)
    resource = await bench.acquire()
    await ban(bench, uid=77, time_in_seconds=60)
    status, told = await bench.begin(resource)
    assert status == 200
    take = Take(bench, resource, told["sid"], "m-1", "77")
    assert (await take.query())[1]["code"] == (await take.stop())[1]["code"] == 404
    shown = await bench.shown(take.sid)
    assert (shown["exitReason"], shown["files"], shown["endedAt"]) == ("join refused", [], shown["startedAt"])
    await hook.has(take.sid, 1, 41, 11)
    events = {event["eventType"]: event["payload"]["details"] for event in hook.events(take.sid)}
    assert set(events) == {1, 41, 11}
    assert (events[1]["module"], events[1]["errorLevel"], events[41]["leaveCode"]) == (0, 5, 0)
    assert events[11]["exitStatus"] == 1
    assert (await (await bench.record(uid="78")).query())[0] == 200
    clock.ahead = 61.0  # the rule is over
    assert (await (await bench.record()).query())[0] == 200


async def test_start_before_the_delay_is_over_joins_and_is_put_out(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock, rule_delay_seconds=30.0)
    await ban(bench, uid=77)
    take = await bench.record()
    assert (await take.query())[0] == 200
    clock.ahead = 31.0
    await ban(bench, uid=5)  # makes it look at the clock
    assert (await left(take))["exitReason"] == "banned"


async def test_ended_rule_does_not_strike(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock, rule_delay_seconds=30.0)
    take = await bench.record()
    gone, off, kick = await ban(bench, uid=77), await ban(bench, uid=77), await ban(bench, uid=78)
    await bench.ask("DELETE", RULES, {**APP, "id": gone})
    await bench.ask("PUT", RULES, {**APP, "id": off, "time": 0})
    beside = await bench.record(uid="78")
    clock.ahead = 31.0
    last = await ban(bench, uid=5)  # makes it look at the clock
    assert (await left(beside))["exitReason"] == "banned"
    assert (await take.query())[0] == 200
    assert [rule["id"] for rule in await listed(bench)] == [kick, last]


async def test_no_time_kicks_once_and_leaves_no_rule(begin: Begin) -> None:
    bench = await begin(rule_delay_seconds=0.1)
    take = await bench.record()
    await ban(bench, uid=77, time=0)
    assert await listed(bench) == []
    assert (await left(take))["exitReason"] == "banned"
    assert (await (await bench.record()).query())[0] == 200


async def test_rule_without_a_uid_empties_the_channel(begin: Begin) -> None:
    bench = await begin(rule_delay_seconds=0.1)
    take, elsewhere = await bench.record(), await bench.record("m-2")
    await ban(bench)
    assert (await left(take))["exitReason"] == "banned"

    async def empty() -> bool:
        return (await bench.ask("GET", "/_simulator/channels/m-1"))[1] == {"users": []}

    await eventually(empty)
    assert await bench.ask("PUT", "/_simulator/channels/m-1", {"users": [5]}) == (200, {"users": []})
    assert (await elsewhere.query())[0] == 200
    assert await bench.ask("PUT", "/_simulator/channels/m-2", {"users": [5]}) == (200, {"users": ["5"]})


async def test_rule_without_a_channel_is_for_all(begin: Begin) -> None:
    bench = await begin(rule_delay_seconds=0.1)
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": [42, 43]})
    take = await bench.record("m-2", "42")
    await ban(bench, cname=None, uid=42)
    assert (await left(take))["exitReason"] == "banned"

    async def alone() -> bool:
        return (await bench.ask("GET", "/_simulator/channels/m-1"))[1] == {"users": ["43"]}

    await eventually(alone)


async def test_rule_is_of_one_app(begin: Begin) -> None:
    bench = await begin(rule_delay_seconds=0.0)
    number = await ban(bench, appid="other", uid=77)
    assert [rule["id"] for rule in await listed(bench, "other")] == [number]
    assert await listed(bench) == []
    assert (await bench.ask("DELETE", RULES, {**APP, "id": number}))[0] == 404
    assert (await (await bench.record()).query())[0] == 200


async def test_rule_strikes_though_the_simulator_died(begin: Begin) -> None:
    """And before its people leave and the idle limit comes, since it would have been first."""
    first = await begin(rule_delay_seconds=5.0, people_seconds=8.0)
    take = await first.record(recording={"maxIdleTime": 5})
    await take.has_slices(1)
    await ban(first, uid=77, time_in_seconds=120)
    (rule,) = await listed(first)
    await first.stop()
    take.bench = await begin(rule_delay_seconds=5.0, people_seconds=8.0, ahead=60.0)
    shown = await take.bench.shown(take.sid)
    waited = datetime.fromisoformat(shown["endedAt"]) - datetime.fromisoformat(rule["createAt"])
    assert (shown["exitReason"], waited.total_seconds()) == ("banned", 5.0)
    assert [item["id"] for item in await listed(take.bench)] == [rule["id"]]


async def test_refusals(begin: Begin) -> None:
    bench = await begin(app_id="app", customer_id="customer", customer_secret="secret")
    rule = {**APP, "cname": "m-1", "uid": 77, "privileges": ["join_channel"]}
    stranger = (401, {"message": "Invalid authentication credentials"})
    for method, body, refusal in (
        ("POST", {**rule, "appid": ""}, (400, {"message": "invalid appid"})),
        ("POST", {**rule, "time": -1}, (400, {"message": "invalid time"})),
        ("POST", {**rule, "appid": "other"}, stranger),
        ("POST", b"{", (400, {"message": "the body is not JSON"})),
        ("POST", [], 400),
        ("PUT", {**APP, "id": 5}, (404, {"message": "there is no such rule"})),
        ("PUT", {**APP, "id": "x"}, (400, {"message": "invalid id"})),
        ("DELETE", {**APP, "id": 5}, (404, {"message": "there is no such rule"})),
        ("DELETE", APP, (400, {"message": "invalid id"})),
        ("PATCH", rule, (404, {"message": "no Route matched with those values"})),
    ):
        answer = await bench.ask(method, RULES, body)
        assert refusal in (answer, answer[0]), (method, body, answer)
    assert await bench.ask("POST", RULES, rule, auth=None) == (401, {"message": "Unauthorized"})
    assert await bench.ask("GET", RULES) == (400, {"message": "invalid appid"})
    assert await bench.ask("GET", f"{RULES}?appid=other") == stranger
    assert await listed(bench) == []


async def test_content_type_is_json(begin: Begin) -> None:
    bench = await begin()
    assert bench._http is not None
    for method in ("POST", "PUT", "DELETE"):
        headers = {"Authorization": "Basic YTpi", "Content-Type": "text/plain"}
        async with bench._http.request(method, bench.server.make_url(RULES), data=b"{}", headers=headers) as answer:
            assert answer.status == 415


async def test_rate_is_of_the_account(begin: Begin) -> None:
    bench = await begin(rules_per_second=2, now=lambda: NOW)
    paths = [f"{RULES}?appid={app}" for app in ("app", "other", "third")]
    assert [(await bench.ask("GET", path))[0] for path in paths] == [200, 200, 429]
    assert (await bench.ask("GET", paths[0], auth="Basic eDp5"))[0] == 200
    assert (await bench.ask("POST", f"{BASE}/acquire", {"cname": "m", "uid": "7", "clientRequest": {}}))[0] == 200


async def test_lost_answer_left_a_rule_and_a_lost_request_none(begin: Begin) -> None:
    bench = await begin(rule_delay_seconds=0.0, faults={"rule.answer_lost": 1})
    take = await bench.record()
    with pytest.raises(aiohttp.ClientError):
        await ban(bench, uid=77)
    await bench.ask("PUT", "/_simulator/faults", {"rule.request_lost": 1})
    with pytest.raises(aiohttp.ClientError):
        await ban(bench, uid=78)
    await bench.ask("PUT", "/_simulator/faults", {})
    assert [rule["uid"] for rule in await listed(bench)] == [77]
    assert (await left(take))["exitReason"] == "banned"
