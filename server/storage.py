"""Where recordings are kept: a folder of this host, or a bucket. What the rest of the server needs to know of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from actors.ports import StorageDenied, StorageUnavailable
from clients.agora.requests import LocalTarget, S3Target, StorageTarget, region_number
from clients.storage.local import LocalStore
from clients.storage.s3.credentials import Keys, find_keys
from clients.storage.s3.settings import S3Settings
from clients.storage.s3.store import S3Store, open_store
from server.config import Config, ConfigError
from server.health import Look
from server.ids import SystemClock
from server.looks import bucket_look, storage_look
from server.metrics import StorageMetrics
from server.recorder_keys import TemporaryTarget
from server.settings import StorageSettings

RECORDER_KEYS = "TAPEDECK_STORAGE__RECORDER_ACCESS_KEY and TAPEDECK_STORAGE__RECORDER_SECRET_KEY"


@dataclass(frozen=True, slots=True)
class Storage:
    """`target` is what the recorder is told; `free_bytes` None: there is no end to it. `media_urls`: what its own URLs begin
    with."""

    store: LocalStore | S3Store
    target: StorageTarget
    look: Look
    free_bytes: Callable[[], int | None]
    media_urls: tuple[str, ...] = ()


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
async def open_storage(config: Config, metrics: StorageMetrics) -> AsyncIterator[Storage]:
    """The storage that the configuration asks for. Raises ConfigError."""
    if config.storage_mode == "local":
        yield _local(config)
        return
    target = await _target(config.storage)
    async with open_store(s3_settings_of(config.storage), metrics.called) as store:
        yield Storage(store, target, bucket_look(store.ping), lambda: None, (store.addresses.storage_url(""),))


def _local(config: Config) -> Storage:
    config.storage_path.mkdir(parents=True, exist_ok=True)
    store = LocalStore(config.storage_path)
    look = storage_look(store.free_bytes, config.storage.min_free_bytes)
    return Storage(store, LocalTarget(), look, store.free_bytes)


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
