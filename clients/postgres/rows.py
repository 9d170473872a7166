"""Rows to domain values and back."""

import asyncpg

from actors.domain.codec import decode, decode_event
from actors.domain.events import JournalEvent, LiveRef
from actors.domain.ids import MeetingId
from actors.domain.model import Actor, Recording


def to_event(row: asyncpg.Record) -> JournalEvent:
    """A row of `events`."""
    return JournalEvent(
        meeting_id=MeetingId(row["meeting_id"]),
        seq=row["seq"],
        sequence=row["sequence"],
        at_ms=row["at_ms"],
        actor=decode(Actor, row["actor"]),
        event=decode_event(row["kind"], row["version"], row["data"]),
        recording=None if row["recording"] is None else decode(Recording, row["recording"]),
        live=None if row["live"] is None else decode(LiveRef, row["live"]),
    )


def to_recording(row: asyncpg.Record | None) -> Recording | None:
    """A row with the `data` of `recordings`, or none."""
    return None if row is None else decode(Recording, row["data"])
