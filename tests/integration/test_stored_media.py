"""Real files in a real folder: examined, and erased."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from actors.domain.media import MediaReport, StoredObject
from actors.domain.model import FailureCode
from actors.domain.outcomes import Done, Erased, RetryLater
from actors.ports import StorageDenied, StorageUnavailable
from clients.storage.local import LocalStore
from clients.storage.media import PLAYLIST_BYTES_MAX, StoredMedia
from tests.fakes.media import SID, START_MS, encode, playlist, slice_name

PREFIX = ("r", "x1")
LIST = f"r/x1/{SID}_m-1.m3u8"
SECONDS = 47 * 1024 / 48_000
NAMES = [slice_name(START_MS + number * 1003) for number in range(3)]


@pytest.fixture
async def store(tmp_path: Path) -> LocalStore:
    """Three slices of about a second, their list, and an MP4 of the whole."""
    store = LocalStore(tmp_path / "media")
    for number, name in enumerate(NAMES):
        await store.put_file(f"r/x1/{name}", encode(tmp_path / name, 47, first_frame=47 * number))
    await store.put_file(f"r/x1/{SID}_m-1_0.mp4", encode(tmp_path / "whole.mp4", 141, faststart=True))
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES]))
    await store.put("r/x2/other.ts", b"of another recording")
    return store


async def examined(store: LocalStore) -> MediaReport:
    outcome = await StoredMedia(store).examine(PREFIX)
    assert isinstance(outcome, Done)
    return outcome.value


async def test_everything_below_the_prefix_is_reported(store: LocalStore) -> None:
    report = await examined(store)
    assert len(report.objects) == 5
    (found,) = report.playlists
    assert (found.key, found.ended, found.error) == (LIST, True, None)
    assert [(s.key, s.started_at_ms) for s in found.slices] == [
        (f"r/x1/{name}", START_MS + number * 1003) for number, name in enumerate(NAMES)
    ]
    assert all(s.size and s.duration_seconds == pytest.approx(SECONDS, abs=1e-5) for s in found.slices)
    (film,) = report.movies
    assert film.duration_seconds == pytest.approx(141 * 1024 / 48_000, abs=0.05)


async def test_a_slice_that_is_not_there_has_no_size_and_an_empty_one_none_to_play(store: LocalStore) -> None:
    await store.delete([f"r/x1/{NAMES[0]}"])
    await store.put(f"r/x1/{NAMES[1]}", b"")
    (found,) = (await examined(store)).playlists
    assert [s.size for s in found.slices][:2] == [None, 0]


async def test_a_garbled_playlist_is_reported_with_its_reason(store: LocalStore) -> None:
    await store.put(LIST, b"<html>")
    (found,) = (await examined(store)).playlists
    assert found.slices == ()
    assert found.error is not None
    assert "#EXTM3U" in found.error


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
async def test_an_mp4_that_was_cut_off_does_not_open(store: LocalStore, tmp_path: Path, kept: float) -> None:
    whole = encode(tmp_path / "long.mp4", 470, faststart=True).read_bytes()
    await store.put(f"r/x1/{SID}_m-1_0.mp4", whole[: int(len(whole) * kept)])
    (film,) = (await examined(store)).movies
    assert film.duration_seconds is None
    assert film.error is not None
    assert str(tmp_path) not in film.error


async def test_an_empty_prefix_is_an_empty_report(store: LocalStore) -> None:
    assert await StoredMedia(store).examine(("r", "nothing")) == Done(MediaReport((), (), ()))


async def test_erasing_takes_all_of_one_recording_and_nothing_else(store: LocalStore) -> None:
    total = sum(found.size for found in await store.list("r/x1/"))
    assert await StoredMedia(store).erase(PREFIX) == Done(Erased(5, total))
    assert [found.key for found in await store.list("")] == ["r/x2/other.ts"]
    assert await StoredMedia(store).erase(PREFIX) == Done(Erased(0, 0))


@pytest.mark.parametrize("prefix", [(), ("",), ("r", "")])
async def test_no_prefix_never_means_the_whole_store(store: LocalStore, prefix: tuple[str, ...]) -> None:
    for outcome in (await StoredMedia(store).erase(prefix), await StoredMedia(store).examine(prefix)):
        assert isinstance(outcome, RetryLater)
        assert outcome.failure.code is FailureCode.STORAGE_DENIED
    assert len(await store.list("")) == 6


class Failing:
    """A store that refuses; or one that takes a deletion and keeps the object."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def list(self, prefix: str) -> list[StoredObject]:
        if self.error is not None:
            raise self.error
        return [StoredObject(prefix + "a", 1, 0)]

    async def get(self, key: str) -> bytes:
        raise AssertionError(key)

    async def delete(self, keys: Sequence[str]) -> None: ...

    def source(self, key: str) -> str:
        return key


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (StorageDenied("no rights"), FailureCode.STORAGE_DENIED, False),
        (StorageUnavailable("asleep"), FailureCode.STORAGE_UNAVAILABLE, True),
    ],
)
async def test_trouble_is_an_outcome(error: Exception, code: FailureCode, retryable: bool) -> None:
    media = StoredMedia(Failing(error))
    for outcome in (await media.examine(PREFIX), await media.erase(PREFIX)):
        assert isinstance(outcome, RetryLater)
        assert (outcome.failure.code, outcome.failure.retryable) == (code, retryable)
        assert str(error) in outcome.failure.message


async def test_what_is_left_after_erasing_is_not_called_erased() -> None:
    outcome = await StoredMedia(Failing(None)).erase(PREFIX)
    assert isinstance(outcome, RetryLater)
    assert "1 objects" in outcome.why


async def test_a_list_beyond_all_measure_is_not_read(store: LocalStore) -> None:
    with store.path(LIST).open("r+b") as file:
        file.truncate(PLAYLIST_BYTES_MAX + 1)
    (found,) = (await examined(store)).playlists
    assert found.error is not None
    assert "more than" in found.error
