"""The attempt that was given up on. Once through this door, nothing but its end leaves it.

It is told to stop as soon as its sid is known, and kept out of the channel by a kicking rule for each of its uids. Another
attempt may be opened when its end is proven; where no sid is known, when the rules have had time to take effect, or, where no
rule can be had, when a late start can no longer be acted on (recipe 3.4). Who is in the channel only bears witness: lists lag
by minutes.
"""

from dataclasses import replace

from actors.domain.commands import BanAnswered, MembersAnswered, Notice, StartAnswered, StopAnswered
from actors.domain.eviction_events import (
    BanDeferred,
    EvicteeFound,
    EvicteeLooked,
    EvictionBegan,
    EvictionDeferred,
    EvictionEnded,
    EvictionFenced,
    EvictionHeld,
    RecorderBanned,
    StrayFound,
)
from actors.domain.media import MediaReport
from actors.domain.model import Attempt, Eviction, Failure, Recording
from actors.domain.outcomes import Ambiguous, Done, NotFound, NothingRecorded, Rejected, RetryLater, Started, Stopped
from actors.domain.pending import unbanned
from actors.domain.projections import attempts_of
from actors.domain.rules.draft import Draft
from actors.domain.rules.exits import is_exit, is_sid, sid_of, uid_of
from actors.domain.rules.steps import gone_for_good, open_attempt
from actors.domain.timeline import session_of


def evict(draft: Draft, recording: Recording, attempt: Attempt, why: str) -> None:
    """Give the attempt up without proof of its end. A session whose sid is known is first only told to stop."""
    policy = draft.policy
    runs = _is_known_to_run(attempt)
    until_ms = draft.now_ms + policy.eviction_limit_ms if runs else _late_start_until_ms(draft, attempt)
    ban_at_ms = draft.now_ms if attempt.sid is None else draft.now_ms + policy.ban_pause_ms
    draft.emit(
        EvictionBegan(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            why=why,
            until_ms=until_ms,
            ban_at_ms=ban_at_ms,
            ban_seconds=policy.ban_seconds,
        )
    )


def find_stray(draft: Draft, recording: Recording, attempt: Attempt, sid: str, uid: str, evidence: str) -> None:
    """A recorder of ours that nobody wants is alive: it is evicted, be it for the second time."""
    uids = attempt.uids if uid in attempt.uids or not uid else (*attempt.uids, uid)
    draft.emit(
        StrayFound(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            channel_name=recording.spec.channel_name,
            stray=replace(attempt, sid=sid or attempt.sid, uids=uids),
            evidence=evidence,
            until_ms=draft.now_ms + draft.policy.eviction_limit_ms,
            ban_seconds=draft.policy.ban_seconds,
        )
    )


def find_in_storage(draft: Draft, recording: Recording, report: MediaReport) -> None:
    """Only our recorders write below a recording's prefix. A session there that no attempt is known to have had is the one
    whose start was not answered, and while its playlist is open, it may still capture. One that is known may go on, too."""
    for sid, times_ms in _open_sessions(report):
        known = next((attempt for attempt in attempts_of(recording) if attempt.sid == sid), None)
        attempt = known or _unanswered(draft, recording, times_ms[0])
        if attempt is None or not is_sid(sid):
            continue
        eviction = draft.meeting.eviction(recording.recording_id, attempt.number)
        if known is None and eviction is not None:
            _find(draft, eviction, sid, "its playlist is open")
        elif eviction is None and (known is None or _captured_after_its_end(draft, known, times_ms[-1])):
            find_stray(draft, recording, attempt, sid, "", "its playlist is open")
        recording = draft.again(recording)


def _open_sessions(report: MediaReport) -> list[tuple[str, list[int]]]:
    """Sessions that have not closed a playlist, with the times at which their slices began, the earliest first."""
    closed = {session_of(playlist.key) for playlist in report.playlists if playlist.ended}
    times_ms: dict[str, list[int]] = {}
    for playlist in report.playlists:
        sid = session_of(playlist.key)
        if sid not in closed:
            times = (piece.started_at_ms for piece in playlist.slices)
            times_ms.setdefault(sid, []).extend(time for time in times if time is not None)
    return sorted(((sid, sorted(times)) for sid, times in times_ms.items() if times), key=lambda item: item[1])


def _captured_after_its_end(draft: Draft, attempt: Attempt, last_ms: int) -> bool:
    """Whether it was taken to have ended too early: a slice of it began later."""
    return attempt.closed_at_ms is not None and last_ms > attempt.closed_at_ms + draft.policy.stray_margin_ms


