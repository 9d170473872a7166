"""Kicking rules and lists of users: what goes out, and above all what never does."""

from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from aioresponses import aioresponses

from actors.domain.effects import AgoraBan, AgoraMembers
from actors.domain.ids import RecordingId
from actors.domain.model import FailureCode
from actors.domain.outcomes import Ambiguous, Banned, Done, Members, Rejected, RetryLater
from clients.agora.banning import names_one, rule_body
from clients.agora.client import AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import LocalTarget
from tests.unit.agora.test_client import Budget, Response, account_at

RULES = "https://agora.test/dev/v1/kicking-rule"
NAMES: dict[str, Any] = {"recording_id": RecordingId("r"), "attempt": 1, "channel_name": "room 7/ü"}
BAN = AgoraBan(uid="900000017", seconds=86_400, **NAMES)
LOOK = AgoraMembers(**NAMES)


class Line:
    """A recorder, and what it sent."""

    def __init__(self, http: aiohttp.ClientSession, mock: aioresponses) -> None:
        self.budget = Budget()
        self.client = AgoraClient(http, account_at("https://agora.test"), self.budget)
        self.recorder = AgoraRecorder(self.client, LocalTarget(), "app")
        self._mock = mock

    @property
    def sent(self) -> list[Any]:
        return [call.kwargs for calls in self._mock.requests.values() for call in calls]


@pytest.fixture
async def http() -> Any:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_ban_is_a_rule_for_one_uid_in_one_channel(http: aiohttp.ClientSession) -> None:
    with aioresponses() as mock:
        line = Line(http, mock)
        mock.post(RULES, payload={"status": "success", "id": 70001}, response_class=Response)
        assert await line.recorder.ban(BAN) == Done(Banned("70001"))
        (sent,) = line.sent
    assert orjson.loads(sent["data"]) == {
        "appid": "app",
        "cname": "room 7/ü",
        "uid": 900000017,
        "time_in_seconds": 86_400,
        "privileges": ["join_channel"],
    }
    assert sent["timeout"].total == 25
    assert line.budget.calls == ["rule"]


@pytest.mark.parametrize(
    ("seconds", "sent"), [(-5, 10), (0, 10), (9, 10), (600, 600), (86_430, 86_430), (10**9, 86_430)]
)
def test_a_rule_stands_as_long_as_the_service_lets_it(seconds: int, sent: int) -> None:
    assert rule_body("app", "room", "7", seconds)["time_in_seconds"] == sent


@pytest.mark.parametrize("uid", ["", "0", "-1", "4294967296", "1.5", " 7", "7\n", "0x7", "\u0663", "9" * 5000, "None"])
async def test_a_ban_that_names_nobody_is_never_sent(http: aiohttp.ClientSession, uid: str) -> None:
    with aioresponses() as mock:
        line = Line(http, mock)
        refused = await line.recorder.ban(replace(BAN, uid=uid))
        assert not line.sent
    assert isinstance(refused, Rejected)
    assert refused.failure.code is FailureCode.PROVIDER_REJECTED
    assert line.budget.calls == []


async def test_neither_is_one_without_a_channel(http: aiohttp.ClientSession) -> None:
    with aioresponses() as mock:
        line = Line(http, mock)
        assert isinstance(await line.recorder.ban(replace(BAN, channel_name="")), Rejected)
        assert isinstance(await line.recorder.members(replace(LOOK, channel_name="")), Rejected)
        assert not line.sent


@pytest.mark.parametrize("lost", ["uid", "cname"])
async def test_a_body_that_lost_its_names_stops_at_the_last_look(http: aiohttp.ClientSession, lost: str) -> None:
    body = rule_body("app", "room", "7", 600)
    del body[lost]
    with aioresponses() as mock:
        line = Line(http, mock)
        with pytest.raises(ValueError, match="everybody"):
            await line.client.make_rule(body)
        assert not line.sent
    assert line.budget.calls == []


@pytest.mark.parametrize("uid", [None, 0, -1, "7", 2**32, 1.0, [7]])
def test_the_last_look_wants_a_number(uid: Any) -> None:
    assert names_one(orjson.dumps({"cname": "room", "uid": 7}))
    assert not names_one(orjson.dumps({"cname": "room", "uid": uid}))
    assert not names_one(orjson.dumps({"cname": uid, "uid": 7})) or uid == "7"


@pytest.mark.parametrize("error", [TimeoutError(), aiohttp.ServerDisconnectedError()])
async def test_a_rule_without_an_answer_may_have_been_made(http: aiohttp.ClientSession, error: Exception) -> None:
    with aioresponses() as mock:
        line = Line(http, mock)
        mock.post(RULES, exception=error)
        assert isinstance(await line.recorder.ban(BAN), Ambiguous)


async def test_without_a_place_in_the_budget_there_is_no_rule(http: aiohttp.ClientSession) -> None:
    with aioresponses() as mock:
        line = Line(http, mock)
        line.budget.away = True
        assert isinstance(await line.recorder.ban(BAN), RetryLater)
        assert not line.sent


async def test_the_users_of_a_channel_have_a_path_of_their_own(http: aiohttp.ClientSession) -> None:
    with aioresponses() as mock:
        line = Line(http, mock)
        url = "https://agora.test/dev/v1/channel/user/app/room%207%2F%C3%BC"
        body = {"success": True, "data": {"channel_exist": True, "mode": 2, "broadcasters": [42], "audience": [7]}}
        mock.get(url, payload=body, response_class=Response)
        assert await line.recorder.members(LOOK) == Done(Members(("42", "7"), ("42",)))
    assert line.budget.calls == ["users"]
