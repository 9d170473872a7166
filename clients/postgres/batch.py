"""The columns of one commit statement: many appends, laid out as arrays.

Values of the domain are left as they are: the pool's codec for jsonb writes them.
"""

from collections.abc import Sequence
from typing import Any

from actors.domain.codec import EVENT_VERSION
from actors.domain.projections import is_live, state_of, status_of
from actors.ports import Append


def columns(appends: Sequence[Append]) -> list[list[Any]]:
    """The parameters of commit.sql, in its order."""
    return [*_meetings(appends), *_events(appends), *_recordings(appends), *_marks(appends)]


def _meetings(appends: Sequence[Append]) -> list[list[Any]]:
    return [
        [append.meeting_id for append in appends],
        [append.epoch for append in appends],
        [append.expected_seq for append in appends],
        [append.state.seq for append in appends],
        [append.state.sequence for append in appends],
        [append.state for append in appends],
        [append.wake_at_ms for append in appends],
    ]


def _events(appends: Sequence[Append]) -> list[list[Any]]:
    events = [event for append in appends for event in append.events]
    return [
        [event.meeting_id for event in events],
        [event.seq for event in events],
        [event.sequence for event in events],
        [event.at_ms for event in events],
        [event.event.recording_id for event in events],
        [event.event.kind for event in events],
        [EVENT_VERSION for _ in events],
        [event.actor for event in events],
        [event.event for event in events],
        [event.recording for event in events],
        [event.live for event in events],
    ]


def _recordings(appends: Sequence[Append]) -> list[list[Any]]:
    recordings = [recording for append in appends for recording in append.recordings]
    return [
        [recording.meeting_id for recording in recordings],
        [recording.recording_id for recording in recordings],
        [is_live(recording) for recording in recordings],
        [state_of(recording).value for recording in recordings],
        [status_of(recording).value for recording in recordings],
        [recording.created_at_ms for recording in recordings],
        list(recordings),
    ]


def _marks(appends: Sequence[Append]) -> list[list[Any]]:
    recorders = [(append.meeting_id, row) for append in appends for row in append.recorders]
    commands = [(append.meeting_id, append.command) for append in appends if append.command is not None]
    notices = [(append.meeting_id, notice) for append in appends for notice in append.notices]
    return [
        [meeting for meeting, _ in recorders],
        [row.cname for _, row in recorders],
        [row.uid for _, row in recorders],
        [row.sid for _, row in recorders],
        [row.recording_id for _, row in recorders],
        [row.attempt for _, row in recorders],
        [meeting for meeting, _ in commands],
        [command.command_id for _, command in commands],
        [command.body_hash for _, command in commands],
        [command.recording_id for _, command in commands],
        [meeting for meeting, _ in notices],
        [notice for _, notice in notices],
    ]
