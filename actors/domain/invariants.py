"""What must hold of every state, checked before anything is durable: a bug stops at the actor, not in the database."""

from actors.domain.model import Meeting, Phase, Recording
from actors.domain.pending import next_wakeup
from actors.domain.projections import LIVE_PHASES


class InvariantBroken(Exception):
    """A state that must never be; the command that led to it is not committed."""


def check(meeting: Meeting) -> None:
    """Raises InvariantBroken with a sentence."""
    live = meeting.live
    if live is not None:
        _require(live.phase in LIVE_PHASES, f"live in phase {live.phase}")
        _check_attempt(live)
        _require(live.deadline_at_ms is not None, "a live recording without a deadline")
    for recording in meeting.finishing.values():
        _require(recording.phase not in LIVE_PHASES, f"finishing in phase {recording.phase}")
        if recording.phase is Phase.PROCESSING:
            _require(recording.deadline_at_ms is not None, "processing without a deadline")
    for eviction in meeting.evictions:
        beside = live is not None and live.attempt is not None and live.attempt.opened_at_ms > eviction.began_at_ms
        _require(eviction.fenced_at_ms is not None or not beside, "an attempt was opened beside an eviction")
    _require(meeting.sequence <= meeting.seq, "more public events than events")
    unsettled = live is not None or meeting.finishing or meeting.evictions
    _require(not unsettled or next_wakeup(meeting) is not None, "unsettled, and nothing will wake it")


def _check_attempt(live: Recording) -> None:
    attempt = live.attempt
    if live.phase is Phase.ACCEPTED:
        _require(attempt is None, "accepted with an open attempt")
        return
    _require(attempt is not None, f"{live.phase} without an attempt")
    assert attempt is not None
    _require((attempt.resource_id is None) == (live.phase is Phase.ACQUIRING), f"{live.phase} and its resource")
    _require((attempt.sid is not None) == (live.phase in (Phase.CONFIRMING, Phase.ACTIVE)), f"{live.phase} and its sid")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise InvariantBroken(sentence)
