"""Real files in a folder and in buckets: examined, and erased."""

from contextlib import AbstractContextManager
from itertools import product
from pathlib import Path

import pytest
import pytest_asyncio

from actors.domain.media import MediaReport, StoredObject
from actors.domain.model import FailureCode
from actors.domain.outcomes import Done, Erased, Inventory, RetryLater
from actors.ports import StorageDenied, StorageUnavailable
from clients.storage.media import PLAYLIST_BYTES_MAX
from tests.contract.stores import Store
from tests.fakes.buckets import S3Server
from tests.fakes.media import SID, START_MS, encode, media_in, playlist, slice_name

PREFIX = ("r", "x1")
LIST = f"r/x1/{SID}_m-1.m3u8"
SECONDS = 47 * 1024 / 48_000
NAMES = [slice_name(START_MS + number * 1003) for number in range(3)]


@pytest.fixture(params=["local", "seaweed"])
def place(request: pytest.FixtureRequest) -> S3Server | None:
    """One bucket is enough: `test_storage.py` shows that the stores are alike."""
    return None if request.param == "local" else request.getfixturevalue("seaweed")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Three slices of about a second and an MP4 of the whole, by their keys."""
    folder = tmp_path_factory.mktemp("media")
    slices = (encode(folder / name, 47, first_frame=47 * number) for number, name in enumerate(NAMES))
    files = (*slices, encode(folder / f"{SID}_m-1_0.mp4", 141, faststart=True))
    return {f"r/x1/{path.name}": path.read_bytes() for path in files}


@pytest_asyncio.fixture
async def filled(store: Store, media: dict[str, bytes]) -> Store:
    """The media, with a list of the slices."""
    for key, data in media.items():
        await store.put(key, data)
    await store.put(LIST, playlist([(name, SECONDS) for name in NAMES]))
    await store.put("r/x2/other.ts", b"of another recording")
    return store


async def examined(filled: Store) -> MediaReport:
    outcome = await media_in(filled).examine(PREFIX)
    assert isinstance(outcome, Done)
    return outcome.value


async def test_everything_below_the_prefix_is_reported(filled: Store) -> None:
    report = await examined(filled)
    assert len(report.objects) == 5
    (found,) = report.playlists
    assert (found.key, found.ended, found.error) == (LIST, True, None)
    assert [(s.key, s.started_at_ms) for s in found.slices] == [
        (f"r/x1/{name}", START_MS + number * 1003) for number, name in enumerate(NAMES)
    ]
    assert all(s.size and s.duration_seconds == pytest.approx(SECONDS, abs=1e-5) for s in found.slices)
    (film,) = report.movies
    assert film.duration_seconds == pytest.approx(141 * 1024 / 48_000, abs=0.05)


async def test_a_slice_that_is_not_there_has_no_size_and_an_empty_one_none_to_play(filled: Store) -> None:
    await filled.delete([f"r/x1/{NAMES[0]}"])
    await filled.put(f"r/x1/{NAMES[1]}", b"")
    (found,) = (await examined(filled)).playlists
    assert [s.size for s in found.slices][:2] == [None, 0]


async def test_a_garbled_playlist_is_reported_with_its_reason(filled: Store) -> None:
    await filled.put(LIST, b"<html>")
    (found,) = (await examined(filled)).playlists
    assert found.slices == ()
    assert found.error is not None
    assert "#EXTM3U" in found.error


async def test_an_mp4_that_was_cut_off_does_not_open(filled: Store, tmp_path: Path) -> None:
    whole = encode(tmp_path / "long.mp4", 470, faststart=True).read_bytes()
    for kept in (0.0, 0.3, 0.9):
        await filled.put(f"r/x1/{SID}_m-1_0.mp4", whole[: int(len(whole) * kept)])
        (film,) = (await examined(filled)).movies
        assert film.duration_seconds is None, kept
        assert film.error is not None
        assert str(tmp_path) not in film.error


async def test_an_empty_prefix_is_an_empty_report(filled: Store) -> None:
    assert await media_in(filled).examine(("r", "nothing")) == Done(MediaReport((), (), ()))


async def test_erasing_takes_all_of_one_recording_and_nothing_else(filled: Store) -> None:
    total = sum(found.size for found in await filled.list("r/x1/"))
    receipt = await media_in(filled).survey(PREFIX, None)
    assert isinstance(receipt, Done)
    assert {each.name for each in receipt.value.objects} >= {LIST.rpartition("/")[2], *NAMES}
    assert sum(each.size for each in receipt.value.objects) == total
    assert await media_in(filled).erase(PREFIX) == Done(Erased(5, total))
    assert [found.key for found in await filled.list("")] == ["r/x2/other.ts"]
    assert await media_in(filled).survey(PREFIX, None) == Done(Inventory(()))


async def test_no_prefix_never_means_the_whole_store(filled: Store) -> None:
    media, prefixes = media_in(filled), ((), ("",), ("r", ""))
    calls = (media.erase, media.examine, lambda prefix: media.survey(prefix, None))
    for call, prefix in product(calls, prefixes):
        outcome = await call(prefix)
        assert isinstance(outcome, RetryLater)
        assert outcome.failure.code is FailureCode.STORAGE_DENIED
    assert len(await filled.list("")) == 6


class Failing:
    """A store that refuses."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def list(self, prefix: str) -> list[StoredObject]:
        raise self.error

    async def survey(self, prefix: str, after: str | None, limit: int) -> Inventory:
        raise self.error

    async def delete_prefix(self, prefix: str) -> Erased:
        raise self.error

    async def get(self, key: str) -> bytes:
        raise AssertionError(key)

    def source(self, found: StoredObject) -> AbstractContextManager[str]:
        raise AssertionError(found)


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (StorageDenied("no rights"), FailureCode.STORAGE_DENIED, False),
        (StorageUnavailable("asleep"), FailureCode.STORAGE_UNAVAILABLE, True),
    ],
)
async def test_trouble_is_an_outcome(error: Exception, code: FailureCode, retryable: bool) -> None:
    media = media_in(Failing(error))
    for outcome in (await media.examine(PREFIX), await media.survey(PREFIX, None), await media.erase(PREFIX)):
        assert isinstance(outcome, RetryLater)
        assert (outcome.failure.code, outcome.failure.retryable) == (code, retryable)
        assert str(error) in outcome.failure.message


async def test_a_list_beyond_all_measure_is_not_read(filled: Store) -> None:
    await filled.put(LIST, bytes(PLAYLIST_BYTES_MAX + 1))
    (found,) = (await examined(filled)).playlists
    assert found.error is not None
    assert "more than" in found.error
