"""The look for what belongs to nobody, in storage, in the database and at the provider."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Protocol

import orjson
from aiohttp import hdrs, web

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable
from server.answers import as_problems, json
from server.errors import Problem
from server.idempotency import command_key
from server.params import parse_query
from server.policy import OPERATOR, route
from server.render import rfc3339
from server.schemas import SweepParameters
from server.sweep.findings import Item
from server.sweep.sweeper import Progress, SweepRuns

LINES = "application/x-ndjson"
RETRY_SECONDS = 30


class Sweeps(Protocol):
    """Sweeps, one at a time."""

    def sweep(self, *, delete: bool) -> AsyncGenerator[Item | Progress]: ...


class SweepRoutes:
    """`items_max`: in one JSON answer."""

    def __init__(self, sweeps: Sweeps, items_max: int) -> None:
        self._sweeps = sweeps
        self._items_max = items_max

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_POST, "/api/v1/sweep", self.sweep, policy=OPERATOR)

    async def sweep(self, request: web.Request) -> web.StreamResponse:
        """200 with all findings at the end, or, to who accepts lines of JSON, with each as it is found, and how far it is."""
        parameters = parse_query(request, SweepParameters)
        command_key(request, b"{}")
        # Closed here, since a generator that is left to the collector keeps its turn until then.
        async with contextlib.aclosing(self._sweeps.sweep(delete=parameters.delete == "true")) as told:
            if LINES in request.headers.get(hdrs.ACCEPT, ""):
                return await self._lines(request, told)
            return await self._at_once(told)

    async def _at_once(self, told: AsyncIterator[Item | Progress]) -> web.Response:
        items: list[dict[str, Any]] = []
        more = False
        with _as_problems():
            async for each in told:
                more = more or (isinstance(each, Item) and len(items) == self._items_max)
                if isinstance(each, Item) and not more:
                    items.append(_item(each))
        return json({"items": items, "more": more})

    async def _lines(self, request: web.Request, told: AsyncIterator[Item | Progress]) -> web.StreamResponse:
        with _as_problems():  # what is wrong from the beginning has a status of its own
            first = await anext(told)
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: LINES})
        await response.prepare(request)
        try:
            with _as_problems():
                await response.write(_line(first))
                async for each in told:
                    await response.write(_line(each))
                await response.write(orjson.dumps({"done": True}) + b"\n")
        except Problem as problem:
            await response.write(orjson.dumps({"problem": {"code": problem.code, "detail": problem.detail}}) + b"\n")
        await response.write_eof()
        return response


@contextlib.contextmanager
def _as_problems() -> Any:
    try:
        with as_problems():
            yield
    except SweepRuns:
        raise Problem("sweep_running", retryable=True, retry_after_seconds=RETRY_SECONDS) from None
    except (StorageDenied, StorageNotFound, StorageUnavailable) as error:
        raise Problem("storage_unavailable", f"the sweep was given up: {error}") from None


def _line(told: Item | Progress) -> bytes:
    if isinstance(told, Item):
        return orjson.dumps({"item": _item(told)}) + b"\n"
    progress = {"objects": told.objects, "recordings": told.recordings, "recordingsTotal": told.recordings_total}
    return orjson.dumps({"progress": progress}) + b"\n"


def _item(item: Item) -> dict[str, Any]:
    finding = item.finding
    return {
        "kind": finding.kind,
        "key": finding.key,
        "firstSeenAt": rfc3339(item.first_seen_at_ms),
        "action": item.action,
        "objects": finding.objects,
        "bytes": finding.bytes,
    }
