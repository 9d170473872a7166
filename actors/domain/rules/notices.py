"""Notifications of the provider. They only hasten what a query would find; order, repetition and loss do not matter.

What a notification says is applied only forwards: what is known already, or would go back, changes nothing.
"""

from collections.abc import Iterator

from actors.domain.commands import Notice
from actors.domain.events import RecorderTroubled
from actors.domain.model import (
    Attempt,
    EndReason,
    Eviction,
    Failure,
    FailureCode,
    Meeting,
    Phase,
    Recording,
    StorageStatus,
    Want,
)
from actors.domain.projections import attempt_numbered, attempts_of
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import find_stray, notice_of_evicting
from actors.domain.rules.exits import (
    BACKUPED,
    CAPTURING,
    ERROR,
    PROGRESS,
    RECORDER_LEAVE,
    RECORDER_STARTED,
    SIGNS_OF_LIFE,
    SLICE_START,
    UPLOADED,
    is_exit,
    left_idle,
    number,
    sid_of,
    uid_of,
)
from actors.domain.rules.losing import lose, move, see
from actors.domain.rules.media import files_arrived
from actors.domain.rules.steps import accept, prove, upload

FATAL_LEVEL = 4
UPLOADER = 1
"""`module` of an error that is about files (reference 9.4)."""
_TROUBLES = {
    32: Failure(FailureCode.STORAGE_DENIED, "The provider could not use the storage settings.", retryable=True),
    47: Failure(FailureCode.STORAGE_UNAVAILABLE, "The provider could not upload to storage.", retryable=True),
    109: Failure(FailureCode.PROVIDER_REJECTED, "The recorder's token has expired.", retryable=True),
    110: Failure(FailureCode.PROVIDER_REJECTED, "The recorder's token is wrong.", retryable=False),
}
_UPLOADS = {
    UPLOADED: StorageStatus.STORED,
    BACKUPED: StorageStatus.BACKUP,
    PROGRESS: StorageStatus.UPLOADING,
}


def reported(draft: Draft, notice: Notice) -> None:
    """Apply a notification to whichever recorder of this meeting it is about; to none, if it is about none of ours."""
    eviction = _eviction_of(draft.meeting, notice)
    if eviction is not None:
        notice_of_evicting(draft, eviction, notice)
    recording, attempt = attempt_of(draft.meeting, notice)
    if recording is None or attempt is None:
        if eviction is None:
            _under_a_past_uid(draft, notice)
        return
    if attempt.closed_at_ms is None and recording.attempt is not None:
        _of_the_present(draft, recording, attempt, notice)
    elif draft.meeting.eviction(recording.recording_id, attempt.number) is None and _outlived(draft, attempt, notice):
        evidence = f"event {notice.event_type} after its end"
        find_stray(draft, recording, attempt, sid_of(notice), uid_of(notice), evidence)
    _of_the_files(draft, draft.again(recording), attempt.number, notice)


def is_known(meeting: Meeting, notice: Notice) -> bool:
    """Whether the state knows what the notification is about. Else its recording is settled, or none of this meeting's."""
    return _eviction_of(meeting, notice) is not None or attempt_of(meeting, notice)[0] is not None


def attempt_of(meeting: Meeting, notice: Notice) -> tuple[Recording, Attempt] | tuple[None, None]:
    """Whose recorder it is about: by its sid, or by its uid where the sid is not known."""
    return next((found for found in _attempts(meeting) if is_about(notice, found[1])), (None, None))


def _attempts(meeting: Meeting) -> Iterator[tuple[Recording, Attempt]]:
    """All attempts that the state knows of, the last first."""
    for recording in (meeting.live, *meeting.finishing.values()):
        if recording is not None:
            yield from ((recording, attempt) for attempt in reversed(attempts_of(recording)))


def is_about(notice: Notice, attempt: Attempt) -> bool:
    """Whether the notification is this attempt's. Under our sid there may be another uid, but never the reverse."""
    if attempt.sid is not None and notice.sid:
        return attempt.sid == notice.sid
    return notice.uid in attempt.uids


def _eviction_of(meeting: Meeting, notice: Notice) -> Eviction | None:
    return next((eviction for eviction in meeting.evictions if is_about(notice, eviction.attempt)), None)


def _outlived(draft: Draft, attempt: Attempt, notice: Notice) -> bool:
    """Whether it captured after it was taken to have ended. What is sent late bears the time at which it happened.

    Without a resource no start was ever sent, so whatever bears its uid is not ours.
    """
    if attempt.resource_id is None:
        return False
    ended_at_ms = (attempt.closed_at_ms or draft.now_ms) + draft.policy.stray_margin_ms
    return notice.event_type in CAPTURING and ended_at_ms < notice.at_ms <= draft.now_ms + draft.policy.stray_margin_ms


