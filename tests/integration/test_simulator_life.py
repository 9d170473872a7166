"""Sessions live longer than the simulator, and end by themselves when nobody is there (api.md 7)."""

from datetime import datetime

import pytest

from actors.ports import StorageUnavailable
from clients.agora.simulator import life
from tests.fakes.studio import RATE, Clock, Receiver, samples_of, seconds_heard
from tests.integration.conftest import Begin
from tests.waiting import eventually

Hook = tuple[Receiver, str]


async def test_restart_goes_on_as_if_it_had_never_died(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    first = await begin(webhook_url=url)
    take = await first.record()
    unused = await first.acquire("m-2", "78")
    await take.has_slices(1)
    await first.stop()

    second = await begin(webhook_url=url, ahead=20)
    take.bench = second
    assert await second.begin(take.resource) == (201, {"code": 7, "reason": "already started"})
    assert (await second.begin(unused, "m-2", "78"))[0] == 200
    assert (await take.query())[0] == 200
    await take.has_slices(20)
    assert (await take.stop())[0] == 200

    shown = await second.shown(take.sid)
    started, ended = (datetime.fromisoformat(shown[name]).timestamp() for name in ("startedAt", "endedAt"))
    movie, slices = samples_of(take.file(".mp4")), samples_of(*take.slices())
    assert len(movie) == len(slices)
    assert len(movie) / RATE == pytest.approx(ended - started, abs=0.03)
    assert ended - started > 20
    assert len(seconds_heard(movie, started)) >= 20
    assert len(seconds_heard(slices, started)) >= 20
    await hook.has(take.sid, 40, 42, 4, 41, 30, 31, 11)
    ids = {event["noticeId"]: event["payload"]["sequence"] for event in hook.events(take.sid)}
    assert sorted(ids.values()) == list(range(len(ids)))


async def test_whole_life_in_one_death(begin: Begin, receiver: Hook) -> None:
    """Its people leave an hour after the death; the idle limit comes 5 s later; then it has ended, files and all."""
    hook, url = receiver
    first = await begin(webhook_url=url, people_seconds=10.0)
    take = await first.record(recording={"maxIdleTime": 5})
    await take.has_slices(1)
    await first.stop()

    second = await begin(webhook_url=url, people_seconds=10.0, ahead=60)
    take.bench = second
    shown = await second.shown(take.sid)
    assert shown["exitReason"] == "idle"
    started, ended = (datetime.fromisoformat(shown[name]).timestamp() for name in ("startedAt", "endedAt"))
    assert 15 < ended - started < 30
    await hook.has(take.sid, 41, 30, 31, 11)
    left = next(event["payload"] for event in hook.events(take.sid) if event["eventType"] == 41)
    assert left["details"]["leaveCode"] == 4
    assert left["sendts"] == round(ended * 1000)
    assert len(samples_of(take.file(".mp4"))) / RATE == pytest.approx(ended - started, abs=0.03)
    assert (await take.query())[0] == 404
    # The next recording of that channel has people again.
    _, told = await second.ask("GET", "/_simulator/channels/m-1")
    assert len(told["users"]) == 2


async def test_death_between_stop_and_upload(begin: Begin) -> None:
    first = await begin(slice_seconds=60)
    take = await first.record()

    async def is_up() -> bool:
        return bool((await take.query())[1]["serverResponse"]["status"] == 4)

    await eventually(is_up)
    await take.stop(async_stop=True)
    await first.stop()
    second = await begin(slice_seconds=60)
    await second.has_files(f"{take.sid}*.mp4")
    assert (await second.shown(take.sid))["exitReason"] == "stopped"


async def test_empty_channel_ends_its_recording(begin: Begin, receiver: Hook) -> None:
    hook, url = receiver
    clock = Clock()
    bench = await begin(webhook_url=url, now=clock)
    take = await bench.record(recording={"maxIdleTime": 5})
    await take.has_slices(1)
    assert await bench.ask("PUT", "/_simulator/channels/m-1", {"users": []}) == (200, {"users": []})
    clock.ahead += 4
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": [5]})
    clock.ahead += 10
    assert (await take.query())[0] == 200
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": []})
    clock.ahead += 6
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": []})
    await hook.has(take.sid, 41, 30, 31, 11)
    clock.ahead += 30
    assert (await take.stop())[0] == 404


async def test_equal_uid_drives_the_recorder_out(begin: Begin) -> None:
    bench = await begin()
    take = await bench.record()
    await take.has_slices(1)
    await bench.ask("PUT", "/_simulator/channels/m-1", {"users": ["77"]})
    assert (await bench.shown(take.sid))["exitReason"] == "same uid joined"
    assert (await take.stop())[1]["code"] == 49


async def test_storage_that_refuses_is_tried_again(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "STORAGE_PAUSE_MS", 20)
    bench = await begin(stop_seconds_max=0.1)
    works = bench.store.put

    async def refuses(key: str, data: bytes) -> None:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(bench.store, "put", refuses)
    take = await bench.record()

    async def is_up() -> bool:
        return bool((await take.query())[1]["serverResponse"]["status"] == 4)

    await eventually(is_up)
    status, told = await take.stop()
    assert (status, told["code"]) == (500, 50)
    assert (await take.stop())[1]["code"] == 49
    monkeypatch.setattr(bench.store, "put", works)
    await bench.has_files(f"{take.sid}*.mp4")
    assert len(samples_of(take.file(".mp4"))) == len(samples_of(*take.slices()))
