"""What the store reports of real files is what the proof takes."""

from pathlib import Path

import pytest

from actors.domain.evidence import NotYet, Proven, judge
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Completeness, Gap, Phase, Recording, RecordingSpec, Want
from actors.domain.outcomes import Done
from actors.domain.policy import Policy
from clients.storage.local import LocalStore
from tests.fakes.media import SID, START_MS, encode, media_in, playlist, slice_name

FRAMES = 235
SECONDS = FRAMES * 1024 / 48_000
LENGTH_MS = round(SECONDS * 1000)
END_MS = START_MS + 4 * LENGTH_MS
NAMES = [slice_name(START_MS + number * LENGTH_MS) for number in range(4)]
RECORDING = Recording(
    recording_id=RecordingId("0199"),
    meeting_id=MeetingId("m-1"),
    spec=RecordingSpec(channel_name="m-1"),
    prefix=("r", "x1"),
    phase=Phase.PROCESSING,
    want=Want.STOP,
    created_at_ms=START_MS - 3000,
    updated_at_ms=END_MS,
    started_by="u",
    started_at_ms=START_MS - 400,
    stop_requested_at_ms=END_MS,
    stopped_at_ms=END_MS + 200,
    stored_at_ms=END_MS + 1000,
)


@pytest.fixture
async def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "media")
    for number, name in enumerate(NAMES):
        await store.put_file(f"r/x1/{name}", encode(tmp_path / name, FRAMES, first_frame=FRAMES * number))
    await store.put_file(f"r/x1/{SID}_m-1_0.mp4", encode(tmp_path / "a.mp4", 4 * FRAMES, faststart=True))
    await store.put(f"r/x1/{SID}_m-1.m3u8", playlist([(name, SECONDS) for name in NAMES]))
    return store


async def verdict(store: LocalStore, now_ms: int) -> object:
    outcome = await media_in(store).examine(RECORDING.prefix)
    assert isinstance(outcome, Done)
    return judge(outcome.value, RECORDING, Policy(), now_ms)


async def test_whole_files_are_proven_complete(store: LocalStore) -> None:
    found = await verdict(store, END_MS + 2000)
    assert isinstance(found, Proven)
    assert (found.completeness, found.gaps) == (Completeness.COMPLETE, ())
    assert found.duration_seconds == pytest.approx(4 * SECONDS, abs=0.002)
    assert found.file_size == sum(each.size for each in await store.list("r/x1/"))
    assert (found.started_at_ms, found.stopped_at_ms) == (START_MS, END_MS)


async def test_a_late_slice_is_waited_for_and_a_lost_one_is_a_gap(store: LocalStore) -> None:
    key = f"r/x1/{NAMES[2]}"
    late = await store.get(key)
    await store.delete([key])
    assert isinstance(await verdict(store, END_MS + 2000), NotYet)
    lost = await verdict(store, END_MS + 100_000)
    assert isinstance(lost, Proven)
    assert lost.completeness is Completeness.PARTIAL
    assert lost.gaps == (Gap(START_MS + 2 * LENGTH_MS, START_MS + 3 * LENGTH_MS, "slice_missing"),)
    await store.put(key, late)
    whole = await verdict(store, END_MS + 100_000)
    assert isinstance(whole, Proven)
    assert (whole.completeness, whole.gaps) == (Completeness.COMPLETE, ())
    assert whole.file_size == lost.file_size + len(late)