def _unanswered(draft: Draft, recording: Recording, began_at_ms: int) -> Attempt | None:
    """The last attempt until then that may have started although nobody knows its sid."""
    for attempt in reversed(attempts_of(recording)):
        evicted = draft.meeting.eviction(recording.recording_id, attempt.number) is not None
        if attempt.sid is None and (attempt.ambiguous or evicted) and attempt.opened_at_ms <= began_at_ms:
            return attempt
    return None


def woken(draft: Draft) -> None:
    """What the passing of time does to evictions."""
    for eviction in draft.meeting.evictions:
        if eviction.fenced_at_ms is not None:
            if draft.now_ms >= eviction.watched_until_ms:
                _end(draft, eviction, "nothing was seen of it")
        elif eviction.fence_at_ms is not None and draft.now_ms >= eviction.fence_at_ms:
            _fence(draft, eviction, "kicking rules keep it out")
        elif draft.now_ms >= eviction.until_ms:
            _waited(draft, eviction)


def notice_of_evicting(draft: Draft, eviction: Eviction, notice: Notice) -> None:
    """A notification about the abandoned attempt."""
    if is_exit(notice, eviction.attempt):
        _end(draft, eviction, f"event {notice.event_type}")
        return
    attempt = eviction.attempt
    uid = uid_of(notice)
    moved = uid if uid and uid not in attempt.uids else None
    sid = sid_of(notice)
    if sid and (attempt.sid is None or moved is not None):
        _find(draft, eviction, sid, f"event {notice.event_type}", moved, notice.at_ms)


def start_of_evicting(draft: Draft, command: StartAnswered) -> None:
    """A late answer to its start reopens nothing, but with the sid that it tells the session can be stopped."""
    eviction = draft.meeting.eviction(command.recording_id, command.attempt)
    match command.outcome:
        case Done(Started(sid)) if eviction is not None and eviction.attempt.sid is None:
            _find(draft, eviction, sid, "the answer to start")


def stop_of_evicting(draft: Draft, command: StopAnswered) -> None:
    """The answer to a stop of the abandoned session."""
    eviction = draft.meeting.eviction(command.recording_id, command.attempt)
    if eviction is None:
        return
    match command.outcome:
        case Done(Stopped() | NothingRecorded()):
            _end(draft, eviction, "stop: answered")
        case Done(NotFound()):
            _defer(draft, eviction, "stop: not found", missed=True)
        case outcome:
            _defer(draft, eviction, f"stop: {type(outcome).__name__}", missed=False)


def ban_answered(draft: Draft, command: BanAnswered) -> None:
    """A rule that is there counts from now; one that may not be is sent again, which does no harm (channel management 1.5)."""
    eviction = draft.meeting.eviction(command.recording_id, command.attempt)
    if eviction is None or unbanned(eviction) != command.uid:
        return
    match command.outcome:
        case Done(banned):
            draft.emit(
                RecorderBanned(
                    recording_id=eviction.recording_id,
                    attempt=command.attempt,
                    uid=command.uid,
                    rule_id=banned.rule_id,
                    fence_at_ms=_fence_at_ms(draft, eviction.attempt),
                )
            )
        case Ambiguous(why) | RetryLater(why) | Rejected(Failure(message=why)) as outcome:
            pause_ms = draft.pause_ms(draft.policy.ban_delays_ms, eviction.ban_tries)
            if isinstance(outcome, RetryLater):
                pause_ms = max(pause_ms, outcome.after_ms or 0)
            draft.emit(
                BanDeferred(
                    recording_id=eviction.recording_id,
                    attempt=command.attempt,
                    uid=command.uid,
                    why=why,
                    ban_at_ms=draft.now_ms + pause_ms,
                )
            )


def members_of_evicting(draft: Draft, eviction: Eviction, command: MembersAnswered) -> None:
    """A list that shows it may be old; one that does not, too. Only a series of looks proves that it is gone."""
    seen = None
    if isinstance(command.outcome, Done):
        seen = not set(eviction.attempt.uids).isdisjoint(command.outcome.value.uids)
    banned_at_ms = max((ban.at_ms for ban in eviction.bans), default=0)
    waited_for_ms = draft.now_ms + 2 * draft.policy.look_interval_ms if seen else eviction.until_ms
    draft.emit(
        EvicteeLooked(
            recording_id=eviction.recording_id,
            attempt=command.attempt,
            seen=seen,
            again=bool(seen) and draft.now_ms - banned_at_ms > draft.policy.members_lag_ms,
            look_at_ms=draft.now_ms + draft.policy.look_interval_ms,
            until_ms=max(eviction.until_ms, waited_for_ms),
            watched_until_ms=draft.now_ms + draft.policy.eviction_watch_ms if seen else 0,
        )
    )
    looked = draft.meeting.eviction(eviction.recording_id, command.attempt)
    assert looked is not None
    if _absent(draft, looked):
        _end(draft, looked, f"not in the channel in {looked.absences} looks")
    elif seen is False and looked.fenced_at_ms is None and _cannot_start(draft, looked.attempt):
        _fence(draft, looked, "a late start can no longer be acted on, and it is not in the channel")


