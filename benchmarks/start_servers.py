"""The peers of `start`: `python -m benchmarks.start_servers PEER` prints its port.

Tapedeck is wired as in `server.app`, but with a provider that never answers, so that nothing but the command itself is measured:
its caller does not wait (`Prefer: respond-async`) and is answered as soon as the intent is stored.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import uvloop
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry

from actors.domain.effects import AgoraAcquire
from actors.domain.outcomes import Acquired, Outcome
from actors.domain.policy import Policy
from actors.ports import Ports
from actors.reading import Records
from actors.system import ActorSystem, SystemSettings
from benchmarks.story import RENDERER, journal_event
from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.postgres.inbox import PostgresInbox
from clients.postgres.journal import PostgresJournal
from clients.postgres.migrate import upgrade
from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import create_pool
from clients.postgres.records import PostgresRecords
from server.auth import Authenticator
from server.config import Config
from server.ids import RandomIds, SystemClock
from server.logging import configure_logging
from server.metrics import ActorMetrics
from server.middleware import install, runner_options
from server.openings import Openings
from server.policy import AUTHENTICATOR
from server.routes.commands import CommandRoutes
from server.settings import AgoraSettings
from tests.fakes.agora import FakeAgora
from tests.fakes.audience import SECRET, World
from tests.fakes.memory import MemoryDatabase, MemoryInbox, MemoryJournal, MemoryRecords
from tests.fakes.standing import EVER, held_for_ever, standing

RECORDINGS_MAX = 1_000_000
"""None of them ends, and none is refused."""


class SilentAgora(FakeAgora):
    """A provider that never answers."""

    async def acquire(self, call: AgoraAcquire) -> Outcome[Acquired]:
        await asyncio.Event().wait()
        raise AssertionError


class Nobody:
    """ports.Publisher without subscribers."""

    def hint(self, *_: Any) -> None: ...


@asynccontextmanager
async def bare() -> AsyncIterator[web.AppRunner]:
    """The least that such a handler does: JSON in, a token checked, JSON of the same size out."""
    authenticator = Authenticator([SECRET], leeway_seconds=30, cache_max=10_000)
    document = RENDERER.recording(journal_event(World()).recording, private=True)  # type: ignore[arg-type]

    async def start(request: web.Request) -> web.Response:
        authenticator.authenticate(request.headers[hdrs.AUTHORIZATION].removeprefix("Bearer "))
        body = orjson.loads(await request.read())
        answer = orjson.dumps({**document, "metadata": body["metadata"]})
        return web.Response(body=answer, status=202, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{rest:.*}", start)
    yield web.AppRunner(app, access_log=None)


@asynccontextmanager
async def in_memory() -> AsyncIterator[web.AppRunner]:
    """Everything but a database."""
    database = MemoryDatabase()
    stores = {
        "journal": MemoryJournal(database),
        "ownership": standing(database)[0],
        "inbox": MemoryInbox(database),
    }
    yield _application(stores, MemoryRecords(database))


@asynccontextmanager
async def on_postgres() -> AsyncIterator[web.AppRunner]:
    """Everything, with the embedded Postgres, which waits for the disk as it does in earnest."""
    with TemporaryDirectory(prefix="tapedeck-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        run_dir = fresh_run_dir(Path(folder))
        postgres = EmbeddedPostgres(Path(folder), run_dir)
        await postgres.start()
        await asyncio.to_thread(upgrade, postgres.url)
        pool = await create_pool(postgres.url, 10, 10.0)
        ownership = PostgresOwnership(pool, "here", "first")
        await ownership.enter(EVER, await ownership.holder())
        stores = {
            "journal": PostgresJournal(pool),
            "ownership": ownership,
            "inbox": PostgresInbox(pool, "here"),
        }
        yield _application(stores, PostgresRecords(pool))
        pool.terminate()
        await postgres.stop()
        remove_run_dir(Path(folder), run_dir)


def _application(stores: dict[str, Any], records: Records) -> web.AppRunner:
    clock, ids, registry = SystemClock(), RandomIds(), CollectorRegistry()
    agora = SilentAgora(clock, random.Random(1))
    ports = Ports(
        **stores, recorder=agora, media=agora.media, publisher=Nobody(), clock=clock, ids=ids,
        observe=ActorMetrics(registry),
    )  # fmt: skip
    config = Config(agora=AgoraSettings(recorders_max=RECORDINGS_MAX))
    app = web.Application()
    app[AUTHENTICATOR] = Authenticator([SECRET], leeway_seconds=30, cache_max=10_000)
    install(app, config.http, registry)
    system = ActorSystem(ports, Policy(), SystemSettings(), held_for_ever())
    openings = Openings(records, system.capacity, lambda: None, lambda: None, config)
    CommandRoutes(system, records, ids, RENDERER, config, openings).add_to(app)
    return web.AppRunner(app, **runner_options(config.http))


PEERS = {"aiohttp": bare, "memory": in_memory, "postgres": on_postgres}


async def main(name: str) -> None:
    async with PEERS[name]() as runner:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        await reader.read()


if __name__ == "__main__":
    configure_logging("info", "json")
    uvloop.run(main(sys.argv[1]))
