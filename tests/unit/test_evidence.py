"""What files prove, and what they do not."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.evidence import Nothing, NotYet, Proven, Verdict, judge
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.media import MediaReport, Movie, Playlist, Slice, StoredObject
from actors.domain.model import (
    Attempt,
    Completeness,
    EndReason,
    FailureCode,
    Gap,
    Phase,
    Recording,
    RecordingSpec,
    StorageStatus,
    Want,
)
from actors.domain.policy import Policy

T0 = 1_790_000_000_000
POLICY = Policy()
SID = "a" * 32
OTHER = "b" * 32
LATER = T0 + 3_600_000


def recording(seconds: float = 45, **changes: object) -> Recording:
    """One that captured for `seconds`, was stopped, and whose files the provider says are stored."""
    end = T0 + round(seconds * 1000)
    base = Recording(
        recording_id=RecordingId("0199"),
        meeting_id=MeetingId("m-1"),
        spec=RecordingSpec(channel_name="m-1"),
        prefix=("r", "x"),
        phase=Phase.PROCESSING,
        want=Want.STOP,
        created_at_ms=T0 - 2000,
        updated_at_ms=end,
        started_by="u",
        started_at_ms=T0,
        stop_requested_at_ms=end,
        stopped_at_ms=end + 500,
        deadline_at_ms=end + POLICY.processing_deadline_ms,
        stored_at_ms=end + 1000,
        end_reason=EndReason.STOP_REQUESTED,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def slices(*seconds: float, start_ms: int = T0, sid: str = SID) -> tuple[Slice, ...]:
    made, at = [], start_ms
    for duration in seconds:
        made.append(Slice(f"r/x/{sid}_m-1_{at}.ts", duration, at, 1000))
        at += round(duration * 1000)
    return tuple(made)


def playlist(pieces: tuple[Slice, ...], *, ended: bool = True, sid: str = SID, name: str = "m-1") -> Playlist:
    return Playlist(f"r/x/{sid}_{name}.m3u8", 300, pieces, ended)


def report(*playlists: Playlist, movies: tuple[Movie, ...] = ()) -> MediaReport:
    pieces = {s.key: s.size for p in playlists for s in p.slices if s.size is not None}
    named = [*pieces.items(), *((p.key, p.size) for p in playlists), *((m.key, m.size) for m in movies)]
    return MediaReport(tuple(StoredObject(key, size, T0) for key, size in named), playlists, movies)


def movie(seconds: float | None, index: int = 0, sid: str = SID) -> Movie:
    return Movie(f"r/x/{sid}_m-1_{index}.mp4", 5000, seconds, None if seconds is not None else "broken")


def without(pieces: tuple[Slice, ...], *lost: int, size: int | None = None) -> tuple[Slice, ...]:
    return tuple(replace(s, size=size) if number in lost else s for number, s in enumerate(pieces))


def proven(verdict: Verdict) -> Proven:
    assert isinstance(verdict, Proven), verdict
    return verdict


WHOLE = report(playlist(slices(15, 15, 15)), movies=(movie(45),))
SOON = T0 + 46_000


def test_all_there_is_complete_at_once() -> None:
    verdict = proven(judge(WHOLE, recording(), POLICY, SOON))
    assert verdict.completeness is Completeness.COMPLETE
    assert (verdict.duration_seconds, verdict.file_size, verdict.gaps) == (45.0, 3 * 1000 + 300 + 5000, ())
    assert (verdict.started_at_ms, verdict.stopped_at_ms) == (T0, T0 + 45_000)
    assert [(f.kind, f.part, f.duration_seconds, f.file_size, f.checked) for f in verdict.files] == [
        ("hls", 1, 45.0, 300, True),
        ("mp4", 1, 45.0, 5000, True),
    ]
    assert verdict.evidence == "3 slices of 45.000 s, 1 MP4 of 45.000 s, for 45.000 s"


def session(number: int, sid: str, upload: StorageStatus) -> Attempt:
    return Attempt(number=number, uids=(str(number),), opened_at_ms=T0, sid=sid, closed_at_ms=T0, upload=upload)


@pytest.mark.parametrize("upload", [StorageStatus.PENDING, StorageStatus.UPLOADING])
def test_slices_of_an_earlier_part_may_be_on_their_way_until_the_deadline(upload: StorageStatus) -> None:
    """The word on the last part does not hold for it, and of the provider's backup nobody may have heard."""
    first, last = playlist(without(slices(15, 15), 1)), playlist(slices(15, start_ms=T0 + 30_000, sid=OTHER), sid=OTHER)
    unsaid = recording(past=(session(1, SID, upload),), attempt=session(2, OTHER, StorageStatus.STORED))
    files, later = report(first, last, movies=(movie(15), movie(15, sid=OTHER))), SOON + 1_000_000
    assert isinstance(judge(files, unsaid, POLICY, later), NotYet)
    stored = replace(unsaid, past=(session(1, SID, StorageStatus.STORED),))
    assert proven(judge(files, stored, POLICY, later)).completeness is Completeness.PARTIAL
    assert unsaid.deadline_at_ms is not None
    assert proven(judge(files, unsaid, POLICY, unsaid.deadline_at_ms)).completeness is Completeness.PARTIAL


