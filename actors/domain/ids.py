"""Names for the strings that identify things, so that the type checker keeps them apart."""

from typing import NewType

MeetingId = NewType("MeetingId", str)
RecordingId = NewType("RecordingId", str)
"""UUIDv7 text."""
NoticeId = NewType("NoticeId", str)
"""The provider's `noticeId`: opaque, the same on every delivery of one notification (reference 9.3)."""
