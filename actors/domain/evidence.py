"""Proof before `completed`: what storage holds, held against the time that was captured.

Nobody's word is taken for it, neither the provider's nor a playlist's: a recording is complete when every listed slice is
there, the recorder closed its playlist, the MP4 opens, and the durations fit. While files may still come, what is not
proven is waited for; afterwards it is named.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from actors.domain.media import MediaReport, Playlist
from actors.domain.model import LOST, Completeness, EndReason, FailureCode, Gap, MediaFile, Recording, StorageStatus
from actors.domain.policy import Policy
from actors.domain.projections import attempts_of
from actors.domain.timeline import Part, Stretch, milliseconds, parts_of, session_of, uncovered


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """There is something to play, and this is all there is to say of it. Seconds without gaps; bytes of all objects."""

    completeness: Completeness
    duration_seconds: float
    file_size: int
    files: tuple[MediaFile, ...]
    gaps: tuple[Gap, ...]
    started_at_ms: int
    stopped_at_ms: int
    evidence: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """Not proven, and files may still come. `code` is what it would be called if they never do."""

    why: str
    code: FailureCode


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to play, and nothing will come."""

    code: FailureCode
    why: str


Verdict = Proven | NotYet | Nothing


def judge(report: MediaReport, recording: Recording, policy: Policy, now_ms: int) -> Verdict:
    """What the files prove. `recording` is one whose recorder is gone, so its times are known as far as they ever will be."""
    if recording.nothing_recorded and not report.objects:
        return Nothing(FailureCode.NO_MEDIA, "the provider recorded nothing")
    case = _Case.of(report, recording, policy)
    if case.is_awaited(now_ms):
        return NotYet("the last recorder has left nothing yet", case.code)
    faults = case.faults(now_ms)
    if faults and not case.is_settled(now_ms):
        return NotYet("; ".join(faults), case.code)
    return case.proven(faults) if case.playable else Nothing(case.code, "; ".join(faults))


def judge_again(report: MediaReport, recording: Recording, policy: Policy, now_ms: int) -> Proven | None:
    """What the files prove of a recording that is over, with what was added to them: nothing is waited for any more. None: there
    is nothing to play."""
    case = _Case.of(report, recording, policy)
    return case.proven(case.faults(now_ms)) if case.playable else None


def so_far(report: MediaReport, recording: Recording) -> tuple[MediaFile, ...]:
    """The playlists of a recording that is not over, with the seconds that they hold by now. Nothing is proven by it."""
    parts = parts_of(report, _anchor_ms(recording))
    return tuple(_playlist_file(part.number, playlist) for part in parts for playlist in part.playlists)


