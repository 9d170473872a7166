"""What must hold of every run: some of it after each step, some of it once everything has come to its end.

Each promise is a check of its own, by what the provider really did and what the database really holds; none asks the code
that it is about.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from actors.domain.commands import Accepted
from actors.domain.effects import AgoraAcquire, AgoraBan, AgoraStart, AgoraStop
from actors.domain.events import (
    AnyEvent,
    AttemptOpened,
    CaptureProven,
    JournalEvent,
    RecorderAccepted,
    RecorderExited,
    RecorderReplaced,
    ResourceAcquired,
    StopRequested,
)
from actors.domain.eviction_events import EvictionBegan, StrayFound
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.media import MediaReport
from actors.domain.model import Completeness, EndReason, Phase, Recording, Want
from actors.domain.projections import SETTLED_PHASES, is_live
from actors.domain.timeline import uncovered
from actors.mailbox import Answer
from actors.ports import Append
from tests.fakes.recorders import Session
from tests.simulation.measures import PLAYED_SLACK_MS, played_ms, stretches_of, wanted_of

if TYPE_CHECKING:
    from tests.simulation.world import World

HOST = "host"
"""Who the users are."""
NOTICED_MS = 300_000
"""By so long after a recorder was lost, without any fault, it is known."""
PUT_OUT_MS = 120_000
"""By so long after it has come back a stray is put out, without any fault."""
SIGNS = (12, 40, 42)
"""Notifications of a recorder that captures (reference 9.4)."""
OVERDUE_LOOKS = 6
"""So often a deadline may be seen to be over, by somebody who could act on it."""
RANKS = {
    "recorder.opened": 1,
    "recorder.acquired": 2,
    "recorder.accepted": 3,
    "recording.active": 4,
    "recorder.evicting": 9,
}
"""How far an attempt is after an event. What stands behind 9 is about its eviction only."""


class Broken(AssertionError):
    """A promise was not kept."""


class Promises:
    """The checks of one run, and what they need to remember."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.promised: dict[RecordingId, MeetingId] = {}
        """What users were told is being recorded."""
        self._answered: dict[tuple[MeetingId, str], RecordingId] = {}
        self._numbers: dict[MeetingId, tuple[int, int]] = {}
        self._ranks: dict[tuple[RecordingId, int], int] = {}
        self._opened: set[str] = set()
        """Uids and resources that the journal holds."""
        self._attempts: dict[tuple[RecordingId, int], tuple[str, str | None]] = {}
        """The uid and the sid of each attempt, as far as the journal has them."""
        self._overdue: Counter[tuple[RecordingId, Phase]] = Counter()
        self._unknown: set[str] = set()
        """Sids of sessions that nobody could know of for a while."""
        self._ending: set[tuple[RecordingId, int | None]] = set()
        """Recordings that are to end, and attempts that are to be put out."""

    # --- after each step ---

    def one_recorder(self, meeting: MeetingId) -> None:
        """At most one recorder runs in a meeting.

        One that a rule has put out, or that has answered a stop, runs no more; one that is between two machines does not run.
        """
        sessions = self._world.agora.running(meeting)
        running = [item for item in sessions if item.move is None and not self._is_excused(item)]
        if len(running) > 1:
            raise Broken(f"{len(running)} recorders run in {meeting}: {', '.join(item.uid for item in running)}")

    def is_unknowable(self, session: Session) -> bool:
        """Whether it has moved to another machine, under a uid of which no word has come, before its sid was learnt.

        Nothing that the provider offers finds it then; only its files do, when its recording is over.
        """
        if session.sid in self._unknown:
            return True
        if len(session.legs) == 1 and session.move is None:
            return False
        rows = [row for _, row in self._world.database.recorders.values()]
        known = any(row.sid == session.sid or row.uid == session.recorder_uid for row in rows)
        if not known:
            self._unknown.add(session.sid)
        return not known

    def _is_excused(self, session: Session) -> bool:
        """Whether nobody could know that it would still run."""
        return session.sid in self._world.astray or self.is_unknowable(session)

    def _is_to_be_put_out(self, session: Session) -> bool:
        """Whether somebody could know that it runs."""
        return not self._is_excused(session) or (not self.is_unknowable(session) and self._is_told_of(session))

    def _is_told_of(self, session: Session) -> bool:
        """Whether word has come that it captures where it is now."""
        notices = (row.notice for row in self._world.database.inbox.values())
        return any(
            notice.sid == session.sid and notice.event_type in SIGNS and notice.at_ms >= session.leg.since_ms
            for notice in notices
        )

    def known_recorders(self, meeting: MeetingId) -> None:
        """No recorder runs that was not started under a uid that the journal holds."""
        for session in self._world.agora.running(meeting):
            if (meeting, session.uid) not in self._world.database.recorders:
                raise Broken(f"recorder {session.uid} of {meeting} is unknown to the journal")

    def committed(self, append: Append) -> None:
        """A commit was taken: it goes on where the last one ended, by the owner of the meeting."""
        row = self._world.database.meetings[append.meeting_id]
        if append.epoch != row.epoch:
            raise Broken(f"{append.meeting_id} was written under epoch {append.epoch}, though {row.epoch} is claimed")
        seq, sequence = self._numbers.get(append.meeting_id, (0, 0))
        for event in append.events:
            seq += 1
            if event.seq != seq:
                raise Broken(f"the journal of {append.meeting_id} has {event.seq} in the place of {seq}")
            if event.sequence is not None:
                sequence += 1
                if event.sequence != sequence:
                    raise Broken(
                        f"the public numbers of {append.meeting_id} have {event.sequence} in the place of {sequence}"
                    )
            self._forwards(event)
            self._evidence(event.event)
            self._asked_for(append.meeting_id, event.event)
            self._learn(event.event)
        self._numbers[append.meeting_id] = seq, sequence
        self._one_live(append.meeting_id)

    def _asked_for(self, meeting: MeetingId, event: AnyEvent) -> None:
        """Nothing ends that nobody wants to end: neither for a deploy, nor because a room was empty that was not. What is to end
        is asked to once, since that is not forgotten."""
        if isinstance(event, StopRequested) and (event.recording_id, None) in self._ending:
            raise Broken(f"a recording of {meeting} was to end, and had to be asked again")
        if isinstance(event, StopRequested) and event.reason is EndReason.STOP_REQUESTED and event.by != HOST:
            raise Broken(f"a recording of {meeting} was stopped by {event.by}, whom nobody asked to")
        idle = isinstance(event, RecorderExited) and event.end_reason in (EndReason.PROVIDER_IDLE, EndReason.EMPTY_ROOM)
        if idle and meeting not in self._world.emptied:
            raise Broken(f"a recording of {meeting} ended because nobody was there, and somebody always was")

    def _one_live(self, meeting: MeetingId) -> None:
        if sum(map(is_live, self._world.database.recordings_of(meeting))) > 1:
            raise Broken(f"two live recordings in {meeting}")

    def _forwards(self, stored: JournalEvent) -> None:
        """An attempt never goes back, and one that is being evicted never comes back."""
        rank = RANKS.get(stored.event.kind)
        attempt = getattr(stored.event, "attempt", None)
        if rank is None or attempt is None:
            return
        key = (stored.event.recording_id, attempt)
        before = self._ranks.get(key, 0)
        if rank <= before:
            raise Broken(f"attempt {attempt} of {key[0]} went back: {stored.event.kind} after rank {before}")
        self._ranks[key] = rank

    def _evidence(self, event: AnyEvent) -> None:
        """What is said of a recorder is of that recorder, and it captured if that is said."""
        match event:
            case AttemptOpened(recording_id=recording_id, attempt=attempt, uid=uid):
                self._attempts[recording_id, attempt] = uid, None
            case RecorderAccepted(recording_id=recording_id, attempt=attempt, sid=sid):
                uid, _ = self._attempts[recording_id, attempt]
                self._attempts[recording_id, attempt] = uid, sid
                if self._session(sid).uid != uid:
                    raise Broken(f"attempt {attempt} of {recording_id} is taken for another's session")
            case (
                CaptureProven(recording_id=recording_id, attempt=attempt)
                | RecorderReplaced(recording_id=recording_id, attempt=attempt)
            ):
                _, known = self._attempts[recording_id, attempt]
                if known is None or not self._session(known).ready:
                    raise Broken(f"attempt {attempt} of {recording_id} is said to capture, and never did")

    def _session(self, sid: str) -> Session:
        return next(item for item in self._world.agora.sessions if item.sid == sid)

    # --- before each call ---

    def sent_by(self, name: str, process: str) -> None:
        """Whoever calls out has its lease; a later process of its name keeps that name's lease for it."""
        row = self._world.database.nodes.get(name)
        if row is not None and row.process == process and not self._world.database.holds(name):
            raise Broken(f"{name} called the provider after its lease had run out")

    def asked(self, call: AgoraAcquire | AgoraStart | AgoraStop | AgoraBan) -> None:
        """What is asked of the provider was stored before: a crash must not make us forget it."""
        match call:
            case AgoraAcquire(uid=uid):
                stored = uid in self._opened
            case AgoraStart(resource_id=resource_id):
                stored = resource_id in self._opened
            case (
                AgoraStop(recording_id=recording_id, attempt=attempt)
                | AgoraBan(recording_id=recording_id, attempt=attempt)
            ):
                stored = (recording_id, None) in self._ending or (recording_id, attempt) in self._ending
        if not stored:
            raise Broken(f"{type(call).__name__} for {call.recording_id} left before it was stored")

    def _learn(self, event: AnyEvent) -> None:
        match event:
            case AttemptOpened(uid=key) | ResourceAcquired(resource_id=key):
                self._opened.add(key)
            case StopRequested(recording_id=recording_id):
                self._ending.add((recording_id, None))
            case (
                EvictionBegan(recording_id=recording_id, attempt=attempt)
                | StrayFound(recording_id=recording_id, attempt=attempt)
            ):
                self._ending.add((recording_id, attempt))

    # --- after each answer ---

    def start_was_answered(self, meeting: MeetingId, key: str, answer: Answer) -> None:
        """What a user is told of a start is in the database, and a repeated start is the same one."""
        assert isinstance(answer.reply, Accepted)
        recording_id = answer.reply.recording_id
        mark = self._world.database.commands.get((meeting, key))
        if recording_id not in self._world.database.recordings:
            self._world.breaks(Broken(f"recording {recording_id} was promised before it was stored"))
        elif mark is None or mark.recording_id != recording_id:
            self._world.breaks(Broken(f"the start {key} of {meeting} was promised, and is not remembered"))
        if self._answered.setdefault((meeting, key), recording_id) != recording_id:
            self._world.breaks(Broken(f"the start {key} of {meeting} was repeated, and made another recording"))
        self.promised[recording_id] = meeting

    def stop_was_answered(self, meeting: MeetingId, key: str | None, answer: Answer) -> None:
        """What a user is told to be ending is, and a repeated stop is about the same recording."""
        assert isinstance(answer.reply, Accepted)
        recording = self._world.database.recordings.get(answer.reply.recording_id)
        if recording is None or recording.want is not Want.STOP:
            self._world.breaks(Broken(f"a stop in {meeting} was promised, and is not stored"))
        elif (
            key is not None
            and self._answered.setdefault((meeting, key), recording.recording_id) != recording.recording_id
        ):
            self._world.breaks(Broken(f"the stop {key} of {meeting} was repeated, and ended another recording"))

    def hint_was_heard(self, event: JournalEvent) -> None:
        """Nothing is told that is not stored."""
        if event not in self._world.database.events_of(event.meeting_id):
            self._world.breaks(
                Broken(f"{event.event.kind} {event.seq} of {event.meeting_id} was told and is not stored")
            )

    # --- some time after the faults ---

    def made_as_wanted(self, meeting: MeetingId) -> None:
        """What was changed has reached the recorder, and nothing older came after it."""
        for recording in self._world.database.recordings_of(meeting):
            if recording.phase is not Phase.ACTIVE or recording.want is not Want.RECORD:
                continue
            for session in self._world.agora.running(meeting):
                made = (session.subscribe, session.layout)
                if made != (recording.spec.subscribe, recording.spec.layout) and not self._is_excused(session):
                    raise Broken(f"a recorder of {meeting} records otherwise than is wanted")

    def recorded_as_said(self, meeting: MeetingId) -> None:
        """The loss of a recorder is found out, though nobody tells."""
        for recording in self._world.database.recordings_of(meeting):
            if recording.phase is not Phase.ACTIVE or recording.want is not Want.RECORD or recording.attempt is None:
                continue
            ended_at_ms = self._session(recording.attempt.sid or "").ended_at_ms
            if ended_at_ms is not None and self._world.now_ms() - ended_at_ms > NOTICED_MS:
                raise Broken(f"nobody noticed that the recorder of {meeting} is gone")

    def moved_as_told(self, meeting: MeetingId) -> None:
        """A recorder is known by the uid that it has moved to: users are told of it, and a stray is known by it."""
        live = {item.sid for item in self._world.database.recordings_of(meeting) if item.phase is Phase.ACTIVE}
        for row in self._world.database.inbox.values():
            moved = row.notice.event_type == 12 and row.notice.sid in live and row.processed
            if moved and (meeting, str(row.notice.details["newUid"])) not in self._world.database.recorders:
                raise Broken(f"a recorder of {meeting} has moved, and nobody knows where to")

    def strays_put_out(self, meeting: MeetingId) -> None:
        """A recorder that comes back after it was taken to have ended is put out, once there is word of it."""
        wanted = {item.sid for item in self._world.database.recordings_of(meeting) if is_live(item)}
        for session in self._world.agora.running(meeting):
            back_ms = self._world.now_ms() - session.leg.since_ms
            stray = session.sid in self._world.astray - wanted and session.move is None and back_ms > PUT_OUT_MS
            if stray and self._is_to_be_put_out(session):
                raise Broken(f"a recorder of {meeting} came back after its end, and was left alone")

    # --- from time to time ---

    def in_time(self, meeting: MeetingId) -> None:
        """A deadline leads to something, whatever the provider does."""
        for recording in self._world.database.recordings_of(meeting):
            if recording.phase in SETTLED_PHASES or self._world.now_ms() <= (recording.deadline_at_ms or math.inf):
                continue
            key = recording.recording_id, recording.phase
            self._overdue[key] += 1
            if self._overdue[key] > OVERDUE_LOOKS:
                raise Broken(f"{recording.recording_id} is {recording.phase} long after its deadline")

    # --- at the end ---

    def unsettled(self) -> Iterator[str]:
        """What is not over yet."""
        world = self._world
        for recording_id in self.promised:
            if recording_id not in world.database.recordings:
                yield f"recording {recording_id} was promised and is lost"
        for recording in world.database.recordings.values():
            if recording.phase not in SETTLED_PHASES:
                yield f"recording {recording.recording_id} is still {recording.phase}"
            elif recording.want is not Want.STOP:
                yield f"recording {recording.recording_id} is settled and still wanted"
        for meeting in world.meetings:
            if any(self._is_to_be_put_out(item) for item in world.agora.running(meeting)):
                yield f"a recorder was left running in {meeting}"
        for meeting, row in world.database.meetings.items():
            if row.state.evictions:
                yield f"an eviction in {meeting} never ends"
            if row.state.live is not None or row.state.finishing:
                yield f"{meeting} has something left to do"
        for listener in world.listeners:
            row = world.database.meetings.get(listener.meeting)
            if row is not None and listener.last != row.state.sequence:
                yield f"a listener of {listener.meeting} knows of {listener.last} events, and there are {row.state.sequence}"
        if world.database.unprocessed_count():
            yield "notifications were never applied"

    def recorded(self, recording: Recording, report: MediaReport) -> Iterator[str]:
        """Whether what is said of a recording is what was captured and stored."""
        if any(item.prefix == recording.prefix and self._is_excused(item) for item in self._world.agora.sessions):
            self._world.faults.happened("session.unknowable")
            return
        stored = played_ms(report)
        if recording.phase is Phase.COMPLETED:
            yield from self._said(recording, report, stored)
        elif recording.phase is not Phase.DELETED and stored > PLAYED_SLACK_MS:
            yield f"{stored} ms were captured and stored, and it is {recording.phase}"

    def _said(self, recording: Recording, report: MediaReport, stored: int) -> Iterator[str]:
        said = round((recording.duration_seconds or 0) * 1000)
        if abs(said - stored) > PLAYED_SLACK_MS:
            yield f"it is said to have {said} ms, and {stored} ms were captured and stored"
        named = {file.key for file in recording.files}
        for playlist in report.playlists:
            if any(item.size for item in playlist.slices) and playlist.key not in named:
                yield f"playlist {playlist.key} is not among its files"
        begin, end = wanted_of(recording, report)
        missing = _holes(begin, end, report, PLAYED_SLACK_MS)
        if recording.completeness is Completeness.COMPLETE and missing:
            yield f"it is called complete, and nothing is stored of {missing}"
        known_end = max(end, recording.stopped_at_ms or end)  # nobody need know that a recorder left an empty room
        excused = _holes(begin, known_end, report, 0) or self._reasons(recording, report)
        if recording.completeness is Completeness.PARTIAL and not excused:
            yield "it is called partial, and nothing is missing"

    def _reasons(self, recording: Recording, report: MediaReport) -> bool:
        """Whether something else than time is missing: a slice, the end of a playlist, an MP4."""
        slices = any(item.size is None for playlist in report.playlists for item in playlist.slices)
        ended = all(playlist.ended for playlist in report.playlists)
        movies = len(report.movies) >= len(report.playlists) or "mp4" not in recording.spec.outputs
        return slices or not ended or not movies


def _holes(begin: int, end: int, report: MediaReport, longer_ms: int) -> list[tuple[int, int]]:
    """Stretches without anything to play that are longer than that."""
    return [hole for hole in uncovered(begin, end, stretches_of(report)) if hole[1] - hole[0] > longer_ms]


SAFETY: tuple[Callable[[Promises, MeetingId], None], ...] = (Promises.one_recorder, Promises.known_recorders)
