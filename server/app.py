"""The composition root: wires everything by constructor arguments, in start order. Nothing else happens here."""

import asyncio
import hashlib
import hmac
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from actors.domain.events import JournalEvent
from actors.domain.model import Meeting
from actors.ports import JournalUnavailable, Ports
from actors.reconciler import Reconciler
from actors.system import ActorSystem
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.recorder import AgoraRecorder
from clients.agora.requests import LocalTarget
from clients.agora.webhooks import parse, verify
from clients.postgres.budget import PostgresBudget
from clients.postgres.feed import PostgresFeed
from clients.postgres.inbox import PostgresInbox
from clients.postgres.journal import PostgresJournal
from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import Pool
from clients.postgres.records import PostgresRecords
from clients.redis.publisher import RedisPublisher
from clients.storage.local import LocalStore
from clients.storage.media import StoredMedia
from clients.storage.shelf import Shelf
from server.auth import Authenticator, Role
from server.auth.jwks import Jwks
from server.config import Config
from server.health import Check, Health
from server.hub import Hub
from server.ids import RandomIds, SystemClock
from server.metrics import ActorMetrics, AuthMetrics, PlaybackMetrics, StateMetrics, StreamMetrics, WebhookMetrics
from server.middleware import install
from server.playback import UrlSigner
from server.player import Player
from server.policies import policy_of, reconciler_settings_of, system_settings_of
from server.policy import AUTHENTICATOR, assert_all_routes_have_policies
from server.render import Renderer
from server.routes.commands import CommandRoutes
from server.routes.lists import ListRoutes
from server.routes.media import MediaRoutes
from server.routes.operations import OperationRoutes
from server.routes.recordings import RecordingRoutes
from server.routes.streams import StreamRoutes
from server.routes.webhooks import WebhookRoutes
from server.streams.press import Render

log = structlog.get_logger(__name__)

AGORA_CHECK_MS = 30_000
"""The look at the provider takes a place in its budget, so it is taken rarely."""
CLOSING_SECONDS = 2.0
"""Of `drain.seconds`, what the streams may take to be sent away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What was started before the application: databases, secrets and keys, and where the provider is.

    `secrets` verify tokens, `jwks` does too; from `own_secrets` this server's other keys are derived.
    """

    config: Config
    registry: CollectorRegistry
    metrics: StateMetrics
    pool: Pool
    feed: PostgresFeed
    publisher: RedisPublisher
    account: AgoraAccount
    secrets: Sequence[str]
    own_secrets: Sequence[str]
    jwks: Jwks | None
    auth_metrics: AuthMetrics
    webhook_secret: str | None
    public_url: str
    node: str
    incarnation: str
    mode: Mapping[str, str]
    media_root: LocalStore


