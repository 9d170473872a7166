"""A server's life: lock, databases, schema, simulator, listen; and all of it backwards when it is told to stop."""

import asyncio
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from actors.ports import Ports
from clients.agora.client import AgoraAccount
from clients.agora.simulator.app import build_simulator
from clients.agora.simulator.faults import UnknownFault, check_rates
from clients.agora.simulator.settings import SimulatorSettings
from clients.embedded.datadir import DataDir
from clients.postgres.feed import PostgresFeed
from clients.postgres.migrate import upgrade
from clients.postgres.pool import create_pool
from clients.redis.hints import channel_of
from clients.redis.listener import HintListener
from clients.redis.publisher import RedisPublisher
from clients.storage.local import LocalStore
from server.app import Application, Parts, as_they_are
from server.auth import cluster_secrets, own_secrets, signing_secrets
from server.auth.jwks import open_jwks
from server.banner import banner
from server.config import Config, ConfigError
from server.engines import Engines, running_engines
from server.gauges import ServerMetrics
from server.ids import SystemClock
from server.listening import (
    OTHER_FILES,
    SHUTDOWN_SECONDS,
    address_of,
    allow_files,
    listen,
    listening,
    loopback,
    node_name,
)
from server.logging import configure_logging
from server.media_metrics import StorageMetrics
from server.metrics import AuthMetrics, SimulatorMetrics
from server.provider import AgoraMode, find_mode
from server.storage import check_region, open_storage

log = structlog.get_logger(__name__)

WEBHOOK = "{}/api/v1/webhooks/agora"


class Ousted(OSError):
    """A later server has this one's name: its meetings are that one's now, and nothing is left to do here."""


def serve(config: Config, wrap: Callable[[Ports], Ports] = as_they_are) -> None:
    """Run until SIGTERM or Ctrl-C, on the ports that `wrap` makes of the real ones.

    Raises ConfigError, and OSError for what the system refuses, or another server.
    """
    _check_faults(config)
    check_region(config)
    configure_logging(config.log.level, config.log.format)
    allow_files(config.streams.subscribers_max + OTHER_FILES)
    _run(_serve(config, wrap))


def _check_faults(config: Config) -> None:
    """Before anything is started for a simulator that could not be."""
    try:
        check_rates(config.simulator.faults)
    except UnknownFault as error:
        raise ConfigError(f"simulator.faults: {error}") from None


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


