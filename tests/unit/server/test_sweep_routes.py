"""How a sweep is answered: at once or line by line, and what a caller is told when it cannot be had or breaks off."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from actors.ports import JournalUnavailable, StorageUnavailable
from server.console.api import Api, CallFailed
from server.routes.sweep import SweepRoutes
from server.sweep.findings import Action, Finding, Item, Kind
from server.sweep.sweeper import Progress, SweepRuns
from tests.unit.server.conftest import Edge, Serve, bearer

OPERATOR = bearer(operator=True)
ITEMS = [Item(Finding(kind=Kind.MEDIA, key=f"tapedeck/{n}/"), 1_790_000_000_000, Action.REPORTED) for n in range(3)]


class Sweeps:
    """Tells `ITEMS`, then fails if it is to. `deletes`: what it was asked for."""

    def __init__(self, first: Exception | None = None, last: Exception | None = None) -> None:
        self.first, self.last = first, last
        self.deletes: list[bool] = []
        self.closed = 0

    async def sweep(self, *, delete: bool) -> AsyncGenerator[Item | Progress]:
        self.deletes.append(delete)
        try:
            if self.first is not None:
                raise self.first
            for item in ITEMS:
                yield item
            yield Progress(5, 2, 4)
            if self.last is not None:
                raise self.last
        finally:
            self.closed += 1


async def started(serve: Serve, sweeps: Sweeps, items_max: int = 10) -> Edge:
    return await serve(lambda app: SweepRoutes(sweeps, items_max).add_to(app))


async def api(edge: Edge) -> Api:
    return Api(f"http://127.0.0.1:{edge.port}", OPERATOR["Authorization"].removeprefix("Bearer "))


async def test_all_at_once_up_to_a_limit(serve: Serve) -> None:
    sweeps = Sweeps()
    edge = await started(serve, sweeps, items_max=2)
    async with edge.client.post("/api/v1/sweep?delete=true", headers=OPERATOR) as answer:
        body = await answer.json()
    assert [item["key"] for item in body["items"]] == ["tapedeck/0/", "tapedeck/1/"]
    assert body["more"] is True
    assert body["items"][0]["firstSeenAt"] == "2026-09-21T14:13:20.000Z"
    edge = await started(serve, sweeps, items_max=3)
    async with edge.client.post("/api/v1/sweep", headers=OPERATOR) as answer:
        body = await answer.json()
    assert (len(body["items"]), body["more"]) == (3, False)
    assert sweeps.deletes == [True, False]


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SweepRuns(), 409, "sweep_running"),
        (StorageUnavailable("asleep"), 503, "storage_unavailable"),
        (JournalUnavailable(), 503, "database_unavailable"),
    ],
)
async def test_what_cannot_begin_has_a_status_of_its_own(
    serve: Serve, accept: str, error: Exception, status: int, code: str
) -> None:
    edge = await started(serve, Sweeps(first=error))
    async with edge.client.post("/api/v1/sweep", headers={**OPERATOR, "Accept": accept}) as answer:
        body = await answer.json(content_type=None)
        assert (answer.status, body["code"]) == (status, code)
        assert answer.headers.get("Retry-After") is not None
    async with await api(edge) as client:
        with pytest.raises(CallFailed) as failed:
            await all_of(client, [])
    assert failed.value.code == code


async def all_of(client: Api, lines: list[Any]) -> None:
    async for line in client.sweep(delete=False):
        lines.append(line)


async def test_what_breaks_off_ends_in_its_problem(serve: Serve) -> None:
    edge = await started(serve, Sweeps(last=StorageUnavailable("asleep")))
    async with edge.client.post("/api/v1/sweep", headers=OPERATOR) as answer:
        assert answer.status == 503
    async with await api(edge) as client:
        lines: list[Any] = []
        with pytest.raises(CallFailed, match=r"given up: asleep \(storage_unavailable\)"):
            await all_of(client, lines)
    assert [next(iter(line)) for line in lines] == ["item", "item", "item", "progress"]


async def test_a_caller_who_leaves_ends_the_sweep(serve: Serve) -> None:
    class Endless(Sweeps):
        async def sweep(self, *, delete: bool) -> AsyncGenerator[Item | Progress]:
            try:
                while True:
                    yield ITEMS[0]
                    await asyncio.sleep(0)
            finally:
                ended.set()

    ended = asyncio.Event()
    edge = await started(serve, Endless())
    async with edge.client.post("/api/v1/sweep", headers={**OPERATOR, "Accept": "application/x-ndjson"}) as answer:
        await answer.content.readline()
        answer.close()
    async with asyncio.timeout(10):
        await ended.wait()
