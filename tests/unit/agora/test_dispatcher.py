"""Who gets the next place of the provider's budget, on a virtual clock."""

import asyncio
import itertools
from collections import Counter
from contextlib import suppress

import pytest

from actors.ports import JournalUnavailable
from clients.agora.dispatcher import ORDER, Dispatcher
from clients.agora.observing import Unobserved
from tests.fakes.shell import virtual

RATE = 10.0


class Places:
    """Places at the rate, and those for looking at half of it, as Postgres hands them out."""

    def __init__(self, round_trip: float = 0.001) -> None:
        self._next = {False: 0.0, True: 0.0}
        self._round_trip = round_trip
        self.reserved: Counter[bool] = Counter()
        self.away = False

    async def reserve(self, *, looking: bool) -> float:
        await asyncio.sleep(self._round_trip)
        if self.away:
            raise JournalUnavailable("no connection")
        now = asyncio.get_running_loop().time()
        at = max(now, self._next[looking])
        self._next[looking] = at + (2 if looking else 1) / RATE
        self.reserved[looking] += 1
        return at - now


class Line:
    """Calls on one node, and when each went out."""

    def __init__(self, places: Places | None = None, counts: "Counts | None" = None) -> None:
        self.places = places or Places()
        self.dispatcher = Dispatcher(self.places, counts or Counts())
        self.went: list[tuple[str, float]] = []

    def ask(self, call: str) -> "asyncio.Task[None]":
        async def go() -> None:
            await self.dispatcher.slot(call)
            self.went.append((call, asyncio.get_running_loop().time()))

        return asyncio.create_task(go())

    async def all(self, *calls: str) -> None:
        await asyncio.gather(*map(self.ask, calls))

    @property
    def order(self) -> list[str]:
        return [call for call, _ in self.went]


class Counts(Unobserved):
    def __init__(self) -> None:
        self.most = self.now = 0
        self.waits: list[tuple[str, float]] = []

    def waiting(self, change: int) -> None:
        self.now += change
        self.most = max(self.most, self.now)

    def waited(self, call: str, seconds: float) -> None:
        self.waits.append((call, seconds))


def test_the_most_urgent_goes_first_whoever_came_first() -> None:
    async def story() -> None:
        line = Line()
        await line.all("users", "query", "updateLayout", "rule", "acquire", "start", "stop")
        assert line.order == ["stop", "acquire", "start", "rule", "updateLayout", "query", "users"]

    virtual(story)


@pytest.mark.parametrize("others", ["start", "query", "users"])
def test_a_stop_behind_two_hundred_others_takes_the_very_next_place(others: str) -> None:
    async def story() -> None:
        line = Line()
        queue = [line.ask(others) for _ in range(200)]
        await asyncio.sleep(2.03)
        asked = asyncio.get_running_loop().time()
        await line.ask("stop")
        assert asyncio.get_running_loop().time() - asked <= 1 / RATE + 0.002
        assert line.dispatcher.waiting > 150
        for each in queue:
            each.cancel()

    virtual(story)


def test_two_hundred_queries_take_half_of_the_rate() -> None:
    async def story() -> None:
        line = Line()
        await line.all(*["query"] * 200)
        assert line.went[-1][1] == pytest.approx(199 / (RATE / 2), rel=0.01)

    virtual(story)


def test_queries_and_lists_share_that_half_while_the_others_have_theirs() -> None:
    async def story() -> None:
        line = Line()
        looks = [line.ask(call) for call in ("query", "users") * 30]
        await asyncio.sleep(0.05)
        for _ in range(25):
            await line.ask("start")
            await asyncio.sleep(0.1)
        seconds = asyncio.get_running_loop().time()
        counts = Counter(line.order)
        assert counts["query"] + counts["users"] <= seconds * RATE / 2 + 1
        assert counts["query"] + counts["users"] >= seconds * RATE / 2 - 2
        assert counts["users"] == 0
        await asyncio.gather(*looks)

    virtual(story)


def test_the_rate_is_kept_and_used() -> None:
    async def story() -> None:
        line = Line()
        await line.all(*["start"] * 50)
        times = [at for _, at in line.went]
        assert all(later - sooner >= 1 / RATE - 0.002 for sooner, later in itertools.pairwise(times))
        assert times[-1] == pytest.approx(49 / RATE, abs=0.01)

    virtual(story)


