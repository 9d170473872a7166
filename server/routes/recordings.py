"""What reads recordings: one, the live one, lists, history, playback."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import orjson
from aiohttp import hdrs, web
from pydantic import Field, RootModel

from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Recording
from actors.ports import Clock, ListQuery, Records
from server.answers import as_problems, etag_of, json, not_modified
from server.auth import Role
from server.config import Config
from server.errors import Problem, invalid
from server.params import meeting_id_of, parse_query
from server.playback import UrlSigner, availability, playback_items
from server.policy import (
    HOSTS,
    MEETING_MEMBER,
    OPERATOR,
    PRINCIPAL,
    RECORDING_CONTROL,
    RECORDING_MEMBER,
    recording_playback,
    route,
)
from server.render import Renderer, history_item
from server.routes.lookup import allowed_recording
from server.schemas import (
    HistoryParameters,
    ListParameters,
    NoParameters,
    OperatorListParameters,
    PlaybackParameters,
)

NOT_READY_RETRY_SECONDS = 5


class _Place(
    RootModel[tuple[str, Annotated[int, Field(ge=0, lt=2**45)], Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]]]
):
    """What a cursor holds: the name of its filters, and time and id of the last row that was shown."""


class RecordingRoutes:
    """The handlers hold no state."""

    def __init__(self, records: Records, renderer: Renderer, signer: UrlSigner, clock: Clock, config: Config) -> None:
        self._records = records
        self._renderer = renderer
        self._signer = signer
        self._clock = clock
        self._config = config

    def add_to(self, app: web.Application) -> None:
        meeting, recording = "/api/v1/meetings/{meetingId}", "/api/v1/recordings/{id}"
        players = recording_playback(frozenset(Role(role) for role in self._config.access.playback_roles))
        route(app, hdrs.METH_GET, f"{meeting}/recording", self.live, policy=MEETING_MEMBER)
        route(app, hdrs.METH_GET, f"{meeting}/recordings", self.of_meeting, policy=MEETING_MEMBER)
        route(app, hdrs.METH_GET, recording, self.one, policy=RECORDING_MEMBER)
        route(app, hdrs.METH_GET, f"{recording}/history", self.history, policy=RECORDING_CONTROL)
        route(app, hdrs.METH_GET, f"{recording}/playback", self.playback, policy=players)
        route(app, hdrs.METH_GET, "/api/v1/recordings", self.of_all, policy=OPERATOR)

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

    async def of_meeting(self, request: web.Request) -> web.Response:
        """A meeting's recordings, newest first."""
        return await self._list(request, parse_query(request, ListParameters), MeetingId(meeting_id_of(request)))

    async def of_all(self, request: web.Request) -> web.Response:
        """All recordings, newest first."""
        parameters = parse_query(request, OperatorListParameters)
        meeting_id = None if parameters.meetingId is None else MeetingId(parameters.meetingId)
        return await self._list(request, parameters, meeting_id)

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
        limits = self._config.playback
        expires_in = parameters.expiresIn or limits.expires_seconds_default
        if expires_in > limits.expires_seconds_max:
            raise invalid("/expiresIn", f"{limits.expires_seconds_max} at most (playback.expires_seconds_max)")
        recording = await allowed_recording(request, self._records)
        ready = availability(recording)
        if ready != "ready":
            wait = NOT_READY_RETRY_SECONDS if ready == "recording_not_ready" else None
            raise Problem(ready, retry_after_seconds=wait)
        now_seconds = self._clock.now_ms() / 1000
        return json({"items": playback_items(recording, self._signer, expires_in, now_seconds)})

    async def _list(
        self, request: web.Request, parameters: ListParameters, meeting_id: MeetingId | None
    ) -> web.Response:
        filters = _filters_name(meeting_id, parameters)
        query = ListQuery(
            meeting_id=meeting_id,
            statuses=parameters.statuses,
            states=tuple(parameters.state),
            limit=parameters.limit,
            offset=parameters.offset,
            after=None if parameters.cursor is None else _read_cursor(parameters.cursor, filters),
        )
        with as_problems():
            page = await self._records.page(query)
        private = self._may_see_private(request, meeting_id)
        return json(
            {
                "items": [self._renderer.recording(item, private=private) for item in page.items],
                "total": page.total,
                "limit": parameters.limit,
                "offset": parameters.offset,
                "nextCursor": _write_cursor(page.items[-1], filters) if page.more and page.items else None,
            }
        )

    def _answer(self, request: web.Request, recording: Recording) -> web.Response:
        etag = etag_of(recording)
        if not_modified(request, etag):
            return web.Response(status=304, headers={"ETag": etag})
        private = self._may_see_private(request, recording.meeting_id)
        return json(self._renderer.recording(recording, private=private), headers={"ETag": etag})

    def _may_see_private(self, request: web.Request, meeting_id: MeetingId | None) -> bool:
        principal = request[PRINCIPAL]
        return principal.is_operator or (meeting_id is not None and principal.role_in(meeting_id) in HOSTS)


def _filters_name(meeting_id: MeetingId | None, parameters: ListParameters) -> str:
    """A short name of what a list is filtered by: a cursor is good for the same filters only."""
    filters = [meeting_id, sorted(parameters.status), sorted(state.value for state in parameters.state)]
    return hashlib.sha256(orjson.dumps(filters)).hexdigest()[:16]


def _write_cursor(last: Recording, filters: str) -> str:
    place = orjson.dumps([filters, last.created_at_ms, last.recording_id])
    return urlsafe_b64encode(place).rstrip(b"=").decode()


def _read_cursor(cursor: str, filters: str) -> tuple[int, RecordingId]:
    try:
        place = _Place.model_validate_json(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise invalid("/cursor", "this is no cursor of this list") from None
    made_for, created_at_ms, recording_id = place.root
    if made_for != filters:
        raise invalid("/cursor", "this cursor was made for other filters")
    return created_at_ms, RecordingId(recording_id)
