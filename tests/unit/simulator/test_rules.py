"""Kicking rules: what is taken, for how long they stand, whom they match (channel management 1.2 and its test vectors)."""

from pathlib import Path
from typing import Any

import pytest

from clients.agora.simulator.rules import Rule, Rules
from clients.agora.simulator.rulewire import NewRule, read
from clients.agora.simulator.state import State
from clients.agora.simulator.wire import Refused

APP = "0123456789abcdef0123456789abcdef"
RECORDER = "900000017"


def wanted(**changes: Any) -> NewRule:
    body = {"appid": APP, "cname": "room-7", "uid": 900_000_017, "privileges": ["join_channel"], **changes}
    return read(NewRule, {name: value for name, value in body.items() if value != "none"})


def rule(**changes: Any) -> Rule:
    told = {"cname": "room-7", "uid": RECORDER, "ip": None, "privileges": ["join_channel"], **changes}
    times = {"created_at": 0, "updated_at": 0, "strikes_at": 1_000, "expires_at": 10_000}
    return Rule(**{"id": 1, "app_id": APP, **times, **told})


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"time": 0.5}, 60),
        ({"time": 2000}, 86_400),
        ({"time": 1.5}, 90),
        ({"time_in_seconds": 3}, 10),
        ({"time_in_seconds": 100_000}, 86_430),
        ({"time": 60, "time_in_seconds": 30}, 30),
        ({}, 3_600),
        ({"time": 0}, 0),
        ({"time_in_seconds": 0}, 0),
        ({"time": 60, "time_in_seconds": 0}, 0),
    ],
)
def test_time_is_clamped(given: dict[str, float], seconds: float) -> None:
    assert wanted(**given).seconds == seconds


@pytest.mark.parametrize(
    ("given", "cname", "uid", "ip"),
    [
        ({"uid": 42}, "room-7", "42", None),
        ({"uid": "42"}, "room-7", "42", None),
        ({"uid": 2**32 - 1}, "room-7", str(2**32 - 1), None),
        ({"uid": 0}, "room-7", None, None),
        ({"uid": None, "ip": ""}, "room-7", None, None),
        ({"uid": "none"}, "room-7", None, None),
        ({"cname": "none"}, None, RECORDER, None),
        ({"cname": "none", "uid": "none", "ip": "192.0.2.1"}, None, None, "192.0.2.1"),
        ({"privileges": ["publish_audio", "publish_video"], "more": 1}, "room-7", RECORDER, None),
    ],
)
def test_filters(given: dict[str, Any], cname: str | None, uid: str | None, ip: str | None) -> None:
    made = wanted(**given)
    assert (made.cname, made.uid, made.ip) == (cname, uid, ip)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"appid": "none"}, "appid"),
        ({"appid": ""}, "appid"),
        ({"appid": 5}, "appid"),
        ({"cname": ""}, "cname"),
        ({"cname": "ü"}, "cname"),
        ({"uid": -1}, "uid"),
        ({"uid": 2**32}, "uid"),
        ({"uid": 4.5}, "uid"),
        ({"uid": True}, "uid"),
        ({"uid": False}, "uid"),
        ({"uid": "me"}, "uid"),
        ({"ip": "0"}, "ip"),
        ({"time": -1}, "time"),
        ({"time": "60"}, "time"),
        ({"time_in_seconds": True}, "time_in_seconds"),
        ({"privileges": []}, "privileges"),
        ({"privileges": "none"}, "privileges"),
        ({"privileges": ["fly"]}, "privileges.0"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        wanted(**given)
    assert (caught.value.status, caught.value.code, caught.value.reason) == (400, None, f"invalid {field}")


@pytest.mark.parametrize(
    "given", [{"cname": "none", "uid": 0}, {"ip": "192.0.2.1"}, {"ip": "192.0.2.1", "cname": "none"}]
)
def test_undocumented_filters_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="give ip, or cname, or uid, or cname and uid"):
        wanted(**given)


@pytest.mark.parametrize(
    ("one", "cname", "uid", "matches"),
    [
        (rule(), "room-7", RECORDER, True),
        (rule(), "room-8", RECORDER, False),
        (rule(), "room-7", "42", False),
        (rule(uid=None), "room-7", RECORDER, True),
        (rule(uid=None), "room-7", "42", True),
        (rule(uid=None), "room-8", "42", False),
        (rule(cname=None, uid="42"), "room-7", "42", True),
        (rule(cname=None, uid="42"), "room-8", "42", True),
        (rule(cname=None, uid="42"), "room-8", "43", False),
        (rule(cname=None, uid=None, ip="192.0.2.1"), "room-7", "42", False),
        (rule(privileges=["publish_audio"]), "room-7", RECORDER, False),
    ],
)
def test_whom_a_rule_matches(one: Rule, cname: str, uid: str, matches: bool) -> None:
    assert one.matches(APP, cname, uid) is matches
    assert one.matches(None, cname, uid) is matches  # people are there under every App ID
    assert one.matches("another", cname, uid) is False


def test_joins_are_refused_from_the_strike_to_the_end() -> None:
    assert [rule().refuses_at(at) for at in (0, 999, 1_000, 9_999, 10_000)] == [False, False, True, True, False]
    assert not rule(expires_at=0).refuses_at(1_000)


def test_rules_survive_and_their_numbers_ascend(tmp_path: Path) -> None:
    state = State(tmp_path)
    rules = Rules(state)
    first = rule(id=rules.next_id())
    rules.keep(first)
    rules.remove(first)
    second = rule(id=rules.next_id(), strikes_at=2_000)
    rules.keep(second)
    third = rule(id=rules.next_id())
    rules.keep(third)
    again = Rules(State(tmp_path))
    assert (first.id, second.id, third.id, again.next_id()) == (1, 2, 3, 4)
    assert again.standing(APP, 5_000) == [second, third]
    assert again.standing(APP, 10_000) == again.standing("another", 5_000) == []
    assert again.due(1_999) == [third]
    assert again.due(2_000) == [third, second]
    assert again.next_strike() == 1_000
    third.struck = True
    again.keep(third)
    again.sweep(10_000)  # the other one is still to strike
    assert Rules(state).due(2_000) == [second]
    assert not again.refuse(APP, "room-7", RECORDER, 1_500)
    assert again.refuse(APP, "room-7", RECORDER, 2_000)
    state.close()
