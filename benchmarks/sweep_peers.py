"""`python -m benchmarks.sweep_peers NAME URL RECORDINGS`: seconds, bytes of memory above idle, requests to the store."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil
import uvloop
from prometheus_client import CollectorRegistry

from benchmarks.sink import folder_of
from benchmarks.upload_peers import most_memory, settings_of
from clients.embedded.postgres import EmbeddedPostgres
from clients.embedded.rundir import fresh_run_dir, remove_run_dir
from clients.postgres.migrate import upgrade
from clients.postgres.pool import Pool, create_pool
from clients.postgres.sweeps import PostgresSweeps
from clients.storage.s3.store import S3Store, open_store
from server.settings import SweepSettings
from server.sweep.findings import Item
from server.sweep.looking import Looking
from server.sweep.metrics import SweepMetrics
from server.sweep.sweeper import Sweeper

WRITE = """
    INSERT INTO recordings (meeting_id, recording_id, live, state, status, created_at, data)
    SELECT 'm', folder, false, 'completed', 'completed', now(), jsonb_build_object('prefix', jsonb_build_array('tapedeck', folder),
        'file_size', 1000, 'completeness', 'complete', 'updated_at_ms', 1, 'padding', repeat(folder, 60))
    FROM unnest($1::text[]) AS folder
"""
"""As many bytes as a recording's row has."""


class Nobody:
    async def ask(self, meeting_id: object, command: object) -> None:
        raise AssertionError(command)


async def tapedeck(pool: Pool, store: S3Store) -> None:
    sweeps = PostgresSweeps(pool, "tapedeck")
    look = partial(Looking, store, sweeps, Nobody(), "tapedeck/", None)
    sweeper = Sweeper(sweeps, look, "here", SweepSettings(), SweepMetrics(CollectorRegistry()))
    items = [told async for told in sweeper.sweep(delete=False) if isinstance(told, Item)]
    assert items == [], items[:3]


async def bare(pool: Pool, store: S3Store) -> None:
    """Both lists read to their ends, a page at a time, and compared as sets."""
    client, folders, more = store._line.client, set[str](), dict[str, str]()
    while True:
        page = await client.list_objects_v2(Bucket=store._bucket, Prefix="tapedeck/", **more)  # type: ignore[arg-type]
        folders.update(found["Key"].split("/")[1] for found in page["Contents"])
        if not page["IsTruncated"]:
            break
        more = {"ContinuationToken": page["NextContinuationToken"]}
    rows = await pool.fetch("SELECT data #>> '{prefix,1}' AS folder, state FROM recordings")
    assert folders == {row["folder"] for row in rows}


PEERS: dict[str, Callable[[Pool, S3Store], Awaitable[None]]] = {"bare": bare, "Tapedeck": tapedeck}


@asynccontextmanager
async def database(recordings: int) -> AsyncIterator[Pool]:
    with TemporaryDirectory(prefix="tapedeck-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        run_dir = fresh_run_dir(Path(folder))
        postgres = EmbeddedPostgres(Path(folder), run_dir, durable=False)
        await postgres.start()
        await asyncio.to_thread(upgrade, postgres.url)
        pool = await create_pool(postgres.url, 2, 60.0)
        for first in range(0, recordings, 10_000):
            await pool.execute(WRITE, [folder_of(n) for n in range(first, min(first + 10_000, recordings))])
        await pool.execute("ANALYZE recordings")
        yield pool
        pool.terminate()
        await postgres.stop()
        remove_run_dir(Path(folder), run_dir)


async def main(name: str, url: str, recordings: int) -> None:
    async with database(recordings) as pool, open_store(settings_of(url)) as store, aiohttp.ClientSession() as http:
        await store.ping()
        await http.get(f"{url}/_count")
        idle = psutil.Process().memory_info().rss
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
        began = time.perf_counter()
        await PEERS[name](pool, store)
        seconds = time.perf_counter() - began
        async with http.get(f"{url}/_count") as answer:
            print(seconds, most_memory() - idle, await answer.text())


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
