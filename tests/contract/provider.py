"""The provider's two legs under test, the fake of the simulation and the simulator over HTTP, and what is done with them."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from actors.domain.commands import Notice
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
from actors.domain.ids import RecordingId
from actors.domain.model import Layout, RecordingSpec, Subscription, Video
from actors.domain.outcomes import (
    Acquired,
    Banned,
    Done,
    Members,
    NotFound,
    Outcome,
    QueryAnswer,
    Rekeyed,
    Seen,
    StartAnswer,
    Started,
    StopAnswer,
    Updated,
)
from actors.ports import MediaStore, Recorder
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import ALL_STREAMS, LAYOUTS, LocalTarget
from clients.agora.webhooks import parse, verify
from tests.fakes.agora import FakeAgora
from tests.fakes.budget import Unlimited
from tests.fakes.media import media_in
from tests.fakes.studio import Bench, Clock, Receiver
from tests.waiting import eventually

ROOM = "room-1"
UID = "4242"
SPEC = RecordingSpec(channel_name=ROOM, max_idle_seconds=60)
PICTURE = RecordingSpec(channel_name=ROOM, streams="audio_video", video=Video(160, 96, 7, 100), layout=Layout())
RECORDING = RecordingId("r-1")
PREFIX = ("tapedeck", "r1")
CAPTURING = (4, 5)
PROOF_SECONDS = 2
"""By then a recorder captures."""
GONE_SECONDS = 30
"""By then one that has left is gone."""
RULE_SECONDS = 10
"""By then a kicking rule has struck."""
STRIKE_SECONDS, MOVE_SECONDS = 21, 90
"""By then a fault has struck a session, and by then it goes on elsewhere."""
LIST_SECONDS = 130
"""By then a list of members shows what was."""


class Provider(Protocol):
    """One leg: the ports, and what is done to the provider's world."""

    @property
    def recorder(self) -> Recorder: ...

    @property
    def media(self) -> MediaStore: ...

    def later(self, seconds: float) -> None:
        """Let so much time pass."""
        ...

    async def vacate(self) -> None:
        """Everybody leaves the room."""
        ...

    async def occupy(self) -> None: ...

    async def notices(self) -> list[Notice]:
        """All that came so far."""
        ...

    async def doom(self, fault: str) -> None:
        """The sessions that begin from now on are struck by it, with `session.` before it in the catalogue."""
        ...

    async def fate(self, sid: str) -> None:
        """Let pass the time in which it strikes, and what follows."""
        ...

    async def made(self, sid: str) -> tuple[list[str], list[str], int, str]:
        """How a session records: the uids heard and seen (the provider's word for all of them), layout, its colour."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._now_ms = 1_790_000_000_000
        self.recorder = FakeAgora(self, random.Random(7))
        self.media = self.recorder.media
        self._came: list[Notice] = []
        self._fault = ""

    def now_ms(self) -> int:
        return self._now_ms

    def later(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)

    async def vacate(self) -> None:
        self.recorder.vacate(ROOM)

    async def occupy(self) -> None:
        self.recorder.occupy(ROOM)

    async def notices(self) -> list[Notice]:
        self.later(1)
        self.recorder.advance(self._now_ms)
        self._came += self.recorder.take_notices(self._now_ms)
        return self._came

    async def doom(self, fault: str) -> None:
        self._fault = fault

    async def fate(self, sid: str) -> None:
        if self._fault == "never_active":
            self.recorder.mute(sid)
        self.later(STRIKE_SECONDS)
        strike = {"failover": self.recorder.failover, "dies": self.recorder.die, "evicted": self.recorder.evict}
        if self._fault in strike:
            strike[self._fault](sid, self._now_ms)
        self.later(MOVE_SECONDS)

    async def made(self, sid: str) -> tuple[list[str], list[str], int, str]:
        (session,) = (each for each in self.recorder.sessions if each.sid == sid)
        subscribe, layout = session.subscribe, session.layout or Layout()
        heard, seen = ([ALL_STREAMS] if uids is None else list(uids) for uids in (subscribe.audio, subscribe.video))
        return heard, seen, LAYOUTS[layout.template], layout.background_color


class OverHttp:
    def __init__(self, bench: Bench, http: aiohttp.ClientSession, clock: Clock, hook: Receiver) -> None:
        url = str(bench.server.make_url("/"))
        account = AgoraAccount(base_url=url, app_id="app", customer_id="c", customer_secret="s")
        self.recorder = AgoraRecorder(
            AgoraClient(http, account, Unlimited()), LocalTarget(), "app", now_ms=lambda: round(clock() * 1000)
        )
        self.media = media_in(bench.store)
        self._bench, self._clock, self._hook = bench, clock, hook

    def later(self, seconds: float) -> None:
        self._clock.ahead += seconds

    async def vacate(self) -> None:
        await self._put_users([])

    async def occupy(self) -> None:
        await self._put_users(["1"])

    async def notices(self) -> list[Notice]:
        assert all(verify(body, headers, "hush") for body, headers in self._hook.posts)
        return [parse(body, round(self._clock() * 1000)) for body, _ in self._hook.posts]

    async def doom(self, fault: str) -> None:
        status, _ = await self._bench.ask("PUT", "/_simulator/faults", {f"session.{fault}": 1})
        assert status == 200

    async def fate(self, sid: str) -> None:
        self.later(STRIKE_SECONDS + MOVE_SECONDS)
        await self.occupy()

    async def made(self, sid: str) -> tuple[list[str], list[str], int, str]:
        config = (await self._bench.shown(sid))["recordingConfig"]
        heard, seen = (config.get(f"subscribe{medium}Uids", [ALL_STREAMS]) for medium in ("Audio", "Video"))
        picture = config["transcodingConfig"]
        return heard, seen, picture["mixedVideoLayout"], picture["backgroundColor"]

    async def _put_users(self, users: list[str]) -> None:
        status, _ = await self._bench.ask("PUT", f"/_simulator/channels/{ROOM}", {"users": users})
        assert status == 200


@dataclass(frozen=True)
class Session:
    """A recorder that was started: its calls."""

    provider: Provider
    resource_id: str
    sid: str
    uid: str = UID

    async def query(self) -> QueryAnswer:
        call = AgoraQuery(recording_id=RECORDING, attempt=1, resource_id=self.resource_id, sid=self.sid)
        outcome = await self.provider.recorder.query(call)
        assert isinstance(outcome, Done)
        return outcome.value

    async def stop(self) -> StopAnswer:
        outcome = await self.provider.recorder.stop(AgoraStop(**self._names()))
        assert isinstance(outcome, Done)
        return outcome.value

    async def update(self, subscribe: Subscription) -> Outcome[Updated]:
        call = AgoraUpdate(**self._names(), streams="audio_video", subscribe=subscribe)
        return await self.provider.recorder.update(call)

    async def update_layout(self, layout: Layout) -> Outcome[Updated]:
        return await self.provider.recorder.update_layout(AgoraUpdateLayout(**self._names(), layout=layout))

    async def rekey(self) -> Outcome[Rekeyed]:
        return await self.provider.recorder.rekey(AgoraRekey(**self._names(), prefix=PREFIX))

    def _names(self) -> dict[str, Any]:
        return {
            "recording_id": RECORDING,
            "attempt": 1,
            "channel_name": ROOM,
            "uid": self.uid,
            "resource_id": self.resource_id,
            "sid": self.sid,
        }

    async def captures(self) -> bool:
        seen = await self.query()
        return isinstance(seen, Seen) and seen.status in CAPTURING

    async def is_gone(self) -> bool:
        return await self.query() == NotFound()


async def acquire(provider: Provider, uid: str = UID) -> str:
    call = AgoraAcquire(recording_id=RECORDING, attempt=1, channel_name=ROOM, uid=uid)
    outcome = await provider.recorder.acquire(call)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.value, Acquired)
    return outcome.value.resource_id


async def start(provider: Provider, resource_id: str, uid: str = UID, spec: RecordingSpec = SPEC) -> StartAnswer:
    call = AgoraStart(
        recording_id=RECORDING,
        attempt=1,
        channel_name=ROOM,
        uid=uid,
        resource_id=resource_id,
        spec=spec,
        prefix=PREFIX,
    )
    outcome = await provider.recorder.start(call)
    assert isinstance(outcome, Done)
    return outcome.value


async def begin_session(provider: Provider, spec: RecordingSpec = SPEC, uid: str = UID) -> Session:
    """A session that was accepted."""
    resource_id = await acquire(provider, uid)
    started = await start(provider, resource_id, uid, spec)
    assert isinstance(started, Started)
    return Session(provider, resource_id, started.sid, uid)


async def record(provider: Provider, spec: RecordingSpec = SPEC, uid: str = UID) -> Session:
    """A session with proof of capture."""
    session = await begin_session(provider, spec, uid)
    provider.later(PROOF_SECONDS)
    await eventually(session.captures)
    return session


def told(session: Session, *kinds: int) -> Callable[[], Awaitable[bool]]:
    """Whether notifications of all these kinds have come for the session."""

    async def look() -> bool:
        came = [each for each in await session.provider.notices() if each.sid == session.sid]
        return set(kinds) <= {each.event_type for each in came}

    return look


async def ban(provider: Provider, uid: str = UID, seconds: int = 600) -> None:
    call = AgoraBan(recording_id=RECORDING, attempt=1, channel_name=ROOM, uid=uid, seconds=seconds)
    outcome = await provider.recorder.ban(call)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.value, Banned)
    assert outcome.value.rule_id


async def members(provider: Provider) -> Members:
    outcome = await provider.recorder.members(AgoraMembers(recording_id=RECORDING, attempt=1, channel_name=ROOM))
    assert isinstance(outcome, Done)
    return outcome.value
