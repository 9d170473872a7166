"""The client over HTTP against the simulator in trouble: each fault of the catalogue, and what the core is told of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from actors.domain.effects import AgoraAcquire, AgoraQuery, AgoraStart, AgoraStop
from actors.domain.ids import RecordingId
from actors.domain.model import FailureCode, Layout, RecordingSpec
from actors.domain.outcomes import (
    AlreadyRunning,
    Ambiguous,
    Done,
    Leaving,
    NotFound,
    NothingRecorded,
    Outcome,
    Rejected,
    ResourceUnusable,
    RetryLater,
    Started,
)
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import LocalTarget, layout_request, subscription
from tests.fakes.budget import Unlimited
from tests.fakes.studio import Bench, Clock
from tests.integration.conftest import Begin

NAMES: dict[str, Any] = {"recording_id": RecordingId("r"), "attempt": 1}
ROOM: dict[str, Any] = {"channel_name": "room", "uid": "42"}
CAPTURE_SECONDS = 2
"""So much is there to be kept when a call is made about a session."""


class Line:
    """A recorder on a simulator, and the calls of one attempt."""

    def __init__(self, bench: Bench, http: aiohttp.ClientSession, clock: Clock, secret: str = "s") -> None:
        url = str(bench.server.make_url("/"))
        account = AgoraAccount(base_url=url, app_id="app", customer_id="c", customer_secret=secret)
        self.client = AgoraClient(http, account, Unlimited())
        self._recorder = AgoraRecorder(self.client, LocalTarget(), "app")
        self._bench, self._clock = bench, clock
        self.resource_id = "res"
        self.sid = "0" * 32

    async def faults(self, **rates: float) -> None:
        """Switch to these: `start_answer_lost=1` is `start.answer_lost`."""
        told = {name.replace("_", ".", 1): rate for name, rate in rates.items()}
        status, _ = await self._bench.ask("PUT", "/_simulator/faults", told)
        assert status == 200

    async def acquire(self) -> Outcome[Any]:
        outcome = await self._recorder.acquire(AgoraAcquire(**ROOM, **NAMES))
        if isinstance(outcome, Done):
            self.resource_id = outcome.value.resource_id
        return outcome

    async def start(self) -> Outcome[Any]:
        spec = RecordingSpec(channel_name="room")
        call = AgoraStart(resource_id=self.resource_id, spec=spec, prefix=("p",), **ROOM, **NAMES)
        outcome = await self._recorder.start(call)
        if isinstance(outcome, Done) and isinstance(outcome.value, Started):
            self.sid = outcome.value.sid
        return outcome

    async def query(self) -> Outcome[Any]:
        return await self._recorder.query(AgoraQuery(resource_id=self.resource_id, sid=self.sid, **NAMES))

    async def stop(self) -> Outcome[Any]:
        return await self._recorder.stop(AgoraStop(resource_id=self.resource_id, sid=self.sid, **ROOM, **NAMES))

    async def up_to(self, call: str) -> Callable[[], Awaitable[Outcome[Any]]]:
        """All calls before this one, and this one to be made."""
        calls = [self.acquire, self.start, self.query, self.stop]
        names = [each.__name__ for each in calls]
        for each in calls[: names.index(call)]:
            assert isinstance(await each(), Done)
        self._clock.ahead += CAPTURE_SECONDS
        return calls[names.index(call)]


@pytest_asyncio.fixture
async def line(begin: Begin) -> AsyncIterator[Line]:
    clock = Clock()
    bench = await begin(now=clock)
    async with aiohttp.ClientSession() as http:
        yield Line(bench, http, clock)


UNCLEAR = ("request_lost", "answer_lost", "http_500", "http_502_html", "http_503", "code_65", "garbage")


@pytest.mark.parametrize("kind", UNCLEAR)
@pytest.mark.parametrize("call", ["start", "query", "stop"])
async def test_what_may_have_been_done_is_ambiguous(line: Line, call: str, kind: str) -> None:
    ask = await line.up_to(call)
    await line.faults(**{f"{call}_{kind}": 1})
    assert isinstance(await ask(), Ambiguous)


@pytest.mark.parametrize("kind", ["request_lost", "answer_lost", "http_500", "http_502_html", "http_503"])
async def test_an_acquire_can_simply_be_sent_again(line: Line, kind: str) -> None:
    await line.faults(**{f"acquire_{kind}": 1})
    later = await line.acquire()
    assert isinstance(later, RetryLater)
    assert later.failure.code is FailureCode.PROVIDER_UNAVAILABLE


@pytest.mark.parametrize("call", ["acquire", "start", "query", "stop"])
async def test_too_many_requests_are_for_later(line: Line, call: str) -> None:
    ask = await line.up_to(call)
    await line.faults(**{f"{call}_http_429": 1})
    assert isinstance(await ask(), RetryLater)


@pytest.mark.parametrize(
    ("call", "fault", "value"),
    [
        ("start", "start_code_7", AlreadyRunning),
        ("start", "start_code_53", AlreadyRunning),
        ("start", "start_code_433", ResourceUnusable),
        ("query", "query_http_404", NotFound),
        ("stop", "stop_code_49", Leaving),
        ("stop", "stop_code_435", NothingRecorded),
    ],
)
async def test_answers_that_are_facts(line: Line, call: str, fault: str, value: type) -> None:
    ask = await line.up_to(call)
    await line.faults(**{fault: 1})
    outcome = await ask()
    assert isinstance(outcome, Done)
    assert isinstance(outcome.value, value)


async def test_a_stop_that_waits_for_files_too_long_is_ambiguous(line: Line) -> None:
    ask = await line.up_to("stop")
    await line.faults(stop_code_50=1)
    assert isinstance(await ask(), Ambiguous)


async def test_a_start_whose_answer_was_lost_is_found_running(line: Line) -> None:
    await line.acquire()
    await line.faults(start_answer_lost=1)
    assert isinstance(await line.start(), Ambiguous)
    await line.faults()
    assert await line.start() == Done(AlreadyRunning(7))


async def test_a_start_that_was_lost_itself_can_be_sent_again(line: Line) -> None:
    await line.acquire()
    await line.faults(start_request_lost=1)
    assert isinstance(await line.start(), Ambiguous)
    await line.faults()
    outcome = await line.start()
    assert isinstance(outcome, Done)
    assert isinstance(outcome.value, Started)


async def test_a_stop_whose_answer_was_lost_has_stopped_it(line: Line) -> None:
    stop = await line.up_to("stop")
    await line.faults(stop_answer_lost=1)
    assert isinstance(await stop(), Ambiguous)
    await line.faults()
    assert await stop() == Done(Leaving())


async def test_wrong_credentials(begin: Begin) -> None:
    bench = await begin(app_id="app", customer_id="c", customer_secret="right")
    async with aiohttp.ClientSession() as http:
        refused = await Line(bench, http, Clock(), secret="wrong").acquire()
        assert isinstance(refused, Rejected)
        assert refused.failure.code is FailureCode.PROVIDER_UNAUTHORIZED
        assert isinstance(await Line(bench, http, Clock(), secret="right").acquire(), Done)


async def test_no_recorder_is_left(begin: Begin) -> None:
    bench = await begin(max_recorders=1)
    async with aiohttp.ClientSession() as http:
        line = Line(bench, http, Clock())
        await line.up_to("query")
        later = await line.acquire()
    assert isinstance(later, RetryLater)
    assert later.failure.code is FailureCode.CAPACITY


async def test_a_service_that_is_not_there(begin: Begin) -> None:
    bench = await begin()
    async with aiohttp.ClientSession() as http:
        line = Line(bench, http, Clock())
        await bench.server.close()
        assert isinstance(await line.start(), RetryLater)


async def test_lists_and_layout_can_be_changed(line: Line) -> None:
    await line.up_to("query")
    names = {"cname": "room", "uid": "42"}
    lists = {"streamSubscribe": {"audioUidList": subscription(("1", "2"), None, video=False)}}
    changed = await line.client.update(line.resource_id, line.sid, {**names, "clientRequest": lists})
    assert (changed.status, changed.body["sid"]) == (200, line.sid)
    layout = layout_request(Layout("vertical", "7", "#112233"))
    changed = await line.client.update_layout(line.resource_id, line.sid, {**names, "clientRequest": layout})
    assert (changed.status, changed.body["sid"]) == (200, line.sid)


async def test_the_senders_of_notifications_are_told(line: Line) -> None:
    answer = await line.client.sender_addresses()
    assert answer.body["data"]["service"]["hosts"] == [{"primaryIP": "127.0.0.1"}]
