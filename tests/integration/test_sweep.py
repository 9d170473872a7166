"""A sweep over real stores and a real database: what it tells, what it removes, and what it never touches."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from actors.domain.commands import ExamineAgain
from actors.domain.ids import MeetingId
from actors.domain.model import ActorKind
from actors.errors import OwnedByAnotherNode
from actors.ports import StorageDenied, StorageUnavailable
from clients.postgres.pool import Pool
from clients.postgres.sweeps import PostgresSweeps
from clients.storage.local import LocalStore
from clients.storage.s3 import listing
from clients.storage.s3.store import S3Store
from server.settings import SweepSettings
from server.sweep.findings import Item, Kind
from server.sweep.looking import Looking
from server.sweep.metrics import SweepMetrics
from server.sweep.sweeper import Progress, Sweeper, SweepRuns
from server.sweep.timer import SweepTimer
from tests.contract.stores import Store, place, store
from tests.fakes.buckets import PART_BYTES

__all__ = ["place", "store"]
DAY_MS = 86_400_000


class Bench:
    """One database and one store; `sweeper` makes that of a node."""

    def __init__(self, pool: Pool, store: Store) -> None:
        self.pool = pool
        self.store = store
        self.sweeps = PostgresSweeps(pool, "tapedeck")
        self.asked: list[Any] = []
        self.elsewhere = False
        self.registry = CollectorRegistry()

    async def ask(self, meeting_id: MeetingId, command: Any) -> None:
        if self.elsewhere:
            raise OwnedByAnotherNode("b")
        self.asked.append(command)

    def sweeper(self, node: str = "a", **settings: Any) -> Sweeper:
        is_local = isinstance(self.store, LocalStore)
        look = partial(Looking, self.store, self.sweeps, self, "tapedeck/", node if is_local else None)
        wanted = {"age_seconds_min": 0.0, **settings}
        self.registry = CollectorRegistry()
        return Sweeper(self.sweeps, look, node, SweepSettings(**wanted), SweepMetrics(self.registry))

    async def sweep(self, *, delete: bool = False, **settings: Any) -> dict[tuple[str, str], str]:
        """Kinds and keys, with what was done."""
        items = [each async for each in self.sweeper(**settings).sweep(delete=delete) if isinstance(each, Item)]
        return {(each.finding.kind.value, each.finding.key): each.action.value for each in items}

    async def keep(self, number: int, state: str = "completed", **data: Any) -> str:
        """A recording's row; its folder."""
        folder = folder_of(number)
        told = {"prefix": ["tapedeck", folder], "file_size": 1, "completeness": "complete", "updated_at_ms": 1, **data}
        await self.pool.execute(
            "INSERT INTO recordings (meeting_id, recording_id, live, state, status, created_at, data)"
            " VALUES ($1, $2, false, $3, 'completed', now(), $4)",
            f"m-{number}", f"r-{number}", state, told,
        )  # fmt: skip
        return f"tapedeck/{folder}/"

    async def keys(self) -> list[str]:
        return [found.key for found in await self.store.list("")]


def folder_of(number: int) -> str:
    return f"{number:012x}7c4e9d3a5b1f0e6a7c21"


def orphan(number: int) -> str:
    return f"tapedeck/{folder_of(number)}/"


@pytest.fixture
def bench(pool: Pool, store: Store) -> Bench:
    return Bench(pool, store)


async def test_what_belongs_to_somebody_is_not_found(bench: Bench) -> None:
    for number, state in enumerate(("active", "processing", "completed", "failed")):
        await bench.store.put(f"{await bench.keep(number, state)}a.ts", b"x")
    await bench.keep(10, "active")
    await bench.keep(11, "aborted")
    assert await bench.sweep() == {}
    assert await bench.sweep(delete=True) == {}
    assert len(await bench.keys()) == 4


