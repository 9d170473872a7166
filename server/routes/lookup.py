"""Finds the recording that a path names, and asks whether the caller may know of it: one way for all its calls."""

from aiohttp import web

from actors.domain.ids import RecordingId
from actors.domain.model import Recording
from actors.reading import Records
from server.answers import as_problems
from server.errors import Problem
from server.params import recording_id_of
from server.policy import allow_recording


async def allowed_recording(request: web.Request, records: Records) -> Recording:
    """The recording of the path's id. Raises Problem 404, also for what is not the caller's, and 403."""
    with as_problems():
        recording = await records.recording(RecordingId(recording_id_of(request)))
    if recording is None:
        raise Problem("not_found", "there is no such recording")
    allow_recording(request, recording.meeting_id)
    return recording
