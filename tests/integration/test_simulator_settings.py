"""A session keeps what it was begun with, whatever the next start is told; and its times stand in their order."""

import errno
from datetime import datetime
from pathlib import Path

import pytest

from clients.agora.simulator import studio
from clients.agora.simulator.tracks import Track, clock_track
from tests.fakes.studio import RATE, Receiver, samples_of, seconds_heard
from tests.integration.conftest import Begin


async def test_another_slice_length_after_a_restart_leaves_no_hole(begin: Begin) -> None:
    first = await begin(slice_seconds=2)
    take = await first.record()
    await take.has_slices(2)
    await first.stop()
    second = await begin(slice_seconds=1, ahead=10.0)
    take.bench = second
    await take.has_slices(6)
    assert (await take.stop())[0] == 200
    shown = await second.shown(take.sid)
    started, ended = (datetime.fromisoformat(shown[name]).timestamp() for name in ("startedAt", "endedAt"))
    movie, slices = samples_of(take.file(".mp4")), samples_of(*take.slices())
    assert len(slices) == len(movie)
    assert len(slices) / RATE == pytest.approx(ended - started, abs=0.03)
    assert len(seconds_heard(slices, started)) >= 13


async def test_stop_before_it_is_ready(begin: Begin, receiver: tuple[Receiver, str]) -> None:
    """Too short to hold anything; and it does not come up after it has left."""
    hook, url = receiver
    bench = await begin(webhook_url=url, ready_seconds=60.0)
    take = await bench.record()
    await take.stop()
    await hook.has(take.sid, 40, 41, 11)
    times = {event["eventType"]: event["payload"]["sendts"] for event in hook.events(take.sid)}
    assert times[40] <= times[41]


async def test_picture_that_could_not_be_made_is_tried_again(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[tuple[int, int, int]] = []

    def full_disk_once(cache: Path, width: int, height: int, fps: int) -> Track:
        tries.append((width, height, fps))
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "no space left")
        return clock_track(cache, width, height, fps)

    monkeypatch.setattr(studio, "clock_track", full_disk_once)
    bench = await begin()
    picture = {"width": 64, "height": 48, "fps": 2, "bitrate": 100}
    take = await bench.record(recording={"streamTypes": 2, "transcodingConfig": picture})
    await take.has_slices(1)
    assert (await take.stop())[0] == 200
    assert tries == [(64, 48, 2)] * 2