@dataclass(frozen=True, slots=True)
class _Case:
    """The files of one recording, laid out in time. The span runs from the first to the last moment that was to be captured,
    or was."""

    report: MediaReport
    recording: Recording
    policy: Policy
    parts: tuple[Part, ...]
    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, report: MediaReport, recording: Recording, policy: Policy) -> "_Case":
        parts = parts_of(report, _anchor_ms(recording))
        stretches = [s for part in parts for s in part.stretches]
        begin, end = _span(recording, stretches, bool(parts) and parts[-1].ended)
        return cls(report, recording, policy, parts, begin, end)

    @property
    def stretches(self) -> list[Stretch]:
        return [stretch for part in self.parts for stretch in part.stretches]

    @property
    def ended(self) -> bool:
        return bool(self.parts) and self.parts[-1].ended

    @property
    def left_early(self) -> bool:
        """Whether the last recorder was gone before it was told to stop."""
        left_ms = self.recording.stopped_at_ms
        return left_ms is not None and left_ms < self.to_ms - self.policy.tolerance_ms

    @property
    def playable(self) -> bool:
        return self.played_ms > 0 or self.movies_ms > 0

    @property
    def played_ms(self) -> int:
        return sum(s.to_ms - s.from_ms for s in self.stretches if s.present)

    @property
    def listed_ms(self) -> int:
        return sum(s.to_ms - s.from_ms for s in self.stretches)

    @property
    def movies_ms(self) -> int:
        return sum(milliseconds(m.duration_seconds or 0) for m in self.report.movies)

    @property
    def slack_ms(self) -> int:
        """How far durations may be apart."""
        return max(self.policy.tolerance_ms, round(self.policy.tolerance_ratio * (self.to_ms - self.from_ms)))

    @property
    def code(self) -> FailureCode:
        """What it is called when nothing comes of it."""
        lost = any(not s.present for s in self.stretches) or any(p.error for p in self.report.playlists)
        return FailureCode.SLICES_MISSING if lost else FailureCode.NO_MEDIA

    def is_awaited(self, now_ms: int) -> bool:
        """Whether the last recorder has left nothing, and may only be slow: it may have captured less than what is tolerated."""
        last = self.recording.attempt
        if last is None or last.sid is None or last.closed_at_ms is None or self.recording.nothing_recorded:
            return False
        there = any(part.session == last.sid for part in self.parts)
        return not there and now_ms < last.closed_at_ms + self.policy.settle_ms

    def is_settled(self, now_ms: int) -> bool:
        """Whether what is not there by now will never be."""
        recording = self.recording
        if recording.nothing_recorded:
            return True
        if recording.deadline_at_ms is not None and now_ms >= recording.deadline_at_ms:
            return True
        stored_at_ms = recording.stored_at_ms
        return stored_at_ms is not None and now_ms >= stored_at_ms + self.policy.settle_ms and not self._is_on_its_way

    @property
    def _is_on_its_way(self) -> bool:
        """Whether slices are missing of a session that the provider has not said to be stored: the word on the last one does not
        hold for those before, and of what lies in the backup nobody may have heard."""
        sessions = (attempt for attempt in attempts_of(self.recording) if attempt.upload is not StorageStatus.STORED)
        unsaid = {attempt.sid for attempt in sessions}
        return any(not s.present for part in self.parts if part.session in unsaid for s in part.stretches)

    def faults(self, now_ms: int) -> list[str]:
        """All that keeps it from being complete."""
        return [*self._playlist_faults(), *self._time_faults(now_ms), *self._movie_faults()]

    def gaps(self) -> tuple[Gap, ...]:
        """Stretches of the span of which nothing is to be played. What lies within the tolerance is not named, but where one
        recorder took another's place something is known to be missing."""
        if not self.stretches:
            return ()
        holes = uncovered(self.from_ms, self.to_ms, self.stretches)
        lost = sorted((s for s in self.stretches if not s.present), key=lambda s: s.from_ms)
        known = {hole for hole in holes if _causes(lost, *hole) or self._replaced(hole[1])}
        other = [hole for hole in holes if hole not in known]
        small = sum(end - begin for begin, end in other) <= self.slack_ms
        named = sorted([*known, *(h for h in other if not small or h[1] - h[0] > self._limit_ms(*h))])
        return tuple(Gap(begin, end, self._reason(lost, begin, end)) for begin, end in named)

    def proven(self, faults: Sequence[str]) -> Proven:
        gaps = self.gaps()
        begin, end = self._times(gaps)
        return Proven(
            completeness=Completeness.PARTIAL if faults else Completeness.COMPLETE,
            duration_seconds=(self.played_ms or self.movies_ms) / 1000,
            file_size=sum(found.size for found in self.report.objects),
            files=tuple(self._files()),
            gaps=gaps,
            started_at_ms=begin,
            stopped_at_ms=end,
            evidence="; ".join([self._summary(), *faults]),
        )

    def _playlist_faults(self) -> list[str]:
        faults = [f"a playlist cannot be read: {p.error}" for p in self.report.playlists if p.error is not None]
        if not self.stretches and not faults:
            faults.append("there is no playlist" if not self.parts else "the playlist is empty")
        lost = sum(not s.present for s in self.stretches)
        if lost:
            faults.append(f"{lost} of {len(self.stretches)} slices are missing or empty")
        if self.parts and not self.ended:
            faults.append("the playlist has no end")
        return faults

    def _time_faults(self, now_ms: int) -> list[str]:
        faults = []
        gaps_ms = sum((gap.to_ms or gap.from_ms) - gap.from_ms for gap in self.gaps())
        if gaps_ms:
            faults.append(f"{_seconds(gaps_ms)} are not covered")
        if self.listed_ms > self.to_ms - self.from_ms + self.slack_ms:
            faults.append(f"the playlist says {_seconds(self.listed_ms)}, more than its slices' times allow")
        if self.stretches and self.to_ms > now_ms + self.slack_ms:
            faults.append("the playlist says more than can have been captured by now")
        return faults

    def _movie_faults(self) -> list[str]:
        if "mp4" not in self.recording.spec.outputs:
            return []
        if not self.report.movies:
            return ["there is no MP4"]
        faults = [f"an MP4 does not open: {m.error}" for m in self.report.movies if m.duration_seconds is None]
        if not faults and self.stretches and abs(self.movies_ms - self.listed_ms) > self.slack_ms:
            faults.append(f"the MP4 has {_seconds(self.movies_ms)}, the playlist {_seconds(self.listed_ms)}")
        return faults

    def _limit_ms(self, begin: int, end: int) -> int:
        """How long a hole may be. Joining and leaving take their time and clocks differ; between slices nothing excuses it."""
        at_the_edge = begin == self.from_ms or (end == self.to_ms and self.ended and not self.left_early)
        return self.slack_ms if at_the_edge else self.policy.tolerance_ms

    def _reason(self, lost: Sequence[Stretch], begin: int, end: int) -> str:
        causes = _causes(lost, begin, end)
        if causes:
            return "slice_empty" if all(s.slice.size == 0 for s in causes) else "slice_missing"
        died = end == self.to_ms and (self.left_early or not self.ended)
        return LOST if died or self._replaced(end) else "not_captured"

    def _replaced(self, at_ms: int) -> bool:
        """Whether a part other than the first begins there."""
        return any(part.stretches and part.stretches[0].from_ms == at_ms for part in self.parts[1:])

    def _times(self, gaps: Sequence[Gap]) -> tuple[int, int]:
        """Slices tell best when capture began and ended; where they lack, a gap reaches to what is known otherwise."""
        if not self.stretches:
            return self.from_ms, self.to_ms
        head = any(gap.from_ms == self.from_ms for gap in gaps)
        tail = any(gap.to_ms == self.to_ms for gap in gaps)
        begin = self.from_ms if head else self.stretches[0].from_ms
        return begin, self.to_ms if tail else max(s.to_ms for s in self.stretches)

    def _files(self) -> list[MediaFile]:
        files = [_playlist_file(part.number, playlist) for part in self.parts for playlist in part.playlists]
        numbers = {part.session: part.number for part in self.parts}
        for movie in sorted(self.report.movies, key=lambda m: m.key):
            number = numbers.setdefault(session_of(movie.key), len(numbers) + 1)
            opens = movie.duration_seconds is not None
            files.append(MediaFile("mp4", movie.key, movie.size, movie.duration_seconds, number, opens))
        return sorted(files, key=lambda file: (file.part, file.kind, file.key))

    def _summary(self) -> str:
        there = sum(s.present for s in self.stretches)
        text = f"{there} slices of {_seconds(self.played_ms)}"
        if self.report.movies:
            text += f", {len(self.report.movies)} MP4 of {_seconds(self.movies_ms)}"
        return f"{text}, for {_seconds(self.to_ms - self.from_ms)}"


