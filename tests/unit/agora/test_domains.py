"""Where calls go while some of Agora's domains are in trouble: the rules, and over servers that stand in for the domains."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from clients.agora.answers import Answer
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.domains import Domain, Domains, candidates
from clients.agora.observing import Unobserved
from clients.agora.sending import NoAnswer, NotConnected
from tests.fakes.budget import Unlimited

MAIN, OTHER = "api.sd-rtn.com", "api.agora.io"
WEST, WEST_OTHER = "api-eu-west-1.sd-rtn.com", "api-eu-west-1.agora.io"
PAUSE = 30.0


def test_the_base_url_comes_first_then_the_other_suffix_then_the_regions_hosts() -> None:
    assert candidates("https://api.sd-rtn.com", None) == ("https://api.sd-rtn.com", "https://api.agora.io")
    assert candidates("https://api.agora.io/", "ap") == (
        "https://api.agora.io",
        "https://api.sd-rtn.com",
        "https://api-ap-southeast-1.agora.io",
        "https://api-ap-southeast-1.sd-rtn.com",
        "https://api-ap-northeast-1.agora.io",
        "https://api-ap-northeast-1.sd-rtn.com",
    )
    eu = candidates("https://api-eu-west-1.agora.io", "eu")
    assert len(eu) == len(set(eu)) == 4


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8099", "https://agora.test/agora", "https://evilagora.io", "https://api.agora.io.test"]
)
def test_elsewhere_there_is_one(url: str) -> None:
    assert candidates(f"{url}/", "eu") == (url,)


class Opened(Unobserved):
    """Which domains calls are kept away from."""

    def __init__(self) -> None:
        self.domains: dict[str, bool] = {}

    def domain(self, name: str, *, is_open: bool) -> None:
        self.domains[name] = is_open

    @property
    def open(self) -> list[str]:
        return [name for name, is_open in self.domains.items() if is_open]


class Sky:
    """Domains on a clock that is set by hand."""

    def __init__(self, *names: str) -> None:
        self.now = 0.0
        self.seen = Opened()
        urls = [f"https://{name}" for name in names]
        self.domains = Domains(urls, self.seen, lambda: self.now, failures_max=2, pause_seconds=PAUSE)

    def fail(self, times: int, *, unreachable: bool = False) -> list[str]:
        """Where so many calls went that failed."""
        went = []
        for _ in range(times):
            domain = self.domains.choose()
            self.domains.failed(domain, unreachable=unreachable)
            went.append(domain.name)
        return went

    def choose(self, *tried: Domain) -> str:
        return self.domains.choose(tried).name


def test_two_failures_in_a_row_send_calls_elsewhere() -> None:
    sky = Sky(MAIN, OTHER)
    assert sky.seen.domains == {MAIN: False, OTHER: False}
    assert sky.fail(2) == [MAIN, MAIN]
    assert sky.seen.open == [MAIN]
    assert sky.choose() == OTHER


def test_an_answer_in_between_counts_them_anew() -> None:
    sky = Sky(MAIN, OTHER)
    for _ in range(5):
        sky.fail(1)
        sky.domains.worked(sky.domains.choose())
    assert sky.choose() == MAIN
    assert sky.seen.open == []


def test_after_a_pause_one_call_at_a_time_tries_it() -> None:
    sky = Sky(MAIN, OTHER)
    sky.fail(2)
    sky.now = PAUSE - 1
    assert sky.choose() == OTHER
    sky.now = PAUSE
    probe = sky.domains.choose()
    assert probe.name == MAIN
    probe.begin()
    assert sky.choose() == OTHER
    probe.leave()
    sky.domains.failed(probe)
    assert sky.choose() == OTHER
    sky.now = 2 * PAUSE
    sky.domains.worked(sky.domains.choose())
    assert sky.choose() == MAIN
    assert sky.seen.open == []


def test_what_cannot_be_reached_is_not_tried_under_the_other_suffix_first() -> None:
    sky = Sky(MAIN, OTHER, WEST, WEST_OTHER)
    assert sky.fail(2, unreachable=True) == [MAIN, MAIN]
    assert sky.choose() == WEST
    named = Sky(MAIN, OTHER, WEST, WEST_OTHER)
    named.fail(2)
    assert named.choose() == OTHER


def test_without_regions_the_other_suffix_is_better_than_nothing() -> None:
    sky = Sky(MAIN, OTHER)
    sky.fail(2, unreachable=True)
    assert sky.choose() == OTHER


def test_when_all_are_in_trouble_the_one_that_was_longest_goes_first_and_none_is_refused() -> None:
    sky = Sky(MAIN, OTHER)
    sky.fail(2)
    sky.now = 5.0
    sky.fail(2)
    assert sky.seen.open == [MAIN, OTHER]
    assert sky.choose() == MAIN
    assert not sky.domains.has_other([sky.domains.choose()])
    alone = Sky("127.0.0.1")
    assert alone.fail(9) == ["127.0.0.1"] * 9
    assert alone.seen.open == ["127.0.0.1"]


class Internet(AbstractResolver):
    """Names and the servers behind them; a name that is not here does not resolve."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        if host not in self.ports:
            raise OSError(None, "no such name")
        entry = {"hostname": host, "host": "127.0.0.1", "port": self.ports[host]}
        return [{**entry, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


class World:
    """A client and servers in the places of Agora's domains."""

    def __init__(self) -> None:
        self.internet = Internet()
        self.servers: dict[str, TestServer] = {}
        self.heard: list[str] = []
        self.answers: dict[str, Any] = {}
        self.budget, self.seen = Unlimited(), Opened()
        self.silent = asyncio.Event()

    async def open(self, *names: str, area: str | None = None, pause_seconds: float = PAUSE) -> None:
        for name in names:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self._serve)
            self.servers[name] = TestServer(app)
            await self.servers[name].start_server()
            self.internet.ports[name] = self.servers[name].port or 0
        connector = aiohttp.TCPConnector(resolver=self.internet, use_dns_cache=False)
        self._http = aiohttp.ClientSession(connector=connector)
        account = AgoraAccount(
            base_url=f"http://{MAIN}",
            area=area,
            app_id="app",
            customer_id="c",
            customer_secret="s",
            timeout_seconds=5.0,
            connect_timeout_seconds=2.0,
            domain_pause_seconds=pause_seconds,
        )
        self.client = AgoraClient(self._http, account, self.budget, self.seen)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.headers["Host"].partition(":")[0]
        self.heard.append(name)
        answer = self.answers.get(name, 200)
        if answer == "silence":
            self.silent.set()
            await asyncio.Event().wait()
        if answer == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return (
            web.Response(status=502, text="<html>")
            if answer == 502
            else web.json_response({"code": answer}, status=answer)
        )

    def unplug(self, name: str) -> None:
        """The name resolves, and nobody listens."""
        with socket.socket() as gone:
            gone.bind(("127.0.0.1", 0))
            self.internet.ports[name] = gone.getsockname()[1]

    async def acquire(self) -> Answer:
        return await self.client.acquire({"cname": "room", "uid": "7"})

    async def close(self) -> None:
        await self._http.close()
        for server in self.servers.values():
            await server.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.close()


async def test_a_call_that_could_not_be_sent_goes_on_to_the_next_domain(world: World) -> None:
    await world.open(MAIN, OTHER)
    del world.internet.ports[MAIN]
    assert (await world.acquire()).status == 200
    assert world.heard == [OTHER]
    assert world.budget.calls == ["acquire", "acquire"], "each try has a place of its own"


async def test_out_of_reach_it_goes_to_another_region_and_not_to_the_other_suffix(world: World) -> None:
    await world.open(MAIN, OTHER, WEST, area="eu")
    world.unplug(MAIN)
    assert (await world.acquire()).status == 200
    assert world.heard == [WEST]


async def test_without_its_name_it_goes_to_the_other_suffix_first(world: World) -> None:
    await world.open(MAIN, OTHER, WEST, area="eu")
    del world.internet.ports[MAIN]
    assert (await world.acquire()).status == 200
    assert world.heard == [OTHER]


async def test_when_none_can_be_reached_nothing_was_sent(world: World) -> None:
    await world.open(MAIN, OTHER)
    world.internet.ports.clear()
    with pytest.raises(NotConnected):
        await world.acquire()
    assert world.heard == []
    assert world.budget.calls == ["acquire", "acquire"]


async def test_what_may_have_been_done_is_not_sent_to_another_domain_but_the_next_calls_are(world: World) -> None:
    await world.open(MAIN, OTHER)
    world.answers[MAIN] = "cut"
    for _ in range(2):
        with pytest.raises(NoAnswer):
            await world.acquire()
    assert world.heard == [MAIN, MAIN]
    assert world.seen.open == [MAIN]
    assert (await world.acquire()).status == 200
    assert world.heard == [MAIN, MAIN, OTHER]


async def test_a_gateways_error_sends_the_next_calls_elsewhere_and_the_services_own_does_not(world: World) -> None:
    await world.open(MAIN, OTHER)
    world.answers[MAIN] = 502
    assert [(await world.acquire()).status for _ in range(3)] == [502, 502, 200]
    assert world.heard == [MAIN, MAIN, OTHER]
    world.answers[OTHER] = 500
    assert [(await world.acquire()).status for _ in range(3)] == [500, 500, 500]
    assert world.seen.open == [MAIN]


async def test_a_connection_that_does_not_come_about_was_not_used(world: World) -> None:
    """A listener whose queue is full answers no handshake."""
    await world.open(MAIN, OTHER)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        world.internet.ports[MAIN] = deaf.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        assert (await world.acquire()).status == 200
        for filler in fillers:
            filler.close()
    assert world.heard == [OTHER]


async def test_a_cancelled_trial_leaves_the_way_free(world: World) -> None:
    await world.open(MAIN, OTHER, pause_seconds=0.0)
    world.answers[MAIN] = "cut"
    for _ in range(2):
        with pytest.raises(NoAnswer):
            await world.acquire()
    world.answers[MAIN] = "silence"
    trial = asyncio.create_task(world.acquire())
    await world.silent.wait()
    assert (await world.acquire()).status == 200
    assert world.heard == [MAIN, MAIN, MAIN, OTHER], "one call at a time tries it"
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    world.answers[MAIN] = 200
    assert (await world.acquire()).status == 200
    assert world.heard[4:] == [MAIN]
    assert world.seen.open == []