async def test_an_orphan_goes_when_it_was_seen_twice_is_old_and_is_asked_for(bench: Bench) -> None:
    for name in ("a.ts", "b.ts"):
        await bench.store.put(f"{orphan(1)}{name}", b"123")
    found = ("media", orphan(1))
    assert await bench.sweep(delete=True) == {found: "waits"}
    assert await bench.sweep() == {found: "reported"}
    assert await bench.sweep(delete=True, age_seconds_min=3600.0) == {found: "waits"}
    assert len(await bench.keys()) == 2
    assert await bench.sweep(delete=True) == {found: "deleted"}
    assert await bench.keys() == []
    assert await bench.sweep(delete=True) == {}
    await bench.store.put(f"{orphan(1)}a.ts", b"again")
    assert await bench.sweep(delete=True) == {found: "waits"}, "what was gone is seen for the first time again"


async def test_foreign_objects_stay_always(bench: Bench) -> None:
    kept = ["other/a.ts", "tapedeck-old/a.ts", "tapedeck/loose.txt", "tapedeck/notes/a.txt", "tapedeckx"]
    for key in kept:
        await bench.store.put(key, b"x")
    await bench.store.put(f"{orphan(1)}a.ts", b"x")
    for _ in range(3):
        told = await bench.sweep(delete=True)
    assert told == {("foreign", "tapedeck/loose.txt"): "reported", ("foreign", "tapedeck/notes/"): "reported"}
    assert sorted(await bench.keys()) == kept


async def test_a_recording_without_objects_is_told_by_its_id(bench: Bench) -> None:
    await bench.store.put(f"{await bench.keep(1)}a.ts", b"x")
    await bench.keep(2)
    await bench.store.put(f"{await bench.keep(3)}a.ts", b"x")
    assert await bench.sweep(delete=True) == {("missing_media", "r-2"): "reported"}


