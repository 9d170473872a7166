"""Every kind of trouble on every call (api.md 7): what the caller gets, and whether it was done all the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from clients.agora.simulator import gateway
from clients.agora.simulator.faults import CALLS, KINDS
from tests.fakes.studio import BASE, Bench, Take
from tests.integration.conftest import Begin
from tests.waiting import eventually

RULES = "/dev/v1/kicking-rule"
ANSWERS = {
    "http_429": (429, "API rate limit exceeded"),
    "http_500": (500, "internal_error"),
    "http_502_html": (502, "<html>"),
    "http_503": (503, "service unavailable"),
    "code_65": (206, "request not completed"),
    "garbage": (200, "['what'"),
}
CUT = ("request_lost", "answer_lost", "late")
DONE = ("answer_lost", "slow", "garbage", "late")


@dataclass(frozen=True)
class Subject:
    """A call, and how to see whether it was done (None: it changes nothing)."""

    ask: Callable[[], Awaitable[tuple[int, Any]]]
    done: Callable[[], Awaitable[bool]] | None


class Stage:
    """Subjects on a bench, each with names of its own."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._number = 100

    async def subject(self, call: str) -> Subject:
        self._number += 1
        uid = str(self._number)
        match call:
            case "start":
                return await self._start(uid)
            case "rule":
                return self._rule(uid)
            case "acquire":
                body = {"cname": "m-1", "uid": uid, "clientRequest": {}}
                return Subject(lambda: self._bench.ask("POST", f"{BASE}/acquire", body), None)
            case "users":
                return Subject(lambda: self._bench.ask("GET", "/dev/v1/channel/user/app/m-1"), None)
            case _:
                return self._of_session(call, await self._bench.record(uid=uid))

    async def _start(self, uid: str) -> Subject:
        resource = await self._bench.acquire(uid=uid)

        async def done() -> bool:
            _, told = await self._bench.ask("GET", "/_simulator/sessions")
            return any(item["uid"] == uid for item in told["items"])

        return Subject(lambda: self._bench.begin(resource, uid=uid), done)

    def _rule(self, uid: str) -> Subject:
        rule = {"appid": "app", "cname": "elsewhere", "uid": int(uid), "privileges": ["join_channel"]}

        async def done() -> bool:
            _, told = await self._bench.ask("GET", f"{RULES}?appid=app")
            return any(item["uid"] == int(uid) for item in told["rules"])

        return Subject(lambda: self._bench.ask("POST", RULES, rule), done)

    def _of_session(self, call: str, take: Take) -> Subject:
        async def stopped() -> bool:
            return (await self._bench.shown(take.sid))["exitReason"] == "stopped"

        if call == "query":
            return Subject(take.query, None)
        if call == "stop":
            return Subject(lambda: take.stop(async_stop=True), stopped)
        body = {"cname": take.cname, "uid": take.uid, "clientRequest": {}}
        return Subject(lambda: self._bench.ask("POST", f"{take.path}/{call}", body), None)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_on_each_call(begin: Begin, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(gateway, "LATE_SECONDS_MAX", 0.05)
    monkeypatch.setattr(gateway, "SLOW_SECONDS", (0.01, 0.02))
    bench = await begin()
    stage = Stage(bench)
    for call in CALLS:
        subject = await stage.subject(call)
        await bench.ask("PUT", "/_simulator/faults", {f"{call}.{kind}": 1})
        await expect(kind, subject)
        await bench.ask("PUT", "/_simulator/faults", {})
        _, info = await bench.ask("GET", "/_simulator/info")
        assert info["fired"][f"{call}.{kind}"] >= 1
        if subject.done is not None and kind in DONE:
            await eventually(subject.done)
        elif subject.done is not None and kind != "code_65":
            assert not await subject.done(), call


async def expect(kind: str, subject: Subject) -> None:
    """Ask, and get what that kind of trouble gives."""
    if kind in CUT:
        with pytest.raises(aiohttp.ClientError):
            await subject.ask()
        return
    status, told = await subject.ask()
    wanted, words = ANSWERS.get(kind, (200, ""))
    assert status == wanted
    assert words in str(told)
