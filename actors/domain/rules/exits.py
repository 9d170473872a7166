"""What notifications say of a recorder's life and end, by the provider's own numbers (reference 9.4)."""

import re
from typing import Any

from actors.domain.commands import Notice
from actors.domain.model import Attempt

ERROR, SESSION_EXIT, FAILOVER, UPLOADED, BACKUPED, PROGRESS = 1, 11, 12, 31, 32, 33
RECORDER_STARTED, RECORDER_LEAVE, SLICE_START, AUDIO_CHANGED, VIDEO_CHANGED = 40, 41, 42, 43, 44

SIGNS_OF_LIFE = frozenset({FAILOVER, PROGRESS, RECORDER_STARTED, SLICE_START, AUDIO_CHANGED, VIDEO_CHANGED})
"""Only of a recorder that has not left; some of them are also sent a little later (reference 9.5)."""
CAPTURING = frozenset({FAILOVER, RECORDER_STARTED, SLICE_START})
"""What a recorder that is gone does not report."""
_SID = re.compile(r"[0-9a-f]{32}")
UID_MAX = 4_294_967_295
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


def uid_of(notice: Notice) -> str:
    """The uid under which the recorder is in the channel by now: event 12 names another one. Empty if none can be."""
    named: Any = notice.details.get("newUid") if notice.event_type == FAILOVER else None
    return next((uid for uid in (str(named), notice.uid) if _is_uid(uid)), "")


def sid_of(notice: Notice) -> str:
    """The session, if it names one that can be called; a start answers with nothing else either (reference 3.8)."""
    return notice.sid if is_sid(notice.sid) else ""


def is_sid(text: str) -> bool:
    """Whether it can be the name of a session."""
    return _SID.fullmatch(text) is not None


def _is_uid(text: str) -> bool:
    """Only what a kicking rule can name (channel management 1.2); 0 would be everybody."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(UID_MAX)) and 1 <= int(text) <= UID_MAX


def number(notice: Notice, name: str, default: int) -> int:
    """A whole number among the details, which are the provider's and not to be relied on."""
    value = notice.details.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