async def _serve(config: Config, wrap: Callable[[Ports], Ports]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with AsyncExitStack() as stack:
        stack.enter_context(DataDir(config.data_dir))
        listener = stack.enter_context(listen(config))
        app = await _start(config, listener, stack, wrap)
        await _first_of(told, app.heartbeat.ousted)
        if app.heartbeat.ousted.is_set():
            raise Ousted(
                f"another server has taken this one's name on their database, {app.node};"
                " give each a TAPEDECK_NODE_URL of its own"
            )
        log.info("server.leaving")
        await app.drain()


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _start(
    config: Config, listener: socket.socket, stack: AsyncExitStack, wrap: Callable[[Ports], Ports]
) -> Application:
    """Everything in its order; the stack undoes it."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each counter that nobody asks for
    registry = CollectorRegistry()
    metrics, auth_metrics = ServerMetrics(registry), AuthMetrics(registry)
    metrics.limits(config)
    ProcessCollector("tapedeck", registry=registry)
    connector = aiohttp.TCPConnector(limit=config.actors.calls_max)  # no call waits for another's connection
    http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    shared, jwks = signing_secrets(config), await open_jwks(config.auth, http, auth_metrics)
    mode = await find_mode(config)
    engines = await stack.enter_async_context(running_engines(config, metrics.engine_restarted))
    if config.database.migrate_on_start:
        await asyncio.to_thread(upgrade, engines.database_url)
    storage = await stack.enter_async_context(open_storage(config, StorageMetrics(registry), http, SystemClock()))
    address = address_of(listener)
    webhook_secret, account = await _provider(config, mode, address, SimulatorMetrics(registry), stack)
    pool = await create_pool(engines.database_url, config.database.pool_size, config.database.commit_timeout_seconds)
    stack.push_async_callback(_close_pool, pool)
    feed, process = await PostgresFeed.open(pool), uuid4().hex
    redis = (engines.redis_url, config.redis.timeout_seconds, channel_of(feed.identity), process)
    publisher = RedisPublisher(*redis, metrics.hint_dropped)
    stack.push_async_callback(publisher.close)
    hints = HintListener(*redis)
    stack.push_async_callback(hints.close)
    public_url = _public_url(config, address)
    parts = Parts(
        config=config,
        registry=registry,
        metrics=metrics,
        pool=pool,
        feed=feed,
        publisher=publisher,
        listener=hints,
        account=account,
        secrets=shared,
        own_secrets=own_secrets(config),
        cluster_secrets=cluster_secrets(config),
        jwks=jwks,
        auth_metrics=auth_metrics,
        webhook_secret=webhook_secret,
        webhook_url=WEBHOOK.format(f"http://{loopback(address)}" if mode == "embedded" else public_url),
        public_url=public_url,
        node=node_name(config, address),
        process=process,
        mode=_mode(config, mode),
        storage=storage,
    )
    app = Application(parts, http, wrap)
    await stack.enter_async_context(listening(app.web, listener, config.http))
    report = await app.health.report()
    log.info("preflight.done", status=report["status"], troubles=app.health.troubles)
    shown = banner(parts.public_url, config, parts.mode, _engine_lines(config, engines), app.health.troubles)
    print(shown, file=sys.stderr, flush=True)
    return app


async def _provider(
    config: Config,
    mode: AgoraMode,
    address: tuple[str, int],
    metrics: SimulatorMetrics,
    stack: AsyncExitStack,
) -> tuple[str | None, AgoraAccount]:
    """The account to call with, and the secret that notifications are signed with. Starts the embedded simulator."""
    agora = config.agora
    secret = agora.webhook_secret.get_secret_value() if agora.webhook_secret is not None else None
    base_url = agora.base_url
    if mode == "embedded":
        secret = secret or secrets.token_hex(32)
        base_url = await stack.enter_async_context(_simulator(config, secret, address, metrics))
    elif secret is None:
        log.warning("webhooks.unverified", detail="AGORA_WEBHOOK_SECRET is not set: polling alone carries")
    customer_secret = agora.customer_secret.get_secret_value() if agora.customer_secret is not None else "simulated"
    return secret, AgoraAccount(
        base_url=base_url,
        app_id=agora.app_id or "simulated",
        customer_id=agora.customer_id or "simulated",
        customer_secret=customer_secret,
        area=agora.area,
        timeout_seconds=agora.timeout_seconds,
        connect_timeout_seconds=agora.connect_timeout_seconds,
        stop_timeout_seconds=agora.stop_timeout_seconds,
        rule_timeout_seconds=agora.rule_timeout_seconds,
        retry_after_seconds_max=agora.retry_after_seconds_max,
        domain_failures_max=agora.domain_failures_max,
        domain_pause_seconds=agora.domain_pause_seconds,
    )


@asynccontextmanager
async def _simulator(
    config: Config, secret: str, address: tuple[str, int], metrics: SimulatorMetrics
) -> AsyncIterator[str]:
    """The embedded simulator on a loopback port of its own; its URL."""
    wanted = config.simulator
    settings = SimulatorSettings(
        state_dir=(wanted.state or config.data_dir / "simulator").absolute(),
        storage_root=config.storage_path,
        amazon=config.storage_mode == "s3",
        webhook_url=WEBHOOK.format(f"http://{loopback(address)}"),
        webhook_secret=secret,
        slice_seconds=wanted.slice_seconds,
        max_recorders=wanted.max_recorders,
        requests_per_second=wanted.requests_per_second,
        rules_per_second=wanted.rules_per_second,
        lists_per_second=wanted.lists_per_second,
        rule_delay_seconds=wanted.rule_delay_seconds,
        list_lag_seconds=wanted.list_lag_seconds,
        media=wanted.media,
        faults=wanted.faults,
        seed=wanted.seed,
        control_open=wanted.control_open,
    )
    simulator = build_simulator(settings, LocalStore(config.storage_path), struck=metrics.struck)
    runner = web.AppRunner(simulator, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", wanted.port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _public_url(config: Config, address: tuple[str, int]) -> str:
    return config.public_url if config.server.public_url else f"http://{loopback(address)}"


def _mode(config: Config, mode: AgoraMode) -> dict[str, str]:
    return {
        "agora": "live" if mode == "live" else "simulated",
        "storage": config.storage_mode,
        "database": config.database_mode,
        "redis": config.redis_mode,
    }


def _engine_lines(config: Config, engines: Engines) -> list[str]:
    """Where the embedded databases are; external ones may hold a password in their URL, and are not shown."""
    shown = []
    if config.database_mode == "embedded":
        shown.append(f"Postgres  embedded, data in {config.data_dir / 'postgres'}")
    if config.redis_mode == "embedded":
        shown.append(f"Valkey    embedded, {engines.redis_url}")
    return shown


async def _close_pool(pool: Any) -> None:
    try:
        await asyncio.wait_for(pool.close(), SHUTDOWN_SECONDS)
    except TimeoutError:
        pool.terminate()