def _under_a_past_uid(draft: Draft, notice: Notice) -> None:
    """Another session under a uid of ours whose recorder has ended. A uid is never used twice, so nobody wants that one."""
    for recording, attempt in _attempts(draft.meeting):
        known = draft.meeting.eviction(recording.recording_id, attempt.number) is not None
        over = attempt.closed_at_ms is not None and notice.uid in attempt.uids
        if over and not known and _outlived(draft, attempt, notice):
            evidence = f"event {notice.event_type} of another session"
            find_stray(draft, recording, attempt, sid_of(notice), uid_of(notice), evidence)
            return


def _of_the_present(draft: Draft, recording: Recording, attempt: Attempt, notice: Notice) -> None:
    sid = sid_of(notice)
    if recording.phase is Phase.STARTING and sid:
        accept(draft, recording, attempt, sid, f"event {notice.event_type} with our uid")
    recording = draft.again(recording)
    if recording.phase in (Phase.CONFIRMING, Phase.ACTIVE) and recording.attempt is not None:
        _moved(draft, recording, recording.attempt, notice)
        _of_the_recorder(draft, draft.again(recording), notice)


def _moved(draft: Draft, recording: Recording, attempt: Attempt, notice: Notice) -> None:
    uid = uid_of(notice)
    if uid and uid not in attempt.uids:
        move(draft, recording, attempt, uid, f"event {notice.event_type}", notice.at_ms)


def _of_the_recorder(draft: Draft, recording: Recording, notice: Notice) -> None:
    attempt = recording.attempt
    assert attempt is not None
    evidence = f"event {notice.event_type}"
    if is_exit(notice, attempt):
        at_ms = notice.at_ms if notice.event_type == RECORDER_LEAVE else None
        lose(draft, recording, attempt, evidence, proven=True, at_ms=at_ms, reason=_reason_of_exit(recording, notice))
        return
    _alive(draft, recording, attempt, notice, evidence)
    if notice.event_type == RECORDER_STARTED and number(notice, "status", 0) == 0:
        prove(draft, recording, attempt, evidence, notice.at_ms)
    elif notice.event_type == SLICE_START:
        prove(draft, recording, attempt, evidence, number(notice, "startUtcMs", notice.at_ms))
    else:
        _troubled(draft, recording, attempt, notice)


def _troubled(draft: Draft, recording: Recording, attempt: Attempt, notice: Notice) -> None:
    if notice.event_type != ERROR or number(notice, "errorLevel", 0) < FATAL_LEVEL:
        return
    code = number(notice, "errorCode", 0)
    draft.emit(
        RecorderTroubled(
            recording_id=recording.recording_id,
            attempt=attempt.number,
            evidence=f"event 1, code {code}",
            trouble=_trouble(code),
        )
    )


def _alive(draft: Draft, recording: Recording, attempt: Attempt, notice: Notice, evidence: str) -> None:
    """A sign of life ends a series of misses, if it is younger than they are."""
    missing_since_ms = attempt.missing_since_ms
    if missing_since_ms is None or notice.event_type not in SIGNS_OF_LIFE:
        return
    if missing_since_ms < notice.at_ms <= draft.now_ms:
        see(draft, recording, attempt, evidence, attempt.check_at_ms)


def _of_the_files(draft: Draft, recording: Recording, number_of_attempt: int, notice: Notice) -> None:
    attempt = attempt_numbered(recording, number_of_attempt)
    status = _UPLOADS.get(notice.event_type)
    if attempt is not None and attempt.sid is not None and status is not None:
        upload(draft, recording, attempt, status, f"event {notice.event_type}")
        if status is StorageStatus.STORED:
            files_arrived(draft, draft.again(recording), f"event {notice.event_type}")
    if attempt is not None and recording.phase is Phase.PROCESSING and number(notice, "module", 0) == UPLOADER:
        _troubled(draft, recording, attempt, notice)


def _reason_of_exit(recording: Recording, notice: Notice) -> EndReason | None:
    """Why it left by itself, if it says so. Nothing is idle before it captured."""
    idle = left_idle(notice) and recording.want is Want.RECORD and recording.started_at_ms is not None
    return EndReason.PROVIDER_IDLE if idle else None


def _trouble(code: int) -> Failure:
    unknown = Failure(FailureCode.PROVIDER_UNAVAILABLE, f"The provider reported error {code}.", retryable=True)
    return _TROUBLES.get(code, unknown)