def test_it_is_complete_without_the_providers_word_that_all_is_stored() -> None:
    assert isinstance(judge(WHOLE, recording(stored_at_ms=None), POLICY, SOON), Proven)


def test_without_mp4_wanted_none_is_needed() -> None:
    spec = RecordingSpec(channel_name="m-1", outputs=("hls",))
    verdict = proven(judge(report(playlist(slices(15, 15, 15))), recording(spec=spec), POLICY, SOON))
    assert verdict.completeness is Completeness.COMPLETE


THREE = slices(15, 15, 15)
FAULTY = {
    "missing": (report(playlist(without(THREE, 1)), movies=(movie(45),)), "1 of 3 slices"),
    "empty": (report(playlist(without(THREE, 2, size=0)), movies=(movie(45),)), "1 of 3 slices"),
    "no end": (report(playlist(THREE, ended=False), movies=(movie(45),)), "no end"),
    "no mp4": (report(playlist(THREE)), "no MP4"),
    "mp4 broken": (report(playlist(THREE), movies=(movie(None),)), "does not open"),
    "mp4 short": (report(playlist(THREE), movies=(movie(40),)), "MP4 has 40.000 s"),
    "tail": (report(playlist(slices(15, 15)), movies=(movie(30),)), "15.000 s are not covered"),
    "head": (report(playlist(slices(15, 15, start_ms=T0 + 15_000)), movies=(movie(30),)), "15.000 s are not covered"),
    "hole": (report(playlist(slices(15) + slices(20, start_ms=T0 + 25_000)[:1]), movies=(movie(35),)), "10.000 s"),
    "no playlist": (report(movies=(movie(45),)), "no playlist"),
    "playlist of lies": (report(playlist(slices(60, start_ms=T0) + THREE), movies=(movie(105),)), "times allow"),
    "playlist of years": (report(playlist(slices(1e8)), movies=(movie(1e8),)), "by now"),
}


