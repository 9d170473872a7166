"""What notifications say of a recorder's life and end, by the provider's own numbers (reference 9.4)."""

from typing import Any

from actors.domain.commands import Notice
from actors.domain.model import Attempt

ERROR, SESSION_EXIT, FAILOVER, UPLOADED, BACKUPED, PROGRESS = 1, 11, 12, 31, 32, 33
RECORDER_STARTED, RECORDER_LEAVE, SLICE_START, AUDIO_CHANGED, VIDEO_CHANGED = 40, 41, 42, 43, 44

SIGNS_OF_LIFE = frozenset({FAILOVER, PROGRESS, RECORDER_STARTED, SLICE_START, AUDIO_CHANGED, VIDEO_CHANGED})
"""Only of a recorder that has not left; some of them are also sent a little later (reference 9.5)."""
CAPTURING = frozenset({FAILOVER, RECORDER_STARTED, SLICE_START})
"""What a recorder that is gone does not report."""
LEFT_IDLE = 4
"""Bit of `leaveCode`: nobody was in the channel."""


def is_exit(notice: Notice, attempt: Attempt) -> bool:
    """Whether the session is over: it said so, or its recorder left. The leaving of a machine before that is none."""
    if notice.event_type == SESSION_EXIT:
        return True
    return notice.event_type == RECORDER_LEAVE and notice.uid == attempt.uids[-1]


def left_idle(notice: Notice) -> bool:
    """Whether it left because nobody was there."""
    return notice.event_type == RECORDER_LEAVE and bool(number(notice, "leaveCode", 0) & LEFT_IDLE)


def new_uid(notice: Notice) -> str:
    """The uid of a session that has moved; event 12 names it."""
    named: Any = notice.details.get("newUid")
    return str(named) if isinstance(named, int | str) and str(named).isdecimal() else notice.uid


def number(notice: Notice, name: str, default: int) -> int:
    """A whole number among the details, which are the provider's and not to be relied on."""
    value = notice.details.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
