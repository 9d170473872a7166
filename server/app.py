"""The composition root: wires everything by constructor arguments, in start order. Nothing else happens here."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from actors.domain.events import JournalEvent
from actors.domain.model import Meeting
from actors.heartbeat import Heartbeat
from actors.lease import Lease
from actors.ports import Ports, Publisher
from actors.reconciler import Reconciler
from actors.system import ActorSystem
from clients.agora.client import AgoraAccount, AgoraClient
from clients.agora.dispatcher import Dispatcher
from clients.agora.oddities import Oddities
from clients.agora.recorder import AgoraRecorder
from clients.agora.webhooks import NoticeReader, verify
from clients.ending import end
from clients.postgres.budget import PostgresBudget
from clients.postgres.feed import PostgresFeed
from clients.postgres.inbox import PostgresInbox
from clients.postgres.journal import PostgresJournal
from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import Pool
from clients.postgres.records import PostgresRecords
from clients.postgres.standing import PostgresStanding
from clients.postgres.sweeps import PostgresSweeps
from clients.redis.listener import HintListener
from clients.redis.publisher import RedisPublisher
from clients.storage.local import LocalStore
from clients.storage.media import StoredMedia
from clients.storage.sealing import Hashing, Sealing
from clients.storage.shelf import Shelf
from clients.storage.verifying import Verifying
from server.attaching import Attachments
from server.auth import Authenticator, Role
from server.auth.jwks import Jwks
from server.bucket import BucketUrls
from server.checks import Check
from server.config import Config
from server.forwarding import Forwarder, ForwardingMetrics
from server.gauges import ServerMetrics, StateMetrics
from server.health import Health
from server.hops import HopSigner
from server.hub import Hub
from server.ids import RandomIds, SystemClock
from server.looks import AGORA, DATABASE, JWKS, REDIS, agora_look, database_look, keys_look
from server.media_metrics import AttachMetrics, ManifestMetrics, PlaybackMetrics
from server.metrics import (
    ActorMetrics,
    AgoraMetrics,
    AuthMetrics,
    LifeMetrics,
    NodeMetrics,
    StreamMetrics,
    WebhookMetrics,
)
from server.middleware import install
from server.openings import Openings
from server.playback import OwnUrls, Urls, UrlSigner
from server.player import Player
from server.policies import lease_settings_of, policy_of, reconciler_settings_of, system_settings_of
from server.policy import AUTHENTICATOR, assert_all_routes_have_policies
from server.preflight.webhook import webhook_look
from server.render import Renderer
from server.routes.assets import AssetRoutes
from server.routes.commands import PREFIX, CommandRoutes
from server.routes.documents import DocumentRoutes
from server.routes.files import FileRoutes
from server.routes.lists import ListRoutes
from server.routes.media import MediaRoutes
from server.routes.operations import OperationRoutes
from server.routes.preflight import PreflightRoutes
from server.routes.recordings import RecordingRoutes
from server.routes.streams import StreamRoutes
from server.routes.sweep import SweepRoutes
from server.routes.verification import VerificationRoutes
from server.routes.webhooks import WebhookRoutes
from server.scrape import Scrape
from server.storage import STORAGE, Storage
from server.streams.press import Render
from server.sweep.looking import Looking
from server.sweep.metrics import SweepMetrics
from server.sweep.sweeper import Sweeper
from server.sweep.timer import SweepTimer

CLOSING_SECONDS = 2.0
"""Of `drain.seconds`, what the streams may take to be sent away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What was started before the application: databases, secrets and keys, and where the provider is.

    `webhook_url` is where the provider sends its notifications. `secrets` verify tokens, `jwks` does too; from `own_secrets`
    this server's other keys are derived, and with `cluster_secrets` nodes sign what they hand on.
    """

    config: Config
    registry: CollectorRegistry
    metrics: ServerMetrics
    pool: Pool
    feed: PostgresFeed
    publisher: RedisPublisher
    listener: HintListener
    account: AgoraAccount
    secrets: Sequence[str]
    own_secrets: Sequence[str]
    cluster_secrets: Sequence[str]
    jwks: Jwks | None
    auth_metrics: AuthMetrics
    webhook_secret: str | None
    webhook_url: str
    public_url: str
    node: str
    process: str
    mode: Mapping[str, str]
    storage: Storage


def as_they_are(ports: Ports) -> Ports:
    """The ports as the server runs with them. Who puts something else between core and adapters wires it in here."""
    return ports


class Application:
    """A wired server; `web` is its aiohttp application."""

    def __init__(self, parts: Parts, http: aiohttp.ClientSession, wrap: Callable[[Ports], Ports] = as_they_are) -> None:
        self._parts = parts
        self.node = parts.node
        self._nodes = http
        config, clock, ids = parts.config, SystemClock(), RandomIds()
        signer = _signer(parts)
        store = parts.storage.store
        renderer = Renderer(signer if isinstance(store, LocalStore) else store.addresses)
        urls = OwnUrls(signer) if isinstance(store, LocalStore) else BucketUrls(signer, store, clock)
        self._calls_metrics, self._webhooks = AgoraMetrics(parts.registry), WebhookMetrics(parts.registry)
        places = PostgresBudget(parts.pool, parts.account.app_id, config.agora.requests_per_second)
        budget = Dispatcher(places, self._calls_metrics)
        agora = AgoraClient(http, parts.account, budget, self._calls_metrics)
        self.records = PostgresRecords(parts.pool)
        self.standing = PostgresStanding(
            parts.pool, parts.account.app_id, config.agora.requests_per_second, lambda: budget.waiting
        )
        manifests = ManifestMetrics(parts.registry)
        hashing = Hashing(store, config.storage.hashes_max, manifests.reading, manifests.hashed)
        self.media = StoredMedia(store, Sealing(store, hashing), config.storage.receipt_keys_max)
        self._verifying = Verifying(store, hashing, config.storage.verify_seconds_max)
        self._playback = PlaybackMetrics(parts.registry)
        self.shelf = Shelf(
            store,
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
            hears=lambda: parts.listener.listening,
        )
        ports = Ports(
            journal=PostgresJournal(parts.pool),
            ownership=PostgresOwnership(parts.pool, parts.node, parts.process),
            inbox=PostgresInbox(parts.pool, parts.node),
            recorder=self._recorder(agora),
            media=self.media,
            publisher=_Publishers(self.hub, parts.publisher, LifeMetrics(parts.registry)),
            clock=clock,
            ids=ids,
            observe=ActorMetrics(parts.registry),
        )
        self.ports = wrap(ports)
        leases = lease_settings_of(config)
        lease = Lease(leases)
        NodeMetrics(parts.registry).watch(lambda: lease.age_seconds, lambda: parts.listener.listening)
        self.system = ActorSystem(self.ports, policy_of(config), system_settings_of(config), lease)
        self._calls_metrics.watch_capacity(lambda: self.system.capacity.full is not None)
        self.heartbeat = Heartbeat(self.system, self.ports, lease, leases)
        self.sweeper = self._sweeper()
        self.reconciler = Reconciler(self.system, self.ports, reconciler_settings_of(config))
        self.health = Health(dict(parts.mode), clock, config.health, parts.metrics.checked, self._checks(agora, http))
        parts.storage.alarm.heard = lambda: self.health.suspect(STORAGE)
        self._scrape = Scrape(
            StateMetrics(parts.registry),
            self.standing.read,
            config.data_dir,
            parts.storage.free_bytes,
            config.health.timeout_seconds,
        )
        self.web = self._build(signer, urls, renderer)

    def _build(self, signer: UrlSigner, urls: Urls, renderer: Renderer) -> web.Application:
        parts, config, ports = self._parts, self._parts.config, self.ports
        app = web.Application(client_max_size=config.http.body_bytes_max)
        app[AUTHENTICATOR] = self._authenticator()
        install(app, config.http, parts.registry)
        app.middlewares.append(self._forwarder().middleware)
        openings = Openings(self.records, self.system.capacity, parts.storage.free_bytes, self._storage_trouble, config)
        CommandRoutes(self.system, self.records, ports.ids, renderer, config, openings).add_to(app)
        player = Player(self.shelf, urls, ports.clock, config.playback, self._playback)
        attachments = Attachments(parts.storage.store, config.attach, AttachMetrics(parts.registry))
        FileRoutes(self.system, self.records, attachments, renderer, config.http).add_to(app)
        players = frozenset(Role(role) for role in config.access.playback_roles)
        RecordingRoutes(self.records, renderer, player, players).add_to(app)
        VerificationRoutes(self.records, self._verifying).add_to(app)
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
            self._webhooks,
            verify=self._verify(),
            parse=NoticeReader(Oddities(self._calls_metrics), ports.clock.now_ms).read,
            bytes_max=config.http.webhook_body_bytes_max,
        ).add_to(app)
        folder = parts.storage.store if isinstance(parts.storage.store, LocalStore) else None
        MediaRoutes(folder, self.shelf, self.records, signer, urls, ports.clock).add_to(app)
        SweepRoutes(self.sweeper, config.sweep.items_max).add_to(app)
        OperationRoutes(self.health, parts.registry, self._scrape.refresh).add_to(app)
        PreflightRoutes(self.health).add_to(app)
        AssetRoutes(parts.public_url, *parts.storage.media_urls).add_to(app)
        DocumentRoutes(config.playback.expires_seconds_max, parts.public_url).add_to(app)
        assert_all_routes_have_policies(app)
        app.cleanup_ctx.append(self._run)
        app.on_shutdown.append(self._send_away)
        return app

    def _forwarder(self) -> Forwarder:
        parts = self._parts
        signer = HopSigner(parts.cluster_secrets)
        return Forwarder(self._nodes, signer, parts.node, parts.config, ForwardingMetrics(parts.registry))

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
        """Leave without stopping a recording: no new commands, then calls in flight (recipe 3.1). Streams end in `_send_away`."""
        self.health.leave()
        drain = self._parts.config.drain
        await asyncio.sleep(drain.readiness_seconds)
        await self.system.drain(min(drain.effects_seconds, drain.seconds - CLOSING_SECONDS))
        await self.heartbeat.leave()

    async def _send_away(self, _: web.Application) -> None:
        # aiohttp has stopped listening by now: an EventSource that came back to a 503 would give up for good.
        await self.hub.close(CLOSING_SECONDS)

    async def _run(self, _: web.Application) -> AsyncIterator[None]:
        self.hub.start()
        jwks = [self._parts.jwks.run()] if self._parts.jwks is not None else []
        await self.heartbeat.beat()
        hints = self._parts.listener.run(self.hub.heard, self.hub.check_positions)
        works = (self.heartbeat.run(), self.reconciler.run(), self._parts.publisher.run(), hints, self.health.watch())
        sweeps = SweepTimer(self.sweeper, self._parts.config.sweep.interval_seconds).run()
        async with _running(*works, sweeps, *jwks):
            yield
        self._scrape.close()

    def _sweeper(self) -> Sweeper:
        parts, store = self._parts, self._parts.storage.store
        sweeps = PostgresSweeps(parts.pool, PREFIX)
        node = self.node if isinstance(store, LocalStore) else None
        look = partial(Looking, store, sweeps, self.system, f"{PREFIX}/", node)
        return Sweeper(sweeps, look, self.node, parts.config.sweep, SweepMetrics(parts.registry))

    def _recorder(self, agora: AgoraClient) -> AgoraRecorder:
        secret = self._parts.config.agora.app_certificate
        certificate = secret.get_secret_value() if secret is not None else None
        app_id = self._parts.account.app_id
        return AgoraRecorder(agora, self._parts.storage.target, app_id, certificate, observe=self._calls_metrics)

    def _verify(self) -> Callable[[bytes, Mapping[str, str]], bool] | None:
        secret = self._parts.webhook_secret
        if secret is None:
            return None
        return lambda body, headers: verify(body, headers, secret)

    def _storage_trouble(self) -> str | None:
        return self.health.trouble_with(STORAGE)

    def _checks(self, agora: AgoraClient, http: aiohttp.ClientSession) -> list[Check]:
        parts = self._parts
        webhook = webhook_look(http, parts.webhook_url, parts.webhook_secret, self._webhooks.since)
        return [
            Check("database", database_look(self.standing.ping), DATABASE, vital=True),
            Check("redis", parts.publisher.ping, REDIS),
            Check("agora", agora_look(agora), AGORA, costs=True),
            *parts.storage.checks,
            Check("webhook", webhook, costs=True, warns=parts.webhook_secret is None),
            *([Check("jwks", keys_look(parts.jwks.check), JWKS)] if parts.jwks is not None else []),
        ]


class _Publishers:
    """Hints go to this node's subscribers, to Redis and to the counters."""

    def __init__(self, *publishers: Publisher) -> None:
        self._publishers = publishers

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        for publisher in self._publishers:
            publisher.hint(state, events)


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
        await end(*tasks)