def test_a_place_whose_taker_has_left_goes_to_the_next() -> None:
    async def story() -> None:
        line = Line()
        await line.ask("start")
        first, second = line.ask("stop"), line.ask("start")
        await asyncio.sleep(0.05)
        first.cancel()
        await second
        assert line.went[-1] == ("start", pytest.approx(1 / RATE, abs=0.005))
        assert line.places.reserved[False] == 2

    virtual(story)


@pytest.mark.parametrize("call", ["start", "query"])
def test_who_leaves_as_the_place_comes_hands_it_on(call: str) -> None:
    async def story() -> None:
        line = Line(Places(round_trip=0.0))
        first, second = line.ask(call), line.ask(call)
        await asyncio.sleep(0)
        while line.dispatcher.waiting == 2:  # noqa: ASYNC110 (step by step, to the one before its taker runs)
            await asyncio.sleep(0)
        assert not line.went
        first.cancel()
        await second
        assert line.places.reserved == {False: 1} | ({True: 1} if call == "query" else {})
        with suppress(asyncio.CancelledError):
            await first

    virtual(story)


def test_a_place_that_was_for_another_is_no_reason_to_look_sooner() -> None:
    async def story() -> None:
        line = Line()
        looks = [line.ask("query"), line.ask("query")]
        await asyncio.sleep(0.05)
        stop = line.ask("stop")
        await asyncio.sleep(0.01)
        stop.cancel()
        await asyncio.gather(*looks)
        assert line.went[1][1] >= 2 / RATE

    virtual(story)


def test_whoever_leaves_takes_nothing_along() -> None:
    async def story() -> None:
        counts = Counts()
        line = Line(counts=counts)
        tasks = [line.ask("query") for _ in range(20)]
        await asyncio.sleep(0.3)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (counts.now, counts.most, line.dispatcher.waiting) == (0, 20, 0)
        await asyncio.sleep(5)
        spent = line.places.reserved.copy()
        await asyncio.sleep(100)
        assert line.places.reserved == spent
        await line.ask("stop")
        assert line.order[-1] == "stop"

    virtual(story)


def test_without_places_there_are_no_calls_until_there_are_again() -> None:
    async def story() -> None:
        line = Line()
        line.places.away = True
        answers = await asyncio.gather(*map(line.ask, ("query", "stop")), return_exceptions=True)
        assert all(isinstance(answer, JournalUnavailable) for answer in answers)
        line.places.away = False
        await line.all("stop", "query")
        assert line.order == ["stop", "query"]

    virtual(story)


def test_nothing_goes_out_while_the_provider_wants_a_pause() -> None:
    async def story() -> None:
        line = Line()
        await line.ask("start")
        waiting = [line.ask("start"), line.ask("stop")]
        await asyncio.sleep(0.05)
        line.dispatcher.hold(7.0)
        line.dispatcher.hold(3.0)
        await asyncio.gather(*waiting)
        assert line.order == ["start", "stop", "start"]
        assert all(at >= 7.05 for _, at in line.went[1:])
        assert line.places.reserved[False] <= 4, "no places are reserved meanwhile"

    virtual(story)


def test_waits_are_told_by_call() -> None:
    async def story() -> None:
        counts = Counts()
        line = Line(counts=counts)
        await line.all("start", "stop")
        assert [call for call, _ in counts.waits] == ["stop", "start"]
        assert counts.waits[1][1] == pytest.approx(1 / RATE, abs=0.005)

    virtual(story)


def test_two_nodes_share_the_places() -> None:
    async def story() -> None:
        places = Places()
        nodes = [Line(places), Line(places)]
        await asyncio.gather(*(node.all(*["start"] * 20) for node in nodes))
        times = sorted(at for node in nodes for _, at in node.went)
        assert times[-1] == pytest.approx(39 / RATE, abs=0.01)
        assert {len(node.went) for node in nodes} == {20}
        queue = [node.ask("query") for node in nodes for _ in range(100)]
        asked = asyncio.get_running_loop().time()
        await nodes[0].ask("stop")
        assert asyncio.get_running_loop().time() - asked <= 2 / RATE + 0.005
        for each in queue:
            each.cancel()

    virtual(story)


def test_every_call_has_its_rank() -> None:
    assert sorted(ORDER, key=lambda call: ORDER[call])[0] == "stop"
    assert {"acquire", "start", "stop", "query", "update", "updateLayout", "rule", "users", "ncs_ip"} == set(ORDER)
