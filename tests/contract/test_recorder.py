"""What the core needs of the provider, on the fake of the simulation and, over HTTP, on the simulator alike."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import pytest
import pytest_asyncio

from actors.domain.commands import Notice
from actors.domain.effects import (
    AgoraAcquire,
    AgoraQuery,
    AgoraStart,
    AgoraStop,
    AgoraUpdate,
    AgoraUpdateLayout,
)
from actors.domain.ids import RecordingId
from actors.domain.model import Layout, RecordingSpec, Subscription, Video
from actors.domain.outcomes import (
    Acquired,
    AlreadyRunning,
    Ambiguous,
    Done,
    Leaving,
    NotFound,
    Outcome,
    QueryAnswer,
    ResourceUnusable,
    Seen,
    StartAnswer,
    Started,
    StopAnswer,
    Stopped,
    Updated,
)
from actors.ports import MediaStore, Recorder
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import ALL_STREAMS, LAYOUTS, LocalTarget
from clients.agora.webhooks import parse, verify
from clients.storage.media import StoredMedia
from tests.fakes.agora import FakeAgora
from tests.fakes.budget import Unlimited
from tests.fakes.studio import Bench, Clock, Receiver
from tests.integration.conftest import Begin
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

    async def made(self, sid: str) -> tuple[list[str], list[str], int, str]:
        """How a session records: the uids heard and seen (the provider's word for all of them), layout, its colour."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._now_ms = 1_790_000_000_000
        self.recorder = FakeAgora(self, random.Random(7))
        self.media = self.recorder.media
        self._came: list[Notice] = []

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

    async def made(self, sid: str) -> tuple[list[str], list[str], int, str]:
        (session,) = (each for each in self.recorder.sessions if each.sid == sid)
        subscribe, layout = session.subscribe, session.layout or Layout()
        heard, seen = ([ALL_STREAMS] if uids is None else list(uids) for uids in (subscribe.audio, subscribe.video))
        return heard, seen, LAYOUTS[layout.template], layout.background_color


class OverHttp:
    def __init__(self, bench: Bench, http: aiohttp.ClientSession, clock: Clock, hook: Receiver) -> None:
        url = str(bench.server.make_url("/"))
        account = AgoraAccount(base_url=url, app_id="app", customer_id="c", customer_secret="s")
        self.recorder = AgoraRecorder(AgoraClient(http, account, Unlimited()), LocalTarget(), "app")
        self.media = StoredMedia(bench.store)
        self._bench, self._clock, self._hook = bench, clock, hook

    def later(self, seconds: float) -> None:
        self._clock.ahead += seconds

    async def vacate(self) -> None:
        await self._put_users([])

    async def occupy(self) -> None:
        await self._put_users(["1"])

    async def notices(self) -> list[Notice]:
        assert all(verify(body, headers, "hush") for body, headers in self._hook.posts)
        return [parse(body) for body, _ in self._hook.posts]

    async def made(self, sid: str) -> tuple[list[str], list[str], int, str]:
        config = (await self._bench.shown(sid))["recordingConfig"]
        heard, seen = (config.get(f"subscribe{medium}Uids", [ALL_STREAMS]) for medium in ("Audio", "Video"))
        picture = config["transcodingConfig"]
        return heard, seen, picture["mixedVideoLayout"], picture["backgroundColor"]

    async def _put_users(self, users: list[str]) -> None:
        status, _ = await self._bench.ask("PUT", f"/_simulator/channels/{ROOM}", {"users": users})
        assert status == 200


@pytest_asyncio.fixture(params=["fake", "simulator"])
async def provider(
    request: pytest.FixtureRequest, begin: Begin, receiver: tuple[Receiver, str]
) -> AsyncIterator[Provider]:
    if request.param == "fake":
        yield InMemory()
        return
    (hook, url), clock = receiver, Clock()
    bench = await begin(now=clock, webhook_url=url)
    async with aiohttp.ClientSession() as http:
        yield OverHttp(bench, http, clock, hook)


@dataclass(frozen=True)
class Session:
    """A recorder that was started: its calls."""

    provider: Provider
    resource_id: str
    sid: str

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

    def _names(self) -> dict[str, Any]:
        return {
            "recording_id": RECORDING,
            "attempt": 1,
            "channel_name": ROOM,
            "uid": UID,
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


async def record(provider: Provider, spec: RecordingSpec = SPEC) -> Session:
    """A session with proof of capture."""
    resource_id = await acquire(provider)
    started = await start(provider, resource_id, spec=spec)
    assert isinstance(started, Started)
    session = Session(provider, resource_id, started.sid)
    provider.later(PROOF_SECONDS)
    await eventually(session.captures)
    return session


def told(session: Session, *kinds: int) -> Callable[[], Awaitable[bool]]:
    """Whether notifications of all these kinds have come for the session."""

    async def look() -> bool:
        came = [each for each in await session.provider.notices() if each.sid == session.sid]
        return set(kinds) <= {each.event_type for each in came}

    return look


async def test_a_recording_from_acquire_to_stop(provider: Provider) -> None:
    session = await record(provider)
    assert await session.stop() == Stopped("uploaded")


async def test_a_start_sent_twice_starts_once(provider: Provider) -> None:
    resource_id = await acquire(provider)
    assert isinstance(await start(provider, resource_id), Started)
    assert await start(provider, resource_id) == AlreadyRunning(7)


async def test_a_uid_records_once_whatever_the_resource(provider: Provider) -> None:
    assert isinstance(await start(provider, await acquire(provider)), Started)
    assert await start(provider, await acquire(provider)) == AlreadyRunning(53)


async def test_another_uid_records_too(provider: Provider) -> None:
    first = await start(provider, await acquire(provider))
    second = await start(provider, await acquire(provider, "7"), "7")
    assert isinstance(first, Started)
    assert isinstance(second, Started)
    assert first.sid != second.sid


async def test_a_resource_serves_one_session(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert isinstance(await start(provider, session.resource_id), ResourceUnusable)


async def test_a_resource_lives_five_minutes(provider: Provider) -> None:
    in_time, late = await acquire(provider), await acquire(provider, "7")
    provider.later(290)
    assert isinstance(await start(provider, in_time), Started)
    provider.later(11)
    assert isinstance(await start(provider, late, "7"), ResourceUnusable)


async def test_a_resource_is_of_one_uid(provider: Provider) -> None:
    assert isinstance(await start(provider, await acquire(provider), "7"), ResourceUnusable)


async def test_a_resource_that_nobody_made(provider: Provider) -> None:
    assert isinstance(await start(provider, "unheard-of"), ResourceUnusable)


async def test_a_second_stop_finds_it_leaving_and_then_gone(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert await session.stop() == Leaving()
    provider.later(GONE_SECONDS)
    assert await session.stop() == NotFound()
    assert await session.query() == NotFound()


async def test_a_session_that_never_was(provider: Provider) -> None:
    session = Session(provider, await acquire(provider), "0" * 32)
    assert await session.query() == NotFound()
    assert await session.stop() == NotFound()


async def test_a_change_holds_until_the_next_one(provider: Provider) -> None:
    session = await record(provider, PICTURE)
    assert await provider.made(session.sid) == ([ALL_STREAMS], [ALL_STREAMS], LAYOUTS["best_fit"], "#000000")
    for _ in range(2):
        assert await session.update(Subscription(audio=("1", "2"), video=None)) == Done(Updated())
        assert await session.update_layout(Layout("vertical", "7", "#112233")) == Done(Updated())
        assert await provider.made(session.sid) == (["1", "2"], [ALL_STREAMS], LAYOUTS["vertical"], "#112233")
    assert await session.update(Subscription(audio=None, video=("3",))) == Done(Updated())
    assert await session.update_layout(Layout("floating")) == Done(Updated())
    assert await provider.made(session.sid) == ([ALL_STREAMS], ["3"], LAYOUTS["floating"], "#000000")


async def test_what_has_ended_cannot_be_changed(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert isinstance(await session.update(Subscription(audio=("1",))), Ambiguous)
    assert isinstance(await session.update_layout(Layout("vertical")), Ambiguous)


async def test_after_a_stop_the_uid_is_free(provider: Provider) -> None:
    session = await record(provider)
    await session.stop()
    assert isinstance(await start(provider, await acquire(provider)), Started)


async def test_an_empty_room_ends_it(provider: Provider) -> None:
    session = await record(provider)
    await provider.vacate()
    provider.later(SPEC.max_idle_seconds + 1)
    await provider.vacate()
    await eventually(told(session, 41, 11))
    provider.later(GONE_SECONDS)
    await eventually(session.is_gone)


async def test_a_room_that_fills_again_goes_on(provider: Provider) -> None:
    session = await record(provider)
    await provider.vacate()
    provider.later(SPEC.max_idle_seconds - 5)
    await provider.occupy()
    provider.later(10)
    await provider.occupy()
    assert await session.captures()


async def test_its_notifications_carry_sid_uid_and_room(provider: Provider) -> None:
    session = await record(provider)
    await eventually(told(session, 40))
    await session.stop()
    await eventually(told(session, 40, 41, 42, 30, 31, 11))
    came = await provider.notices()
    assert {(each.sid, each.uid, each.cname) for each in came} == {(session.sid, UID, ROOM)}
    assert len({each.sequence for each in came}) == len({each.notice_id for each in came}) == len(came)


async def test_what_was_recorded_is_to_be_found(provider: Provider) -> None:
    session = await record(provider)
    provider.later(20)
    await session.stop()
    outcome = await provider.media.examine(PREFIX)
    assert isinstance(outcome, Done)
    (playlist,), (movie,) = outcome.value.playlists, outcome.value.movies
    seconds = sum(each.duration_seconds for each in playlist.slices)
    assert playlist.ended
    assert seconds == pytest.approx(PROOF_SECONDS + 20, abs=2)
    assert movie.duration_seconds == pytest.approx(seconds, abs=0.2)
    assert all(each.size for each in playlist.slices)
    assert await provider.media.examine(("tapedeck", "another")) != outcome
