"""The calls on recordings behind the real middlewares and actors, on a database in memory, a fake Agora and a clock of its own."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import web
from prometheus_client import CollectorRegistry

from actors.domain.effects import (
    AgoraAcquire,
    AgoraBan,
    AgoraMembers,
    AgoraQuery,
    AgoraRekey,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
)
from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId, RecordingId
from actors.domain.media import MediaReport
from actors.domain.model import Failure, FailureCode, Meeting, Recording
from actors.domain.outcomes import (
    Acquired,
    Banned,
    Done,
    Members,
    Outcome,
    QueryAnswer,
    Rejected,
    Rekeyed,
    RetryLater,
    StartAnswer,
    StopAnswer,
    Updated,
)
from actors.domain.policy import Policy
from actors.ports import JournalUnavailable, Ports
from actors.system import ActorSystem, SystemSettings
from server.auth import Role, mint_token
from server.config import Config
from server.ids import RandomIds
from server.media_metrics import PlaybackMetrics
from server.openings import Openings
from server.playback import Signer, UrlSigner
from server.player import Player
from server.render import Renderer
from server.routes.commands import CommandRoutes
from server.routes.lists import ListRoutes
from server.routes.recordings import RecordingRoutes
from tests.fakes.agora import FakeAgora
from tests.fakes.memory import MemoryDatabase, MemoryInbox, MemoryJournal, MemoryRecords
from tests.fakes.standing import standing
from tests.unit.server.conftest import SECRET, Edge, Serve
from tests.unit.server.documented import assert_documented
from tests.waiting import eventually

BEGIN_MS = 1_790_000_000_000
T = TypeVar("T")


class Journal(MemoryJournal):
    """The journal in memory, which can be away for readers."""

    away = False

    async def recall(self, meeting_id: MeetingId, recording_id: RecordingId) -> Recording | None:
        if self.away:
            raise JournalUnavailable
        return await super().recall(meeting_id, recording_id)


class GatedAgora:
    """ports.Recorder: the fake Agora behind gates that can be shut, and with a refusal that it can be told to give."""

    def __init__(self, agora: FakeAgora) -> None:
        self._agora = agora
        self.open, self.starts, self.updates = asyncio.Event(), asyncio.Event(), asyncio.Event()
        for gate in (self.open, self.starts, self.updates):
            gate.set()
        self.refusal: FailureCode | None = None
        self.full: RetryLater | None = None
        """What acquire is answered."""
        self.sent: list[AgoraUpdate | AgoraUpdateLayout] = []
        """Updates that have come, before their gate."""

    async def acquire(self, call: AgoraAcquire) -> Outcome[Acquired]:
        await self.open.wait()
        return self.full or self._refused() or await self._agora.acquire(call)

    async def start(self, call: AgoraStart) -> Outcome[StartAnswer]:
        await self.starts.wait()
        return await self._agora.start(call)

    async def query(self, call: AgoraQuery) -> Outcome[QueryAnswer]:
        return await self._agora.query(call)

    async def stop(self, call: AgoraStop) -> Outcome[StopAnswer]:
        await self.open.wait()
        return await self._agora.stop(call)

    async def update(self, call: AgoraUpdate) -> Outcome[Updated]:
        self.sent.append(call)
        await self.updates.wait()
        return self._refused() or await self._agora.update(call)

    async def update_layout(self, call: AgoraUpdateLayout) -> Outcome[Updated]:
        self.sent.append(call)
        await self.updates.wait()
        return self._refused() or await self._agora.update_layout(call)

    async def rekey(self, call: AgoraRekey) -> Outcome[Rekeyed]:
        return await self._agora.rekey(call)

    async def ban(self, call: AgoraBan) -> Outcome[Banned]:
        return await self._agora.ban(call)

    async def members(self, call: AgoraMembers) -> Outcome[Members]:
        return await self._agora.members(call)

    def _refused(self) -> Rejected | None:
        if self.refusal is None:
            return None
        return Rejected(Failure(self.refusal, "Agora said no", retryable=False))


class Calls:
    """A server of these calls only. `now_ms` moves when it is told to."""

    def __init__(self, config: Config) -> None:
        self.time_ms = BEGIN_MS
        self.free_bytes: int | None = None
        self.broken: str | None = None
        """What is wrong with storage."""
        self.looks = 0
        self.storage_trouble: Exception | None = None
        self.keys_trouble: Exception | None = None
        self._signer = UrlSigner(b"s", "http://here")
        self.registry = CollectorRegistry()
        self.database = MemoryDatabase()
        self.journal = Journal(self.database)
        self.agora = FakeAgora(self, random.Random(1))
        self.recorder = GatedAgora(self.agora)
        ownership, self.lease = standing(self.database)
        self.ports = Ports(
            journal=self.journal,
            ownership=ownership,
            inbox=MemoryInbox(self.database),
            recorder=self.recorder,
            media=self.agora.media,
            publisher=self,
            clock=self,
            ids=RandomIds(),
        )
        self.system = ActorSystem(self.ports, Policy(settle_ms=0), SystemSettings(), self.lease)
        self._config = config
        self.edge: Edge

    def now_ms(self) -> int:
        return self.time_ms

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        """ports.Publisher: nobody listens."""

    async def playlists(self, prefix: tuple[str, ...]) -> MediaReport:
        """server.player.Playlists: what the fake Agora has written by now."""
        self.looks += 1
        if self.storage_trouble is not None:
            raise self.storage_trouble
        outcome = await self.agora.media.examine(prefix)
        assert isinstance(outcome, Done)
        return outcome.value

    async def signer(self) -> Signer:
        """server.playback.Urls."""
        if self.keys_trouble is not None:
            raise self.keys_trouble
        return self._signer

    def add_to(self, app: web.Application) -> None:
        records, renderer = MemoryRecords(self.database), Renderer(self._signer)
        player = Player(self, self, self, self._config.playback, PlaybackMetrics(self.registry))
        players = frozenset(Role(role) for role in self._config.access.playback_roles)
        openings = Openings(records, self.system.capacity, lambda: self.free_bytes, lambda: self.broken, self._config)
        CommandRoutes(self.system, records, self.ports.ids, renderer, self._config, openings).add_to(app)
        RecordingRoutes(records, renderer, player, players).add_to(app)
        ListRoutes(records, renderer, player, self, players).add_to(app)

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, JSON or None, headers. The caller is a HOST of every meeting unless a token says otherwise.

        Fails if the OpenAPI document does not tell of the answer.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {token or host()}"
        async with self.edge.client.request(method, f"/api/v1{path}", json=body, headers=sent) as response:
            told = await response.json(content_type=None) if response.content_length else None
            assert_documented(method, f"/api/v1{path.partition('?')[0]}", response.status, told, response.headers)
            return response.status, told, response.headers

    async def read(self, path: str, **options: Any) -> Any:
        """What a GET is answered with."""
        status, told, _ = await self.call("GET", path, **options)
        assert status == 200, told
        return told

    async def over(self, count: int, meeting: str = "m") -> list[str]:
        """Ids of as many recordings that are over, newest first; two begin in the same millisecond."""
        made = []
        for number in range(count):
            self.time_ms += number % 2
            made.append((await self.start(meeting))["id"])
            await self.stop(meeting)
        return made[::-1]

    async def start(self, meeting: str, body: Any = None, **headers: str) -> Any:
        status, recording, _ = await self.call("POST", f"/meetings/{meeting}/recording/start", body, **headers)
        assert status in (201, 202), recording
        return recording

    async def stop(self, meeting: str) -> Any:
        status, recording, _ = await self.call("POST", f"/meetings/{meeting}/recording/stop")
        assert status == 200, recording
        return recording

    async def in_state(self, recording: dict[str, Any], state: str) -> Any:
        """The recording once it is in that state; time passes for it meanwhile."""

        async def look() -> Any:
            self.time_ms += 1000
            self.system.wake(MeetingId(recording["meetingId"]))
            _, now, _ = await self.call("GET", f"/recordings/{recording['id']}")
            return now if now["state"] == state else None

        return await eventually(look)

    async def completed(self, meeting: str, body: Any = None) -> Any:
        """A recording of a minute, from its start to its proof."""
        recording = await self.start(meeting, body)
        await self.in_state(recording, "active")
        self.time_ms += 60_000
        await self.call("POST", f"/meetings/{meeting}/recording/stop", Prefer="wait=0")
        return await self.in_state(recording, "completed")

    async def sealed(self, recording: dict[str, Any]) -> str:
        """The SHA-256 of its manifest, once that is written."""

        async def look() -> str | None:
            return self.database.recordings[RecordingId(recording["id"])].manifest_sha256

        return str(await eventually(look))


def host(sub: str = "host-1", meeting: str = "*") -> str:
    return token_of(sub, {meeting: "HOST"})


def token_of(sub: str, meetings: dict[str, str] | None = None, *, operator: bool = False) -> str:
    return mint_token(SECRET, sub=sub, meetings=meetings or {}, operator=operator)


OPERATOR = token_of("operator-1", operator=True)


@asynccontextmanager
async def serving_calls(
    serve: Serve, config: Config | None = None, also: Callable[[Calls], None] = lambda calls: None
) -> AsyncIterator[Calls]:
    """The calls on a free port, and others that `also` adds; what is in flight at the end is let go."""
    calls = Calls(config or Config())
    also(calls)
    calls.edge = await serve(calls.add_to)
    yield calls
    calls.recorder.open.set()
    calls.recorder.starts.set()
    calls.recorder.updates.set()
    await calls.system.drain(1)
