"""Lists of recordings, newest first: of a meeting, and for operators of all."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import orjson
from aiohttp import hdrs, web
from pydantic import Field, RootModel

from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Recording
from actors.ports import Clock
from actors.reading import ListQuery, Page, Records
from server.answers import as_problems, json
from server.auth import Role
from server.errors import Problem, invalid
from server.params import meeting_id_of, parse_query
from server.player import Player
from server.policy import MEETING_MEMBER, OPERATOR, PRINCIPAL, may_play, route, sees_private
from server.render import Renderer
from server.schemas import ListParameters, OperatorListParameters


class _Place(
    RootModel[tuple[str, Annotated[int, Field(ge=0, lt=2**45)], Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]]]
):
    """What a cursor holds: the name of its filters, and time and id of the last row that was shown."""


class ListRoutes:
    """The handlers hold no state. `players`: the roles that may play."""

    def __init__(
        self, records: Records, renderer: Renderer, player: Player, clock: Clock, players: frozenset[Role]
    ) -> None:
        self._records = records
        self._renderer = renderer
        self._player = player
        self._clock = clock
        self._players = players

    def add_to(self, app: web.Application) -> None:
        route(app, hdrs.METH_GET, "/api/v1/meetings/{meetingId}/recordings", self.of_meeting, policy=MEETING_MEMBER)
        route(app, hdrs.METH_GET, "/api/v1/recordings", self.of_all, policy=OPERATOR)

    async def of_meeting(self, request: web.Request) -> web.Response:
        """A meeting's recordings."""
        return await self._list(request, parse_query(request, ListParameters), MeetingId(meeting_id_of(request)))

    async def of_all(self, request: web.Request) -> web.Response:
        """All recordings."""
        parameters = parse_query(request, OperatorListParameters)
        meeting_id = None if parameters.meeting_id is None else MeetingId(parameters.meeting_id)
        return await self._list(request, parameters, meeting_id)

    async def _list(
        self, request: web.Request, parameters: ListParameters, meeting_id: MeetingId | None
    ) -> web.Response:
        private = sees_private(request[PRINCIPAL], meeting_id)
        if parameters.external_id is not None and not private:
            raise Problem("forbidden", "externalId is shown to HOST, CO_HOST and operators only, so is what it finds")
        if parameters.include and not may_play(request[PRINCIPAL], meeting_id, self._players):
            raise Problem("forbidden", f"playback needs one of the roles {', '.join(sorted(self._players))}")
        filters = _filters_name(meeting_id, parameters)
        with as_problems():
            page = await self._records.page(self._query(parameters, meeting_id, filters))
        items = [self._renderer.recording(item, private=private) for item in page.items]
        if parameters.include:
            played = await self._player.play_all(page.items, request[PRINCIPAL].sub)
            items = [{**item, "playback": playback} for item, playback in zip(items, played, strict=True)]
        return json(
            {
                "items": items,
                "total": page.total,
                "limit": parameters.limit,
                "offset": parameters.offset,
                "nextCursor": _next_cursor(page, filters),
            }
        )

    def _query(self, parameters: ListParameters, meeting_id: MeetingId | None, filters: str) -> ListQuery:
        return ListQuery(
            meeting_id=meeting_id,
            statuses=parameters.statuses,
            states=tuple(parameters.state),
            external_id=parameters.external_id,
            completeness=parameters.completeness,
            created_from_ms=parameters.from_,
            created_before_ms=parameters.to,
            updated_since_ms=parameters.updated_since,
            overdue_at_ms=self._clock.now_ms() if parameters.overdue == "true" else None,
            limit=parameters.limit,
            offset=parameters.offset,
            after=None if parameters.cursor is None else _read_cursor(parameters.cursor, filters),
        )


def _filters_name(meeting_id: MeetingId | None, parameters: ListParameters) -> str:
    """A short name of what a list is filtered by: a cursor is good for the same filters only."""
    filters = parameters.model_dump(exclude={"limit", "offset", "cursor", "include"}, exclude_defaults=True)
    lists = {"status": sorted(set(parameters.status)), "state": sorted(set(parameters.state))}
    named = {**filters, **lists, "meeting_id": meeting_id}
    return hashlib.sha256(orjson.dumps(named, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _next_cursor(page: Page, filters: str) -> str | None:
    if not page.more or not page.items:
        return None
    last: Recording = page.items[-1]
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
