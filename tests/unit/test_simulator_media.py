"""The shared media: slices of any place and length decode to exactly their frames, and the loop has no seam."""

import math
from pathlib import Path

import pytest

from clients.agora.simulator.muxing import slice_bytes, write_movie
from clients.agora.simulator.tracks import AMPLITUDE, SAMPLES, Track, clock_track, file_track, tone_track
from tests.fakes.studio import RATE, hertz_at, samples_of, tone_of

EPOCH = 1_790_000_000


@pytest.fixture(scope="module")
def tone_of_disk(tmp_path_factory: pytest.TempPathFactory) -> Track:
    folder = tmp_path_factory.mktemp("tone")
    tone_track(folder)
    return tone_track(folder)  # the second one is read from the first one's file


def test_a_round_is_120_seconds_in_frames(tone_of_disk: Track) -> None:
    assert len(tone_of_disk.packets) == 5_625
    assert tone_of_disk.seconds(5_625) == 120.0


@pytest.mark.parametrize("frames", [7, 8, 47, 704])
@pytest.mark.parametrize("offset", [0, 5_620, 1_234])
def test_slice_decodes_to_its_frames(tmp_path: Path, tone_of_disk: Track, frames: int, offset: int) -> None:
    first = tone_of_disk.index_at(EPOCH) // 5_625 * 5_625 + offset
    file = tmp_path / "slice.ts"
    file.write_bytes(slice_bytes([(tone_of_disk, first, first + frames, first - 100)]))
    assert len(samples_of(file)) == frames * SAMPLES


def test_every_second_of_a_round_sounds_as_it_must(tmp_path: Path, tone_of_disk: Track) -> None:
    """Also across the seam, and never louder than -12 dBFS."""
    first = tone_of_disk.index_at(EPOCH)
    file = tmp_path / "movie.mp4"
    write_movie(file, [(tone_of_disk, first, first + 5_625 + 100, first)])
    sound = samples_of(file)[SAMPLES:]
    begin = tone_of_disk.seconds(first + 1)
    for second in range(math.ceil(begin), math.floor(begin + len(sound) / RATE)):
        assert hertz_at(sound, second - begin + 0.1, 0.8) == pytest.approx(tone_of(second), abs=1)
    assert max(sound) == pytest.approx(AMPLITUDE, abs=0.005)


def test_picture_has_a_key_frame_on_each_second_and_one_round(tmp_path: Path) -> None:
    track = clock_track(tmp_path, 64, 48, 3)
    assert len(track.packets) == 360
    assert [key for _, key in track.packets[:7]] == [True, False, False, True, False, False, True]
    assert track.key_at(EPOCH + 0.1) == (EPOCH + 1) * 3


def test_any_sound_is_looped_without_a_seam(tmp_path: Path, tone_of_disk: Track) -> None:
    """Two seconds of 300 and 310 Hz, and then the same again."""
    begin = tone_of_disk.index_at(EPOCH // 120 * 120)
    song = tmp_path / "song.mp4"
    write_movie(song, [(tone_of_disk, begin, begin + 94, begin)])
    track = file_track(song, tmp_path)
    assert len(track.packets) == 94
    first = track.index_at(EPOCH) // 94 * 94
    looped = tmp_path / "looped.mp4"
    write_movie(looped, [(track, first, first + 188, first)])
    sound = samples_of(looped)
    for begin_at in (0.2, 94 * SAMPLES / RATE + 0.2):
        assert hertz_at(sound, begin_at, 0.5) == pytest.approx(300, abs=2)
        assert hertz_at(sound, begin_at + 1, 0.5) == pytest.approx(310, abs=2)


def test_too_short_a_sound_is_refused(tmp_path: Path, tone_of_disk: Track) -> None:
    song = tmp_path / "song.mp4"
    write_movie(song, [(tone_of_disk, 0, 10, 0)])
    with pytest.raises(ValueError, match="less than a second"):
        file_track(song, tmp_path)
