"""Notifications of the provider. They only hasten what a query would find; order, repetition and loss do not matter.

What a notification says is applied only forwards: what is known already, or would go back, changes nothing.
"""

from actors.domain.commands import Notice
from actors.domain.events import RecorderTroubled
from actors.domain.model import (
    EndReason,
    Failure,
    FailureCode,
    Meeting,
    Phase,
    Recording,
    StorageStatus,
    Want,
)
from actors.domain.rules.draft import Draft
from actors.domain.rules.eviction import EVENTS_OF_EXIT, notice_of_evicting
from actors.domain.rules.steps import accept, leave, prove, upload

ERROR, SESSION_EXIT, UPLOADED, BACKUPED, PROGRESS = 1, 11, 31, 32, 33
RECORDER_STARTED, RECORDER_LEAVE, SLICE_START = 40, 41, 42

LEFT_IDLE = 4
"""Bit of `leaveCode`: nobody was in the channel (reference 9.4)."""
FATAL_LEVEL = 4
_TROUBLES = {
    32: Failure(FailureCode.STORAGE_DENIED, "The provider could not use the storage settings.", retryable=True),
    47: Failure(FailureCode.STORAGE_UNAVAILABLE, "The provider could not upload to storage.", retryable=True),
    109: Failure(FailureCode.PROVIDER_REJECTED, "The recorder's token has expired.", retryable=True),
    110: Failure(FailureCode.PROVIDER_REJECTED, "The recorder's token is wrong.", retryable=False),
}


def reported(draft: Draft, notice: Notice) -> None:
    """Apply a notification to whichever recorder of this meeting it is about; to none, if it is about none of ours."""
    eviction = draft.meeting.evicting
    if eviction is not None and notice.uid in eviction.attempt.uids:
        notice_of_evicting(draft, eviction, notice)
        return
    recording = _recording_of(draft.meeting, notice)
    if recording is None:
        return
    if recording.phase is Phase.STARTING and recording.attempt is not None and notice.sid:
        accept(draft, recording, recording.attempt, notice.sid, f"event {notice.event_type} with our uid")
    if recording.phase in (Phase.STARTING, Phase.CONFIRMING, Phase.ACTIVE):
        _of_the_recorder(draft, draft.again(recording), notice)
    _of_the_files(draft, draft.again(recording), notice)


def _recording_of(meeting: Meeting, notice: Notice) -> Recording | None:
    for recording in (meeting.live, *meeting.finishing.values()):
        if recording is None or recording.attempt is None:
            continue
        sid = recording.attempt.sid
        if notice.uid in recording.attempt.uids and (sid is None or sid == notice.sid):
            return recording
    return None


def _of_the_recorder(draft: Draft, recording: Recording, notice: Notice) -> None:
    attempt = recording.attempt
    assert attempt is not None
    evidence = f"event {notice.event_type}"
    if notice.event_type == RECORDER_STARTED and _int(notice, "status", 0) == 0:
        prove(draft, recording, attempt, evidence, notice.at_ms)
    elif notice.event_type == SLICE_START:
        prove(draft, recording, attempt, evidence, _int(notice, "startUtcMs", notice.at_ms))
    elif notice.event_type == ERROR and _int(notice, "errorLevel", 0) >= FATAL_LEVEL:
        draft.emit(
            RecorderTroubled(
                recording_id=recording.recording_id,
                attempt=attempt.number,
                evidence=f"event 1, code {_int(notice, 'errorCode', 0)}",
                trouble=_trouble(_int(notice, "errorCode", 0)),
            )
        )
    elif notice.event_type in EVENTS_OF_EXIT and recording.phase is not Phase.STARTING:
        at_ms = notice.at_ms if notice.event_type == RECORDER_LEAVE else None
        leave(draft, recording, attempt, evidence, at_ms=at_ms, reason=_reason_of_exit(recording, notice))


def _of_the_files(draft: Draft, recording: Recording, notice: Notice) -> None:
    if recording.phase not in (Phase.CONFIRMING, Phase.ACTIVE, Phase.PROCESSING):
        return
    if notice.event_type == UPLOADED:
        upload(draft, recording, StorageStatus.STORED, "event 31")
    elif notice.event_type == BACKUPED:
        upload(draft, recording, StorageStatus.BACKUP, "event 32")
    elif notice.event_type == PROGRESS:
        upload(draft, recording, StorageStatus.UPLOADING, "event 33")


def _reason_of_exit(recording: Recording, notice: Notice) -> EndReason | None:
    """Why it left by itself. A normal exit that nobody asked for is the idle limit (reference 9.5)."""
    if recording.want is Want.STOP or recording.started_at_ms is None:
        return None
    if notice.event_type == RECORDER_LEAVE:
        idle = bool(_int(notice, "leaveCode", 0) & LEFT_IDLE)
    else:
        idle = _int(notice, "exitStatus", 1) == 0
    return EndReason.PROVIDER_IDLE if idle else EndReason.PROVIDER_ERROR


def _trouble(code: int) -> Failure:
    unknown = Failure(FailureCode.PROVIDER_UNAVAILABLE, f"The provider reported error {code}.", retryable=True)
    return _TROUBLES.get(code, unknown)


def _int(notice: Notice, name: str, default: int) -> int:
    value = notice.details.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
