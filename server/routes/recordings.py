"""What reads one recording: by its id, the live one, its history, its playback."""

from aiohttp import hdrs, web

from actors.domain.ids import MeetingId
from actors.domain.model import Recording
from actors.reading import Records
from server.answers import as_problems, etag_of, json, not_modified
from server.auth import Role
from server.errors import Problem
from server.params import meeting_id_of, parse_query
from server.player import Player
from server.policy import (
    MEETING_MEMBER,
    PRINCIPAL,
    RECORDING_CONTROL,
    RECORDING_MEMBER,
    recording_playback,
    route,
    sees_private,
)
from server.render import Renderer, history_item
from server.routes.lookup import allowed_recording
from server.schemas import HistoryParameters, NoParameters, PlaybackParameters


class RecordingRoutes:
    """The handlers hold no state. `players`: the roles that may play."""

    def __init__(self, records: Records, renderer: Renderer, player: Player, players: frozenset[Role]) -> None:
        self._records = records
        self._renderer = renderer
        self._player = player
        self._players = players

    def add_to(self, app: web.Application) -> None:
        recording, players = "/api/v1/recordings/{id}", recording_playback(self._players)
        route(app, hdrs.METH_GET, "/api/v1/meetings/{meetingId}/recording", self.live, policy=MEETING_MEMBER)
        route(app, hdrs.METH_GET, recording, self.one, policy=RECORDING_MEMBER)
        route(app, hdrs.METH_GET, f"{recording}/history", self.history, policy=RECORDING_CONTROL)
        route(app, hdrs.METH_GET, f"{recording}/playback", self.playback, policy=players)

    async def live(self, request: web.Request) -> web.Response:
        """The meeting's live recording."""
        parse_query(request, NoParameters)
        with as_problems():
            recording = await self._records.live(MeetingId(meeting_id_of(request)))
        if recording is None:
            raise Problem("no_active_recording", "nothing is being recorded in this meeting", status=404)
        return self._answer(request, recording)

    async def one(self, request: web.Request) -> web.Response:
        """A recording by its id."""
        parse_query(request, NoParameters)
        return self._answer(request, await allowed_recording(request, self._records))

    async def history(self, request: web.Request) -> web.Response:
        """Every stored event of a recording, in order."""
        parameters = parse_query(request, HistoryParameters)
        recording = await allowed_recording(request, self._records)
        after = int(parameters.cursor or 0)
        with as_problems():
            events = await self._records.history(recording, after, parameters.limit + 1)
        shown = events[: parameters.limit]
        cursor = str(shown[-1].seq) if len(events) > parameters.limit else None
        return json({"items": [history_item(event) for event in shown], "nextCursor": cursor})

    async def playback(self, request: web.Request) -> web.Response:
        """Signed URLs of what there is to play."""
        parameters = parse_query(request, PlaybackParameters)
        seconds = self._player.seconds(parameters.expires_in)
        recording = await allowed_recording(request, self._records)
        return json(await self._player.play(recording, seconds, request[PRINCIPAL].sub))

    def _answer(self, request: web.Request, recording: Recording) -> web.Response:
        etag = etag_of(recording)
        if not_modified(request, etag):
            return web.Response(status=304, headers={"ETag": etag})
        private = sees_private(request[PRINCIPAL], recording.meeting_id)
        return json(self._renderer.recording(recording, private=private), headers={"ETag": etag})