@pytest.mark.parametrize(("files", "why"), FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_is_waited_for_until_files_have_settled_and_then_named(files: MediaReport, why: str) -> None:
    stored = recording().stored_at_ms or 0
    waiting = judge(files, recording(), POLICY, stored + POLICY.settle_ms - 1)
    assert isinstance(waiting, NotYet)
    assert why in waiting.why
    settled = proven(judge(files, recording(), POLICY, stored + POLICY.settle_ms))
    assert settled.completeness is Completeness.PARTIAL
    assert why in settled.evidence


@pytest.mark.parametrize("files", [files for files, _ in FAULTY.values()], ids=FAULTY.keys())
def test_without_the_providers_word_a_fault_is_waited_for_until_the_deadline(files: MediaReport) -> None:
    case = recording(stored_at_ms=None)
    deadline = case.deadline_at_ms or 0
    assert isinstance(judge(files, case, POLICY, deadline - 1), NotYet)
    assert isinstance(judge(files, case, POLICY, deadline), Proven)


def gaps_of(files: MediaReport, case: Recording | None = None) -> list[Gap]:
    return list(proven(judge(files, case or recording(), POLICY, LATER)).gaps)


def test_gaps_have_times_and_reasons() -> None:
    assert gaps_of(FAULTY["missing"][0]) == [Gap(T0 + 15_000, T0 + 30_000, "slice_missing")]
    assert gaps_of(FAULTY["empty"][0]) == [Gap(T0 + 30_000, T0 + 45_000, "slice_empty")]
    assert gaps_of(FAULTY["tail"][0]) == [Gap(T0 + 30_000, T0 + 45_000, "not_captured")]
    assert gaps_of(FAULTY["head"][0]) == [Gap(T0, T0 + 15_000, "not_captured")]
    assert gaps_of(FAULTY["hole"][0]) == [Gap(T0 + 15_000, T0 + 25_000, "not_captured")]
    assert gaps_of(FAULTY["no mp4"][0]) == []


def test_a_recorder_that_died_leaves_a_gap_up_to_its_known_end() -> None:
    died = recording(stop_requested_at_ms=None, stopped_at_ms=T0 + 100_000, end_reason=EndReason.PROVIDER_ERROR)
    files = report(playlist(slices(15, 15), ended=False))
    assert gaps_of(files, died) == [Gap(T0 + 30_000, T0 + 100_000, "recorder_lost")]


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("seconds", [45, 1500])
def test_a_recorder_that_left_by_itself_before_the_stop_leaves_a_gap_until_then(seconds: int, ended: bool) -> None:
    stopped_late = recording(seconds + 20, stopped_at_ms=T0 + seconds * 1000)
    files = report(playlist(slices(*[15] * (seconds // 15)), ended=ended), movies=(movie(seconds),))
    expected = Gap(T0 + seconds * 1000, T0 + (seconds + 20) * 1000, "recorder_lost")
    assert gaps_of(files, stopped_late) == [expected]


def test_a_limit_that_was_acted_on_late_asks_for_nothing_beyond_it() -> None:
    """The server stood still for a while, and the recorder had left at the limit by itself."""
    spec = RecordingSpec(channel_name="m-1", max_duration_seconds=45)
    late = recording(300, spec=spec, stopped_at_ms=T0 + 45_000, end_reason=EndReason.MAX_DURATION)
    assert gaps_of(WHOLE, late) == []
    died = report(playlist(slices(15, 15)), movies=(movie(30),))
    assert gaps_of(died, replace(late, stopped_at_ms=T0 + 30_000)) == [Gap(T0 + 30_000, T0 + 45_000, "recorder_lost")]


def test_the_files_of_the_last_recorder_are_waited_for_though_little_may_be_missing() -> None:
    """It took the place of another just before the stop."""
    end = T0 + 46_000
    last = Attempt(number=2, uids=("2",), opened_at_ms=end - 1000, sid="b" * 32, closed_at_ms=end)
    case = recording(46, attempt=last)
    assert isinstance(judge(WHOLE, case, POLICY, end + POLICY.settle_ms - 1), NotYet)
    assert proven(judge(WHOLE, case, POLICY, end + POLICY.settle_ms)).completeness is Completeness.COMPLETE
    there = replace(case, attempt=replace(last, sid=SID))
    assert proven(judge(WHOLE, there, POLICY, end)).completeness is Completeness.COMPLETE


def test_an_empty_room_that_was_left_before_its_stop_is_no_gap() -> None:
    empty = recording(300, stopped_at_ms=T0 + 45_000, end_reason=EndReason.EMPTY_ROOM)
    assert gaps_of(WHOLE, empty) == []


def test_an_empty_room_at_the_end_is_no_gap_when_the_recorder_closed_its_list() -> None:
    idle = recording(stop_requested_at_ms=None, stopped_at_ms=T0 + 345_000, end_reason=EndReason.PROVIDER_IDLE)
    verdict = proven(judge(WHOLE, idle, POLICY, LATER))
    assert (verdict.completeness, verdict.stopped_at_ms) == (Completeness.COMPLETE, T0 + 45_000)
    unclosed = report(playlist(THREE, ended=False), movies=(movie(45),))
    assert gaps_of(unclosed, idle) == [Gap(T0 + 45_000, T0 + 345_000, "recorder_lost")]


def test_what_was_captured_after_the_stop_was_asked_for_is_not_held_against_it() -> None:
    files = report(playlist(slices(15, 15, 15, 15)), movies=(movie(60),))
    verdict = proven(judge(files, recording(stopped_at_ms=T0 + 60_000), POLICY, LATER))
    assert (verdict.completeness, verdict.stopped_at_ms) == (Completeness.COMPLETE, T0 + 60_000)


def test_slices_tell_better_than_events_when_capture_began_and_ended() -> None:
    files = report(playlist(slices(15, 15, 13, start_ms=T0 + 700)), movies=(movie(43),))
    for case in (recording(), recording(started_at_ms=None), recording(started_at_ms=T0 + 20_000)):
        verdict = proven(judge(files, case, POLICY, LATER))
        assert (verdict.started_at_ms, verdict.stopped_at_ms) == (T0 + 700, T0 + 43_700)
        assert verdict.completeness is Completeness.COMPLETE


def test_slices_without_readable_times_follow_one_another() -> None:
    nameless = tuple(replace(s, started_at_ms=None) for s in THREE)
    assert gaps_of(report(playlist(without(nameless, 1)))) == [Gap(T0 + 15_000, T0 + 30_000, "slice_missing")]
    late = (replace(THREE[0], started_at_ms=None), replace(THREE[1], started_at_ms=T0 + 16_000), nameless[2])
    verdict = proven(judge(report(playlist(late)), recording(), POLICY, LATER))
    assert (verdict.started_at_ms, verdict.stopped_at_ms) == (T0 + 1000, T0 + 46_000)


def test_many_small_holes_add_up() -> None:
    pieces = tuple(
        Slice(f"r/x/{SID}_m-1_{n}.ts", 13, T0 + n * 15_000, 1000) for n in range(10)
    )  # 2 s are lost of each 15
    verdict = proven(judge(report(playlist(pieces), movies=(movie(130),)), recording(150), POLICY, LATER))
    assert verdict.completeness is Completeness.PARTIAL
    assert sum(g.to_ms - g.from_ms for g in verdict.gaps) == 20_000


def test_where_a_recorder_was_replaced_something_is_missing_however_little() -> None:
    first, second = "f" * 32, "b" * 32
    early = playlist(slices(15, sid=first), ended=False, sid=first)
    late = playlist(slices(20, start_ms=T0 + 16_000, sid=second), sid=second)
    files = report(late, early, movies=(movie(20, sid=second), movie(15, sid=first)))
    verdict = proven(judge(files, recording(), POLICY, LATER))
    assert verdict.completeness is Completeness.PARTIAL
    assert verdict.gaps[0] == Gap(T0 + 15_000, T0 + 16_000, "recorder_lost")


def test_a_recorder_that_was_replaced_late_makes_no_gaps_of_what_is_within_the_tolerance() -> None:
    first, second = "f" * 32, "b" * 32
    early = playlist(slices(15, start_ms=T0 + 200, sid=first), ended=False, sid=first)
    late = playlist(slices(20, start_ms=T0 + 35_000, sid=second), sid=second)
    files = report(late, early, movies=(movie(20, sid=second), movie(15, sid=first)))
    verdict = proven(judge(files, recording(seconds=56), POLICY, LATER))
    assert verdict.gaps == (Gap(T0 + 15_200, T0 + 35_000, "recorder_lost"),)


def test_parts_are_numbered_in_the_order_of_their_first_slice() -> None:
    first, second = "f" * 32, "b" * 32
    early = playlist(slices(15, sid=first), ended=False, sid=first)
    late = playlist(slices(20, start_ms=T0 + 25_000, sid=second), sid=second)
    files = report(late, early, movies=(movie(20, sid=second), movie(15, sid=first)))
    verdict = proven(judge(files, recording(), POLICY, LATER))
    assert [(f.part, f.kind, f.key[4]) for f in verdict.files] == [
        (1, "hls", "f"),
        (1, "mp4", "f"),
        (2, "hls", "b"),
        (2, "mp4", "b"),
    ]
    assert verdict.gaps == (Gap(T0 + 15_000, T0 + 25_000, "recorder_lost"),)


def test_files_of_a_recorder_that_moved_are_of_the_same_part() -> None:
    moved = tuple(replace(s, key=s.key.replace("r/x/", "r/x/bak0_")) for s in slices(15, 15, start_ms=T0 + 15_000))
    files = report(
        playlist(slices(15), ended=False),
        Playlist(f"r/x/bak0_{SID}_m-1.m3u8", 300, moved, ended=True),
        movies=(movie(15), replace(movie(30), key=f"r/x/bak0_{SID}_m-1_0.mp4")),
    )
    verdict = proven(judge(files, recording(), POLICY, LATER))
    assert verdict.completeness is Completeness.COMPLETE
    assert {f.part for f in verdict.files} == {1}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (report(), FailureCode.NO_MEDIA),
        (report(playlist(())), FailureCode.NO_MEDIA),
        (report(playlist(without(THREE, 0, 1, 2))), FailureCode.SLICES_MISSING),
        (report(Playlist("r/x/a.m3u8", 5, (), False, "it is no playlist")), FailureCode.SLICES_MISSING),
        (report(movies=(movie(None),)), FailureCode.NO_MEDIA),
    ],
)
def test_nothing_to_play_is_waited_for_and_then_named(files: MediaReport, code: FailureCode) -> None:
    waiting = judge(files, recording(), POLICY, SOON)
    assert isinstance(waiting, NotYet)
    assert waiting.code is code
    final = judge(files, recording(), POLICY, LATER)
    assert isinstance(final, Nothing)
    assert final.code is code
    assert final.why


def test_when_the_provider_recorded_nothing_nothing_is_waited_for() -> None:
    case = recording(nothing_recorded=True, stored_at_ms=None)
    assert judge(report(), case, POLICY, SOON) == Nothing(FailureCode.NO_MEDIA, "the provider recorded nothing")
    assert proven(judge(WHOLE, case, POLICY, SOON)).completeness is Completeness.COMPLETE


DURATIONS = st.lists(st.integers(min_value=1, max_value=60_000), min_size=1, max_size=30)


def whole(lengths_ms: list[int]) -> tuple[Recording, tuple[Slice, ...], float]:
    seconds = sum(lengths_ms) / 1000
    return recording(seconds), slices(*(length / 1000 for length in lengths_ms)), seconds


@given(lengths=DURATIONS)
def test_whole_recordings_are_complete_and_last_as_long_as_their_slices(lengths: list[int]) -> None:
    case, pieces, seconds = whole(lengths)
    verdict = proven(judge(report(playlist(pieces), movies=(movie(seconds),)), case, POLICY, LATER + 10**7))
    assert verdict.completeness is Completeness.COMPLETE
    assert verdict.duration_seconds == seconds


@given(lengths=DURATIONS, data=st.data())
def test_no_lost_slice_goes_unseen_and_durations_add_up(lengths: list[int], data: st.DataObject) -> None:
    case, pieces, seconds = whole(lengths)
    lost = data.draw(st.sets(st.integers(0, len(pieces) - 1), min_size=1))
    files = report(playlist(without(pieces, *lost)), movies=(movie(seconds),))
    verdict = proven(judge(files, case, POLICY, LATER + 10**7))
    assert verdict.completeness is Completeness.PARTIAL
    gaps_ms = sum(g.to_ms - g.from_ms for g in verdict.gaps)
    if len(lost) < len(pieces):
        assert round(verdict.duration_seconds * 1000) + gaps_ms == verdict.stopped_at_ms - verdict.started_at_ms
    assert all(g.from_ms < g.to_ms for g in verdict.gaps)
    assert all(a.to_ms < b.from_ms for a, b in zip(verdict.gaps, verdict.gaps[1:], strict=False))


@given(lengths=DURATIONS, data=st.data())
def test_slices_that_no_playlist_names_do_not_go_unseen_when_they_matter(
    lengths: list[int], data: st.DataObject
) -> None:
    case, pieces, _ = whole(lengths)
    kept = data.draw(st.sets(st.integers(0, len(pieces) - 1), min_size=1))
    there = tuple(s for number, s in enumerate(pieces) if number in kept)
    lost_ms = sum(lengths) - sum(length for number, length in enumerate(lengths) if number in kept)
    files = report(playlist(there), movies=(movie(sum(s.duration_seconds for s in there)),))
    verdict = proven(judge(files, case, POLICY, LATER + 10**7))
    slack = max(POLICY.tolerance_ms, POLICY.tolerance_ratio * sum(lengths))
    if lost_ms > slack:
        assert verdict.completeness is Completeness.PARTIAL
        assert sum(g.to_ms - g.from_ms for g in verdict.gaps) >= lost_ms - slack


def test_a_day_with_half_of_its_slices_lost_is_judged_in_no_time() -> None:
    pieces = slices(*[15.0] * 5520)
    files = report(playlist(without(pieces, *range(0, 5520, 2))), movies=(movie(82_800),))
    began = time.process_time()
    verdict = proven(judge(files, recording(82_800), POLICY, LATER + 10**8))
    assert len(verdict.gaps) == 2760
    assert time.process_time() - began < 1


def test_when_the_provider_recorded_nothing_an_empty_list_is_not_waited_for() -> None:
    verdict = judge(report(playlist(())), recording(nothing_recorded=True, stored_at_ms=None), POLICY, SOON)
    assert isinstance(verdict, Nothing)
    assert verdict.code is FailureCode.NO_MEDIA
