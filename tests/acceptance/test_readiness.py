"""`/readyz` and `/metrics` while a part is really broken: the cache, the database, the provider, the disk, or the server leaves."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import Fresh
from tests.acceptance.elsewhere import Simulator
from tests.acceptance.processes import children_of, named
from tests.acceptance.running import Client, RunningServer, serving
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
MORE_THAN_ANY_DISK = str(2**60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Simulator, RunningServer]]:
    """A provider of another process, and a server that looks often."""
    often = {"TAPEDECK_HEALTH__INTERVAL_SECONDS": "0.2", "TAPEDECK_HEALTH__COSTLY_INTERVAL_SECONDS": "0.2"}
    store = tmp_path_factory.mktemp("site") / "store"
    async with Simulator(store) as simulator, serving(**simulator.environment(**often)) as server:
        yield simulator, server


class Probe:
    """Asks without a token, as a platform does."""

    def __init__(self, http: aiohttp.ClientSession, server: RunningServer) -> None:
        self._http = http
        self._server = server

    async def readyz(self) -> tuple[int, Any]:
        async with self._http.get(f"{self._server.url}/readyz") as response:
            return response.status, await response.json()

    async def becomes(self, status: str, check: str, ok: bool) -> Any:
        """The report once it has that status and that check says so."""

        async def look() -> Any:
            _, report = await self.readyz()
            return report if (report["status"], report["checks"][check]["ok"]) == (status, ok) else None

        return await eventually(look, 30)

    async def text(self, path: str) -> str:
        async with self._http.get(self._server.url + path) as response:
            assert response.status == 200
            return await response.text()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process and its children do nothing meanwhile, and keep their connections open."""
    pids = [pid, *children_of(pid)]
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


def engine(server: RunningServer, word: str) -> int:
    return next(pid for pid in children_of(server.pid) if named(pid, word))


async def test_without_the_cache_it_is_degraded(
    site: tuple[Simulator, RunningServer], http: aiohttp.ClientSession
) -> None:
    probe = Probe(http, site[1])
    await probe.becomes("ready", "redis", ok=True)
    with frozen(engine(site[1], "valkey")):
        report = await probe.becomes("degraded", "redis", ok=False)
        assert (await probe.readyz())[0] == 200
        assert report["checks"]["database"]["ok"] is True
        again = await probe.becomes("degraded", "redis", ok=False)
        assert again["checks"]["redis"]["since"] == report["checks"]["redis"]["since"]
    recovered = await probe.becomes("ready", "redis", ok=True)
    assert recovered["checks"]["redis"]["since"] > report["checks"]["redis"]["since"]


async def test_without_the_database_it_is_unready_and_still_answers(
    site: tuple[Simulator, RunningServer], http: aiohttp.ClientSession
) -> None:
    probe = Probe(http, site[1])
    await probe.becomes("ready", "database", ok=True)
    with frozen(engine(site[1], "postgres")):
        await probe.becomes("unready", "database", ok=False)
        assert (await probe.readyz())[0] == 503
        assert "alive" in await probe.text("/healthz")
        scraped = await probe.text("/metrics")
        assert "tapedeck_database_read 0.0" in scraped
        assert 'tapedeck_check_ok{check="database"} 0.0' in scraped
        assert "tapedeck_recordings{" not in scraped
    await probe.becomes("ready", "database", ok=True)
    assert 'tapedeck_recordings{state="active"} 0.0' in await probe.text("/metrics")


async def test_without_the_provider_it_is_degraded(
    site: tuple[Simulator, RunningServer], http: aiohttp.ClientSession
) -> None:
    simulator, server = site
    probe = Probe(http, server)
    await simulator.stop()
    report = await probe.becomes("degraded", "agora", ok=False)
    assert "no connection" in report["checks"]["agora"]["detail"]
    await simulator.start()
    await probe.becomes("ready", "agora", ok=True)


async def test_a_full_disk_refuses_starts_and_nothing_else(
    fresh: Fresh, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with Simulator(tmp_path / "store") as simulator:
        before = await fresh(**simulator.environment())
        live = await Client(http, before).start("full")
        await before.stop()
        server = RunningServer(
            before.data_dir, **simulator.environment(TAPEDECK_STORAGE__MIN_FREE_BYTES=MORE_THAN_ANY_DISK)
        )
        await server.start()
        try:
            host, probe = Client(http, server), Probe(http, server)
            report = await probe.becomes("degraded", "storage", ok=False)
            assert "storage.min_free_bytes" in report["checks"]["storage"]["detail"]
            status, problem, headers = await host.call("POST", "/api/v1/meetings/other/recording/start")
            assert (status, problem["code"]) == (503, "storage_unavailable")
            assert int(headers["Retry-After"]) > 0
            assert (await host.call("GET", "/api/v1/meetings/other/recordings"))[1]["total"] == 0
            assert (await host.stop("full"))["id"] == live["id"]
            assert (await host.call("GET", "/api/v1/meetings/full/recordings"))[1]["total"] == 1
            scraped = await probe.text("/metrics")
            assert 'tapedeck_check_ok{check="storage"} 0.0' in scraped
            assert f'tapedeck_limit{{setting="storage.min_free_bytes"}} {float(MORE_THAN_ANY_DISK)}' in scraped
        finally:
            await server.stop()


async def test_who_leaves_is_unready_before_it_stops_to_listen(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    server = await fresh(TAPEDECK_DRAIN__READINESS_SECONDS="2")
    probe = Probe(http, server)
    assert (await probe.readyz())[1]["status"] == "ready"
    os.kill(server.pid, signal.SIGTERM)

    async def unready() -> Any:
        status, report = await probe.readyz()
        return report if status == 503 else None

    report = await eventually(unready)
    assert report["status"] == "unready"
    assert report["checks"]["server"]["ok"] is False
    assert report["checks"]["database"]["ok"] is True
    assert await server.stop() == 0
