"""Where recordings are kept: a folder of this host, or a bucket. What the rest of the server needs to know of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp

from actors.ports import Clock, StorageDenied, StorageUnavailable
from clients.agora.requests import LocalTarget, S3Target, StorageTarget, region_number
from clients.storage.local import LocalStore
from clients.storage.s3.credentials import Keys, find_keys
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store
from server.checks import Check
from server.config import Config, ConfigError
from server.ids import SystemClock
from server.media_metrics import StorageMetrics
from server.preflight.bucket import BucketProbe
from server.preflight.bucket_looks import clock_look, public_access_look, region_look
from server.preflight.folder import FolderProbe
from server.recorder_keys import TemporaryTarget
from server.routes.commands import PREFIX
from server.settings import StorageSettings

STORAGE = "storage"
"""The check that keeps recordings from starting while it fails."""
FAILURES = ("denied", "unavailable")
"""Outcomes of a call that say something of the store."""
ASIDE = ("region", "public_access")
"""Calls that no recording needs: keys may do without the rights to them."""
RECORDER_KEYS = "TAPEDECK_STORAGE__RECORDER_ACCESS_KEY and TAPEDECK_STORAGE__RECORDER_SECRET_KEY"


class Alarm:
    """Goes off when the store does not do its part, whoever has asked it."""

    def __init__(self) -> None:
        self.heard: Callable[[], None] = lambda: None

    def ring(self) -> None:
        """The store has failed."""
        self.heard()


@dataclass(frozen=True, slots=True)
class Storage:
    """`target` is what the recorder is told; `free_bytes` None: there is no end to it. `media_urls`: what its own URLs begin
    with."""

    store: LocalStore | S3Store
    target: StorageTarget
    checks: Sequence[Check]
    free_bytes: Callable[[], int | None]
    media_urls: tuple[str, ...] = ()
    alarm: Alarm = field(default_factory=Alarm)


def check_region(config: Config) -> None:
    """Whether Agora can write to the bucket's region. Raises ConfigError."""
    storage = config.storage
    if config.storage_mode == "local" or storage.endpoint_url is not None:
        return
    try:
        region_number(storage.region or "", storage.region_id)
    except ValueError as error:
        raise ConfigError(f"AWS_REGION: {error}") from None


@asynccontextmanager
async def open_storage(
    config: Config, metrics: StorageMetrics, http: aiohttp.ClientSession, clock: Clock
) -> AsyncIterator[Storage]:
    """The storage that the configuration asks for. Raises ConfigError."""
    alarm = Alarm()
    if config.storage_mode == "local":
        yield _local(config, alarm)
        return

    def called(call: str, outcome: str) -> None:
        metrics.called(call, outcome)
        if outcome in FAILURES and call not in ASIDE:
            alarm.ring()

    target = await _target(config.storage)
    async with AsyncExitStack() as stack:
        own = s3_settings_of(config.storage)
        store = await stack.enter_async_context(open_store(own, called))
        recorder = store
        if config.storage.recorder_access_key is not None:
            recorder = await stack.enter_async_context(open_store(_recorders(own, config.storage), called))
        probe = BucketProbe(store, recorder, http, PREFIX)
        media_urls = (store.addresses.storage_url(""),)
        yield Storage(store, target, _checks(config, store, probe, http, clock), lambda: None, media_urls, alarm)


def _checks(
    config: Config, store: S3Store, probe: BucketProbe, http: aiohttp.ClientSession, clock: Clock
) -> Sequence[Check]:
    """On other servers than Amazon's a region is only a word in signatures, which the probe tries."""
    elsewhere = config.storage.endpoint_url is not None
    skew = config.health.clock_skew_seconds_max
    return (
        Check(STORAGE, probe.look, costs=True),
        Check("storage_region", region_look(store, config.storage.region or ""), costs=True, warns=elsewhere),
        Check("storage_public_access", public_access_look(store), costs=True, warns=True),
        Check("clock", clock_look(store, http, clock, skew), costs=True),
    )


