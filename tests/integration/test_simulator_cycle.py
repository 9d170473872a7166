"""A whole recording over HTTP: real files that hold the tone of each second, the answers of the reference, the notifications."""

from datetime import datetime

import av
import pytest

from tests.fakes.studio import RATE, Receiver, samples_of, seconds_heard
from tests.integration.conftest import Begin


async def test_recording_with_mp4_and_playlist(begin: Begin, receiver: tuple[Receiver, str]) -> None:
    hook, url = receiver
    bench = await begin(webhook_url=url)
    take = await bench.record(cname="my_room.1")
    await take.has_slices(2)
    status, told = await take.query()
    assert (status, told["serverResponse"]["status"]) == (200, 5)
    assert told["serverResponse"]["fileList"][0]["fileName"] == f"{take.sid}_my-room-1.m3u8"

    status, told = await take.stop()

    assert status == 200
    assert {"cname", "uid", "resourceId", "sid", "serverResponse"} == set(told)
    listed = told["serverResponse"]
    assert (listed["fileListMode"], listed["uploadingStatus"]) == ("json", "uploaded")
    assert [item["fileName"] for item in listed["fileList"]] == [
        f"{take.sid}_my-room-1.m3u8",
        f"{take.sid}_my-room-1_0.mp4",
    ]
    shown = await bench.shown(take.sid)
    started, ended = (datetime.fromisoformat(shown[name]).timestamp() for name in ("startedAt", "endedAt"))
    movie, slices = samples_of(take.file(".mp4")), samples_of(*take.slices())
    assert len(movie) == len(slices)
    assert len(movie) / RATE == pytest.approx(ended - started, abs=0.03)
    assert max(movie[1024:]) == pytest.approx(0.2512, abs=0.02)  # the first frame lacks the one before it
    for sound in (movie, slices):
        assert len(seconds_heard(sound, started)) >= 1
    await hook.has(take.sid, 40, 42, 4, 41, 30, 31, 11)


async def test_playlist_has_the_lines_of_the_service(begin: Begin) -> None:
    bench = await begin()
    take = await bench.record(outputs=["hls"])
    await take.has_slices(1)
    await bench.has_files("*.m3u8")
    growing = take.file(".m3u8").read_text()
    assert "#EXT-X-ENDLIST" not in growing
    _, told = await take.stop()
    assert told["serverResponse"]["fileList"] == f"{take.sid}_m-1.m3u8"
    assert told["serverResponse"]["fileListMode"] == "string"

    lines = take.file(".m3u8").read_text().splitlines()

    assert lines[:4] == ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-ALLOW-CACHE:YES"]
    assert "#EXT-X-DISCONTINUITY" in lines
    assert any(line.startswith("#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME=") for line in lines)
    durations = [float(line.removeprefix("#EXTINF:")) for line in lines if line.startswith("#EXTINF:")]
    names = [line for line in lines if not line.startswith("#")]
    assert names == [path.name for path in take.slices()]
    assert sum(durations) == pytest.approx(len(samples_of(*take.slices())) / RATE, abs=1e-4)
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert not list(bench.root.rglob("*.mp4"))


async def test_correct_extinf_brings_the_comma(begin: Begin) -> None:
    bench = await begin()
    take = await bench.record(recording={"privateParams": '{"correctEXTINF": true}'})
    await take.has_slices(1)
    await take.stop()
    extinf = [line for line in take.file(".m3u8").read_text().splitlines() if line.startswith("#EXTINF")]
    assert extinf
    assert all(line.endswith(",") for line in extinf)


async def test_asynchronous_stop_answers_at_once_and_the_files_follow(begin: Begin) -> None:
    bench = await begin()
    take = await bench.record()
    await take.has_slices(1)
    status, told = await take.stop(async_stop=True)
    assert (status, told["serverResponse"]["uploadingStatus"]) == (200, "unknown")
    await bench.has_files("*.mp4")


async def test_video_slices_begin_with_a_picture_that_can_be_shown(begin: Begin) -> None:
    bench = await begin()
    picture = {"width": 160, "height": 96, "fps": 5, "bitrate": 100}
    take = await bench.record(recording={"streamTypes": 2, "transcodingConfig": picture})
    await take.has_slices(3)
    await take.stop()
    for path in (*take.slices()[1:-1], take.file(".mp4")):
        with av.open(str(path)) as container:
            first = next(packet for packet in container.demux(container.streams.video[0]) if packet.size)
            assert first.is_keyframe
    with av.open(str(take.file(".mp4"))) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    seconds = len(samples_of(take.file(".mp4"))) / RATE
    assert pictures / 5 == pytest.approx(seconds, abs=1.3)