def _waited(draft: Draft, eviction: Eviction) -> None:
    """Time proves that no late start comes any more. Whether one came before, the members of the channel tell, if they can be
    had; for long nobody waits for them."""
    latest_ms = _late_start_until_ms(draft, eviction.attempt) + draft.policy.eviction_watch_ms
    if _is_known_to_run(eviction.attempt):
        _fence(draft, eviction, "nothing has proven its end, and it is not waited for any longer")
        return
    if not _cannot_start(draft, eviction.attempt) or draft.now_ms >= latest_ms:
        _fence(draft, eviction, "a late start can no longer be acted on")
        return
    draft.emit(
        EvictionHeld(
            recording_id=eviction.recording_id,
            attempt=eviction.attempt.number,
            until_ms=min(latest_ms, draft.now_ms + draft.policy.look_interval_ms),
            look_at_ms=draft.now_ms,
        )
    )


def _cannot_start(draft: Draft, attempt: Attempt) -> bool:
    """Whether no start of it can come any more, and it is not known to run."""
    return not _is_known_to_run(attempt) and draft.now_ms >= _late_start_until_ms(draft, attempt)


def _is_known_to_run(attempt: Attempt) -> bool:
    return attempt.sid is not None or attempt.running


def _late_start_until_ms(draft: Draft, attempt: Attempt) -> int:
    """Until when a start that was sent may still be acted on (reference 2)."""
    acquired_at_ms = attempt.acquired_at_ms or draft.now_ms
    return acquired_at_ms + draft.policy.resource_lifetime_ms + draft.policy.eviction_margin_ms


def _fence_at_ms(draft: Draft, attempt: Attempt) -> int | None:
    """When its rules hold. A session that is known to run may move to another machine, and no rule knows its next uid: rules
    only help to end it, and nothing but proof of its end lets another attempt begin."""
    return None if attempt.sid is not None else draft.now_ms + draft.policy.eviction_settle_ms


def _absent(draft: Draft, eviction: Eviction) -> bool:
    """Whether the looks prove that it is gone. While it may still come up, or be there by a uid that nobody knows, an absence
    says nothing."""
    if eviction.attempt.sid is not None:
        return False
    came = eviction.attempt.running and draft.now_ms >= _late_start_until_ms(draft, eviction.attempt)
    if eviction.fenced_at_ms is None and not came:
        return False
    if eviction.absent_since_ms is None or eviction.absences < draft.policy.looks_min:
        return False
    return draft.now_ms - eviction.absent_since_ms >= draft.policy.looks_span_ms


def _fence(draft: Draft, eviction: Eviction, evidence: str) -> None:
    """The live recording that waited for this may open its attempt."""
    known = eviction.attempt.sid is not None
    draft.emit(
        EvictionFenced(
            recording_id=eviction.recording_id,
            attempt=eviction.attempt.number,
            evidence=evidence,
            look_at_ms=draft.now_ms,
            watched_until_ms=eviction.until_ms if known else draft.now_ms + draft.policy.eviction_watch_ms,
        )
    )
    open_attempt(draft)


def _find(
    draft: Draft, eviction: Eviction, sid: str, evidence: str, moved_to: str | None = None, moved_at_ms: int = 0
) -> None:
    draft.emit(
        EvicteeFound(
            recording_id=eviction.recording_id,
            attempt=eviction.attempt.number,
            sid=sid,
            uid=moved_to,
            moved_at_ms=moved_at_ms,
            evidence=evidence,
            until_ms=draft.now_ms + draft.policy.eviction_limit_ms,
        )
    )


def _end(draft: Draft, eviction: Eviction, evidence: str) -> None:
    """Its recorder is gone."""
    draft.emit(EvictionEnded(recording_id=eviction.recording_id, attempt=eviction.attempt.number, evidence=evidence))
    open_attempt(draft)


def _defer(draft: Draft, eviction: Eviction, why: str, *, missed: bool) -> None:
    attempt = eviction.attempt
    draft.emit(
        EvictionDeferred(
            recording_id=eviction.recording_id,
            attempt=attempt.number,
            why=why,
            missed=missed,
            check_at_ms=draft.now_ms + draft.pause_ms(draft.policy.stop_delays_ms, attempt.tries),
        )
    )
    deferred = draft.meeting.eviction(eviction.recording_id, attempt.number)
    assert deferred is not None
    if missed and gone_for_good(draft, deferred.attempt):
        _end(draft, deferred, f"{why}, {deferred.attempt.misses} times in a row")