def _playlist_file(part: int, playlist: Playlist) -> MediaFile:
    there = [s for s in playlist.slices if s.size]
    seconds = sum(milliseconds(s.duration_seconds) for s in there) / 1000
    whole = playlist.ended and bool(there) and len(there) == len(playlist.slices)
    return MediaFile("hls", playlist.key, playlist.size, seconds if there else None, part, whole)


def _span(recording: Recording, stretches: Sequence[Stretch], ended: bool) -> tuple[int, int]:
    """From the first to the last moment that was captured, or known to be and wanted; a recorder that was lost and not
    replaced was wanted until its gap ends."""
    starts = [s.from_ms for s in stretches] + _known(recording.started_at_ms)
    begin = min(starts, default=recording.created_at_ms)
    ends = [s.to_ms for s in stretches] + _known(_wanted_until_ms(recording, ended and bool(stretches)))
    ends += [gap.to_ms for gap in recording.gaps if gap.to_ms is not None]
    return begin, max([begin, *ends])


def _wanted_until_ms(recording: Recording, closed: bool) -> int | None:
    """Until when there should be something: until the stop, also where the recorder had left before it by itself. One that left
    an empty room in good order knows best when that was: the minutes in which it waited for people hold nothing."""
    asked_ms, left_ms = recording.stop_requested_at_ms, recording.stopped_at_ms
    if recording.end_reason in (EndReason.PROVIDER_IDLE, EndReason.EMPTY_ROOM):
        return None if closed and asked_ms is None else min(_known(asked_ms) + _known(left_ms), default=None)
    if asked_ms is None:
        return left_ms
    if recording.end_reason is EndReason.MAX_DURATION and recording.started_at_ms is not None:
        return min(asked_ms, recording.started_at_ms + recording.spec.max_duration_seconds * 1000)
    return asked_ms


def _anchor_ms(recording: Recording) -> int:
    """Where slices without any time begin."""
    return recording.created_at_ms if recording.started_at_ms is None else recording.started_at_ms


def _known(at_ms: int | None) -> list[int]:
    return [] if at_ms is None else [at_ms]


def _causes(lost: Sequence[Stretch], begin: int, end: int) -> Sequence[Stretch]:
    """The missing slices that a hole is made of. A day's recording may lack thousands, so they are looked up in their order."""
    first = bisect_right(lost, begin, key=lambda s: s.to_ms)
    return lost[first : bisect_left(lost, end, key=lambda s: s.from_ms)]


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.3f} s"