async def test_what_comes_after_a_deletion_is_erased_by_itself_for_a_while(bench: Bench) -> None:
    now_ms = await bench.pool.fetchval("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    await bench.store.put(f"{await bench.keep(1, 'deleted', deleted_at_ms=now_ms - 29 * DAY_MS)}a.ts", b"x")
    await bench.store.put(f"{await bench.keep(2, 'deleted', deleted_at_ms=now_ms - 31 * DAY_MS)}a.ts", b"x")
    await bench.keep(3, "deleted", deleted_at_ms=now_ms)
    late, later = ("late_media", orphan(1)), ("late_media", orphan(2))
    assert await bench.sweep() == {late: "erasing", later: "reported"}
    (asked,) = bench.asked
    assert (asked.recording_id, asked.late, asked.by.kind) == ("r-1", True, ActorKind.SYSTEM)
    assert await bench.sweep(delete=True) == {late: "erasing", later: "erasing"}
    bench.elsewhere = True
    assert (await bench.sweep())[late] == "failed"


async def test_more_files_than_a_partial_recording_was_proven_with_have_it_proven_anew(bench: Bench) -> None:
    lacking = {"completeness": "partial", "file_size": 3}
    folder = await bench.keep(1, **lacking)
    await bench.store.put(f"{folder}a.ts", b"123")
    await bench.store.put(f"{folder}manifest.json", b"ours")
    assert await bench.sweep() == {}
    await bench.store.put(f"{folder}b.ts", b"4")
    assert await bench.sweep() == {("late_files", folder): "proving"}
    (asked,) = bench.asked
    assert isinstance(asked, ExamineAgain)
    assert asked.recording_id == "r-1"


async def test_probes_that_were_left_go_one_by_one(bench: Bench) -> None:
    await bench.store.put("tapedeck/_preflight/a", b"x")
    await bench.sweep()
    await bench.store.put("tapedeck/_preflight/b", b"x")
    assert await bench.sweep(delete=True) == {
        ("probe", "tapedeck/_preflight/a"): "deleted", ("probe", "tapedeck/_preflight/b"): "waits",
    }  # fmt: skip
    assert await bench.keys() == ["tapedeck/_preflight/b"]


async def open_upload(store: Store, key: str) -> None:
    """As a process that dies in the middle leaves it."""
    if isinstance(store, LocalStore):
        (store.path("x").parent / ".aside").mkdir(exist_ok=True)
        (store.path("x").parent / ".aside" / "half").write_bytes(b"half")
        return
    async with store._line.call("multipart_create") as client:
        made = await client.create_multipart_upload(Bucket=store._bucket, Key=key)
        await client.upload_part(
            Bucket=store._bucket, Key=key, UploadId=made["UploadId"], PartNumber=1, Body=bytes(PART_BYTES)
        )


async def test_what_a_dead_process_was_writing_goes(bench: Bench) -> None:
    await open_upload(bench.store, f"{orphan(1)}a.mp4")
    kind = "temporary_file" if isinstance(bench.store, LocalStore) else "open_upload"
    ((found, action),) = (await bench.sweep(delete=True)).items()
    assert (found[0], action) == (kind, "waits")
    assert found[1].startswith("a/.aside/" if kind == "temporary_file" else f"{orphan(1)}a.mp4 ")
    assert await bench.sweep(delete=True) == {found: "deleted"}
    assert await bench.sweep() == {}


async def test_an_upload_of_others_or_of_an_open_recording_is_left_alone(bench: Bench) -> None:
    if isinstance(bench.store, LocalStore):
        return  # a folder's temporary files do not tell whose they are
    await open_upload(bench.store, f"{await bench.keep(1, 'processing')}a.mp4")
    await open_upload(bench.store, "tapedeck/notes/a.mp4")
    await open_upload(bench.store, "other/a.mp4")
    for _ in range(2):
        assert await bench.sweep(delete=True) == {}
    assert len([each async for each in bench.store.uploads("")]) == 3


async def test_a_recording_that_starts_between_listing_and_reading_is_no_orphan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is behind those that were read already."""
    await bench.store.put(f"{await bench.keep(9)}a.ts", b"x")
    await bench.store.put(f"{orphan(5)}a.ts", b"x")
    rows = bench.sweeps.rows

    async def read_too_early() -> AsyncIterator[Any]:
        found = [row async for row in rows()]
        await bench.keep(5, "active")
        for row in found:
            yield row

    monkeypatch.setattr(bench.sweeps, "rows", read_too_early)
    assert await bench.sweep(delete=True) == {}


async def test_what_is_deleted_while_it_is_looked_at_is_not_missing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.keep(1)
    listed = bench.store.list

    async def deleted_by_then(prefix: str) -> Any:
        await bench.pool.execute("UPDATE recordings SET state = 'deleted'")
        return await listed(prefix)

    monkeypatch.setattr(bench.store, "list", deleted_by_then)
    assert await bench.sweep() == {}


async def test_an_orphan_that_has_come_to_belong_to_somebody_is_not_removed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.store.put(f"{orphan(1)}a.ts", b"x")
    await bench.sweep()
    seen = bench.sweeps.seen

    async def adopted(kind: str, keys: Any) -> Any:
        found = await seen(kind, keys)
        if kind == Kind.MEDIA:
            await bench.keep(1, "active")
        return found

    monkeypatch.setattr(bench.sweeps, "seen", adopted)
    await bench.sweep(delete=True)
    assert await bench.keys() == [f"{orphan(1)}a.ts"]


async def test_one_sweeps_at_a_time_and_the_turn_of_the_dead_passes_on(bench: Bench) -> None:
    first = bench.sweeper("a").sweep(delete=False)
    async with aclosing(first):
        assert isinstance(await anext(first), Progress)
        with pytest.raises(SweepRuns):
            await anext(bench.sweeper("b").sweep(delete=False))
    assert [each async for each in bench.sweeper("b").sweep(delete=False)]
    assert await bench.sweeps.take("dead", 0.0, 0.0) is not None
    assert [each async for each in bench.sweeper("b").sweep(delete=False)]


async def test_the_timer_of_one_node_is_enough_for_all_and_removes_nothing(bench: Bench) -> None:
    await bench.store.put(f"{orphan(1)}a.ts", b"x")
    a, b = bench.sweeper("a"), bench.sweeper("b")
    began: list[int] = []
    for sweeper in (a, b, a):
        await SweepTimer(sweeper, 3600.0).look()
        began.append(await bench.pool.fetchval("SELECT (extract(epoch FROM began_at) * 1000)::bigint FROM sweep_turn"))
    assert len(set(began)) == 1
    assert await bench.keys() == [f"{orphan(1)}a.ts"]


async def test_a_store_that_fails_in_the_middle_ends_the_sweep_and_nothing_is_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.store.put(f"{orphan(1)}a.ts", b"x")
    await bench.sweep()
    uploads = bench.store.uploads

    async def asleep(prefix: str) -> AsyncIterator[Any]:
        raise StorageUnavailable("asleep")
        yield

    monkeypatch.setattr(bench.store, "uploads", asleep)
    with pytest.raises(StorageUnavailable):
        await bench.sweep(delete=True)
    await SweepTimer(bench.sweeper(), 3600.0).look()
    monkeypatch.setattr(bench.store, "uploads", uploads)
    assert await bench.sweep(delete=True) == {("media", orphan(1)): "deleted"}


async def test_what_cannot_be_removed_is_told_and_the_rest_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        await bench.store.put(f"{orphan(number)}a.ts", b"x")
    await bench.sweep()
    remove = bench.store.delete_prefix

    async def locked(prefix: str) -> Any:
        if prefix == orphan(1):
            raise StorageDenied("locked")
        return await remove(prefix)

    monkeypatch.setattr(bench.store, "delete_prefix", locked)
    assert await bench.sweep(delete=True) == {("media", orphan(1)): "failed", ("media", orphan(2)): "deleted"}
    assert bench.registry.get_sample_value("tapedeck_sweep_removed_total", {"kind": "media"}) == 1
    assert bench.registry.get_sample_value("tapedeck_sweep_findings", {"kind": "media"}) == 2
    assert bench.registry.get_sample_value("tapedeck_sweeps_total", {"outcome": "done"}) == 1


@pytest.mark.parametrize("place", ["local"], indirect=True)
async def test_sessions_that_nobody_wants_are_told_and_left_to_the_core(bench: Bench) -> None:
    stranger, ended, ours = ("s" * 32, "e" * 32, "o" * 32)
    for number, (sid, event) in enumerate(((stranger, 40), (stranger, 42), (ended, 40), (ended, 11), (ours, 40))):
        await bench.pool.execute(
            "INSERT INTO inbox (notice_id, cname, uid, sid, event_type, sequence, sent_ms, details, body, received_at)"
            " VALUES ($1, 'room', '7', $2, $3, $4, 0, '{}', '', now())",
            f"n-{number}", sid, event, number,
        )  # fmt: skip
    await bench.pool.execute(
        "INSERT INTO recorders (cname, uid, sid, meeting_id, recording_id, attempt) VALUES ('other', '8', $1, 'm', 'r', 1)", ours
    )  # fmt: skip
    evicting = {"evictions": [{"channel_name": "room", "attempt": {"uids": ["5", "6"], "sid": None}}]}
    await bench.pool.execute("INSERT INTO meetings (meeting_id, state, wake_at) VALUES ('m', $1, now())", evicting)
    for _ in range(2):
        told = await bench.sweep(delete=True)
    assert told == {
        ("unknown_session", f"room 7 {stranger}"): "reported", ("evicting_session", "room 6 -"): "reported",
    }  # fmt: skip


@pytest.mark.parametrize("place", ["moto"], indirect=True)
async def test_a_page_of_the_store_costs_one_request_whatever_lies_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(bench.store, S3Store)
    for number in range(25):
        await bench.store.put(f"{await bench.keep(number)}a.ts", b"x")
    calls: list[str] = []
    bench.store._line._called = lambda call, outcome: calls.append(call)
    monkeypatch.setattr(listing, "KEYS_MAX", 10)
    assert await bench.sweep() == {}
    assert calls == ["list"] * 3 + ["list_uploads", "list"], "and one for what else there may be"