def _local(config: Config, alarm: Alarm) -> Storage:
    config.storage_path.mkdir(parents=True, exist_ok=True)
    store = LocalStore(config.storage_path, alarm.ring)
    probe = FolderProbe(store, PREFIX, config.storage.min_free_bytes)
    checks = (Check(STORAGE, probe.look, costs=True),)
    return Storage(store, LocalTarget(), checks, store.free_bytes, alarm=alarm)


def _recorders(own: S3Settings, storage: StorageSettings) -> S3Settings:
    """The bucket as a recorder with keys of its own writes it."""
    secret = storage.recorder_secret_key
    return replace(
        own,
        access_key=storage.recorder_access_key,
        secret_key=secret.get_secret_value() if secret is not None else None,
        session_token=None,
        kms_key=None,
        storage_class=None,
    )


def s3_settings_of(storage: StorageSettings) -> S3Settings:
    """The adapter's settings, out of the server's."""
    secret, token = storage.secret_access_key, storage.session_token
    return S3Settings(
        bucket=storage.bucket or "",
        region=storage.region or "",
        endpoint_url=storage.endpoint_url,
        access_key=storage.access_key_id,
        secret_key=secret.get_secret_value() if secret is not None else None,
        session_token=token.get_secret_value() if token is not None else None,
        encryption=storage.encryption,
        kms_key=storage.kms_key,
        storage_class=storage.storage_class,
        checksums=storage.checksums,
        connect_seconds=storage.connect_timeout_seconds,
        silence_seconds=storage.silence_seconds_max,
        call_seconds=storage.call_seconds_max,
        attempts_max=storage.call_attempts_max,
        connections_max=storage.connections_max,
        part_bytes=storage.part_bytes,
        parts_max=storage.parts_max,
    )


async def _target(storage: StorageSettings) -> StorageTarget:
    keys = await _recorder_keys(storage)
    target = _target_with(keys, storage)
    return target if keys.session_token is None else await _temporary(keys, target, storage)


async def _temporary(keys: Keys, target: S3Target, storage: StorageSettings) -> StorageTarget:
    """Only Amazon's own bucket takes temporary keys from Agora (reference 3.5), and others must be had when these end."""
    if storage.endpoint_url is not None:
        why = "Agora takes such for Amazon's S3 only"
    elif keys.ends_at_ms is None:
        why = "nobody knows until when, nor where to get others"
    else:
        made = TemporaryTarget(target, find_keys, SystemClock().now_ms, round(storage.recorder_look_seconds * 1000))
        try:
            await made.keys_end_at_ms()
        except (StorageDenied, StorageUnavailable) as error:
            why = str(error)
        else:
            return made
    raise ConfigError(f"the keys to S3 that the recorder would be given are temporary, and {why}: set {RECORDER_KEYS}")


def _target_with(keys: Keys, storage: StorageSettings) -> S3Target:
    return S3Target(
        bucket=storage.bucket or "",
        region=storage.region or "",
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        endpoint=storage.endpoint_url,
        region_id=storage.region_id,
        encryption=storage.encryption,
    )


async def _recorder_keys(storage: StorageSettings) -> Keys:
    """Its own, else the server's, which may be those of the host."""
    if storage.recorder_access_key is not None and storage.recorder_secret_key is not None:
        return Keys(storage.recorder_access_key, storage.recorder_secret_key.get_secret_value())
    if storage.access_key_id is not None and storage.secret_access_key is not None:
        token = None if storage.session_token is None else storage.session_token.get_secret_value()
        return Keys(storage.access_key_id, storage.secret_access_key.get_secret_value(), token)
    try:
        return await find_keys()
    except (StorageDenied, StorageUnavailable) as error:
        raise ConfigError(f"{error}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or {RECORDER_KEYS}") from None