class Application:
    """A wired server; `web` is its aiohttp application."""

    def __init__(self, parts: Parts, http: aiohttp.ClientSession) -> None:
        self._parts = parts
        config, clock, ids = parts.config, SystemClock(), RandomIds()
        signer = _signer(parts)
        renderer = Renderer(signer)
        budget = PostgresBudget(parts.pool, parts.account.app_id, config.agora.requests_per_second)
        agora = AgoraClient(http, parts.account, budget)
        self.records = PostgresRecords(parts.pool)
        self.media = StoredMedia(parts.media_root)
        self._playback = PlaybackMetrics(parts.registry)
        self.shelf = Shelf(
            parts.media_root,
            look_seconds=config.playback.look_seconds,
            looks_max=config.playback.looks_max,
            looked=self._playback.looked,
        )
        self.hub = Hub(
            parts.feed,
            config.streams,
            Render(renderer.event, renderer.snapshot),
            clock,
            observer=StreamMetrics(parts.registry),
        )
        self.ports = Ports(
            journal=PostgresJournal(parts.pool),
            ownership=PostgresOwnership(parts.pool, parts.node, parts.incarnation),
            inbox=PostgresInbox(parts.pool),
            recorder=self._recorder(agora),
            media=self.media,
            publisher=_Publishers(self.hub, parts.publisher),
            clock=clock,
            ids=ids,
            observe=ActorMetrics(parts.registry),
        )
        self.system = ActorSystem(self.ports, policy_of(config), system_settings_of(config))
        self.reconciler = Reconciler(self.system, self.ports, reconciler_settings_of(config))
        self.health = Health(dict(parts.mode), clock, self._checks(agora))
        self.web = self._build(signer, renderer)

    def _build(self, signer: UrlSigner, renderer: Renderer) -> web.Application:
        parts, config, ports = self._parts, self._parts.config, self.ports
        app = web.Application(client_max_size=config.http.body_bytes_max)
        app[AUTHENTICATOR] = self._authenticator()
        install(app, config.http, parts.registry)
        CommandRoutes(self.system, self.records, ports.ids, renderer, config, self._free_bytes).add_to(app)
        player = Player(self.shelf, signer, ports.clock, config.playback, self._playback)
        players = frozenset(Role(role) for role in config.access.playback_roles)
        RecordingRoutes(self.records, renderer, player, players).add_to(app)
        ListRoutes(self.records, renderer, player, ports.clock, players).add_to(app)
        StreamRoutes(
            self.hub,
            ports.clock,
            origins=[*config.http.cors_origins, parts.public_url],
            leeway_seconds=config.auth.leeway_seconds,
        ).add_to(app)
        WebhookRoutes(
            self.system,
            ports.inbox,
            ports.clock,
            WebhookMetrics(parts.registry),
            verify=self._verify(),
            parse=parse,
            bytes_max=config.http.webhook_body_bytes_max,
        ).add_to(app)
        MediaRoutes(parts.media_root, self.shelf, self.records, signer, ports.clock).add_to(app)
        OperationRoutes(self.health, parts.registry, self._refresh_metrics).add_to(app)
        assert_all_routes_have_policies(app)
        app.cleanup_ctx.append(self._run)
        return app

    def _authenticator(self) -> Authenticator:
        parts, auth = self._parts, self._parts.config.auth
        made = Authenticator(
            parts.secrets,
            leeway_seconds=auth.leeway_seconds,
            cache_max=auth.token_cache_max,
            key_source=parts.jwks,
        )
        parts.auth_metrics.watch_cache(lambda: made.cached)
        return made

    async def drain(self) -> None:
        """Leave without stopping a recording: no new commands, calls in flight, then the streams (recipe 3.1)."""
        self.health.draining = True
        drain = self._parts.config.drain
        await asyncio.sleep(drain.readiness_seconds)
        await self.system.drain(min(drain.effects_seconds, drain.seconds - CLOSING_SECONDS))
        await self.hub.close(CLOSING_SECONDS)

    async def _run(self, _: web.Application) -> AsyncIterator[None]:
        self.hub.start()
        jwks = [self._parts.jwks.run()] if self._parts.jwks is not None else []
        async with _running(self.reconciler.run(), self._parts.publisher.run(), *jwks):
            yield

    def _recorder(self, agora: AgoraClient) -> AgoraRecorder:
        secret = self._parts.config.agora.app_certificate
        certificate = secret.get_secret_value() if secret is not None else None
        return AgoraRecorder(agora, LocalTarget(), self._parts.account.app_id, certificate)

    def _verify(self) -> Callable[[bytes, Mapping[str, str]], bool] | None:
        secret = self._parts.webhook_secret
        if secret is None:
            return None
        return lambda body, headers: verify(body, headers, secret)

    def _free_bytes(self) -> int | None:
        return self._parts.media_root.free_bytes()

    def _checks(self, client: AgoraClient) -> list[Check]:
        async def database() -> str:
            await self._parts.pool.fetchval("SELECT 1")
            return "answers"

        async def agora() -> str:
            answer = await client.sender_addresses()
            if answer.status != 200:
                raise ConnectionError(answer.summary)
            return "answers"

        async def storage() -> str:
            free, floor = self._parts.media_root.free_bytes(), self._parts.config.storage.min_free_bytes
            if free < floor:
                raise OSError(f"{free} bytes free, below storage.min_free_bytes {floor}")
            return f"{free} bytes free"

        return [
            Check("database", database, vital=True),
            Check("redis", self._parts.publisher.ping),
            Check("agora", agora, every_ms=AGORA_CHECK_MS),
            Check("storage", storage),
            *([Check("jwks", self._parts.jwks.check)] if self._parts.jwks is not None else []),
        ]

    async def _refresh_metrics(self) -> None:
        with suppress(JournalUnavailable):
            self._parts.metrics.recordings(await self.records.counts())
        self._parts.metrics.free_bytes(shutil.disk_usage(self._parts.config.data_dir).free)


class _Publishers:
    """Hints go to this node's subscribers and to Redis."""

    def __init__(self, hub: Hub, redis: RedisPublisher) -> None:
        self._hub = hub
        self._redis = redis

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        self._hub.hint(state, events)
        self._redis.hint(state, events)


def _signer(parts: Parts) -> UrlSigner:
    first, *others = map(media_key, parts.own_secrets)
    return UrlSigner(first, parts.public_url, retired=others)


def media_key(secret: str) -> bytes:
    """What playback URLs are signed with: derived, so that a URL gives nothing away of the tokens' secret."""
    return hmac.new(secret.encode(), b"tapedeck media urls", hashlib.sha256).digest()


@asynccontextmanager
async def _running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
