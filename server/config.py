"""The configuration of a server: settings from `config.toml` and the environment, and the modes that follow from them.

Everything that can be known to be wrong is found here, before anything is started, and said in one line that names
the key. Which mode runs is never a surprise: it follows from what is set (`product.md`: chosen by configuration).
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError

from server.environment import CONFIG_VARIABLE, ConfigError, Given, fields_of, is_secret, read_environment
from server.settings import (
    AccessSettings,
    ActorSettings,
    AgoraSettings,
    AttachSettings,
    AuthSettings,
    DatabaseSettings,
    DrainSettings,
    HealthSettings,
    HttpSettings,
    LogSettings,
    NodeSettings,
    PlaybackSettings,
    ProofSettings,
    ReconcilerSettings,
    RecordingSettings,
    RedisSettings,
    Section,
    ServerSettings,
    SimulatorSettings,
    StorageSettings,
    StreamSettings,
    SweepSettings,
)

__all__ = ["AgoraMode", "Config", "ConfigError", "check_modes", "load_config"]

AgoraMode = Literal["live", "simulated", "ask"]
AGORA_DOMAINS = ("agora.io", "sd-rtn.com")  # reference 1.2
LIVE_LEAST = {
    "resource_lifetime_seconds": 300,  # reference 2
    "failover_window_seconds": 90,  # reference 4.3
    "query_misses_min": 3,  # recipe 3.7
    "looks_min": 3,  # channel management 4.2, and the next one
    "looks_span_seconds": 150,
}
"""What of `recording` the promises lean on: with less, what still runs is taken for gone, and is recorded twice."""


class Config(Section):
    """All settings, frozen, and what follows from them."""

    server: ServerSettings = ServerSettings()
    http: HttpSettings = HttpSettings()
    auth: AuthSettings = AuthSettings()
    access: AccessSettings = AccessSettings()
    agora: AgoraSettings = AgoraSettings()
    recording: RecordingSettings = RecordingSettings()
    proof: ProofSettings = ProofSettings()
    storage: StorageSettings = StorageSettings()
    attach: AttachSettings = AttachSettings()
    sweep: SweepSettings = SweepSettings()
    playback: PlaybackSettings = PlaybackSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    node: NodeSettings = NodeSettings()
    actors: ActorSettings = ActorSettings()
    reconciler: ReconcilerSettings = ReconcilerSettings()
    streams: StreamSettings = StreamSettings()
    health: HealthSettings = HealthSettings()
    drain: DrainSettings = DrainSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    log: LogSettings = LogSettings()

    @property
    def agora_mode(self) -> AgoraMode:
        """`live`, `simulated` (the embedded one), or `ask`: only the host at `agora.base_url` can tell (api.md 7)."""
        host = urlsplit(self.agora.base_url).hostname or ""
        if not any(host == domain or host.endswith(f".{domain}") for domain in AGORA_DOMAINS):
            return "ask"
        return "live" if self.agora.app_id else "simulated"

    @property
    def storage_mode(self) -> Literal["local", "s3"]:
        """`s3` when bucket and region are set, else `local`."""
        return "s3" if self.storage.bucket and self.storage.region else "local"

    @property
    def database_mode(self) -> Literal["embedded", "external"]:
        """Whose Postgres holds the journal."""
        return "external" if self.database.url else "embedded"

    @property
    def redis_mode(self) -> Literal["embedded", "external"]:
        """Whose Redis holds the cache."""
        return "external" if self.redis.url else "embedded"

    @property
    def data_dir(self) -> Path:
        """The data directory as an absolute path; it need not exist yet."""
        return self.server.data_dir.absolute()

    @property
    def storage_path(self) -> Path:
        """The folder of local storage as an absolute path."""
        return (self.storage.path or self.data_dir / "media").absolute()

    @property
    def public_url(self) -> str:
        """What begins every URL that is handed out, without a slash at its end."""
        return self.server.public_url.rstrip("/") if self.server.public_url else self.local_url

    @property
    def local_url(self) -> str:
        """Where this host reaches the server, whatever stands between it and the world."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.server.host, self.server.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server.port}"


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration from a file and the environment. Raises ConfigError.

    Without a path: `$TAPEDECK_CONFIG`, else `config.toml` in the working directory, else the one beside the
    packages, else the defaults.
    """
    file = path or _find(environ)
    tables = _read(file) if file else {}
    given = read_environment(Config, environ)
    for (section, key), value in given.items():
        tables.setdefault(section, {})[key] = value.value
    try:
        config = Config.model_validate(tables)
    except ValidationError as error:
        raise ConfigError(_first_line(error, file, given)) from None
    _check(config)
    return config


def _find(environ: Mapping[str, str]) -> Path | None:
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    beside = Path(__file__).parent.parent / "config.toml"
    return next((path for path in (Path("config.toml"), beside) if path.is_file()), None)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {name}: there is no such setting outside a section")
    _refuse_secrets(path, tables)
    return tables


def _refuse_secrets(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    for (section, key), field in fields_of(Config).items():
        if is_secret(field) and key in tables.get(section, {}):
            variable = f"TAPEDECK_{section}__{key}".upper()
            raise ConfigError(f"{path}: {section}.{key} is a secret: set {variable} or {variable}_FILE instead")


def _first_line(error: ValidationError, file: Path | None, given: Mapping[tuple[str, str], Given]) -> str:
    """What is wrong first and where; never the value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = tuple(str(part) for part in first["loc"])
    message = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
    source = given.get(place[:2])  # type: ignore[arg-type]  # two parts or fewer; fewer are never found
    return f"{source.variable}: {message}" if source else f"{file}: {'.'.join(place)}: {message}"


def _check(config: Config) -> None:
    _check_urls(config)
    _check_jwks(config.auth.jwks)
    _check_agora(config)
    _check_storage(config)
    _check_limits(config)
    if config.agora_mode != "ask":
        check_modes(config, config.agora_mode)


def _check_urls(config: Config) -> None:
    urls = {
        "TAPEDECK_PUBLIC_URL": config.server.public_url,
        "TAPEDECK_JWKS": config.auth.jwks,
        "AGORA_BASE_URL": config.agora.base_url,
        "AWS_ENDPOINT_URL_S3": config.storage.endpoint_url,
        "TAPEDECK_NODE_URL": config.node.url,
        "DATABASE_URL": config.database.url and config.database.url.get_secret_value(),
        "REDIS_URL": config.redis.url and config.redis.url.get_secret_value(),
    }
    for key, url in urls.items():
        try:
            parts = urlsplit(url or "")
            if key != "DATABASE_URL":  # it may name several hosts, and is read when the server connects
                int(parts.port or 0)
        except ValueError:
            raise ConfigError(f"{key}: its host or port cannot be read") from None


def _check_jwks(jwks: str | None) -> None:
    if jwks is None or "://" not in jwks:
        return  # a file, which is looked at when the server starts
    url = urlsplit(jwks)
    if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc or url.fragment:
        raise ConfigError("TAPEDECK_JWKS: a file's path, or an http(s) URL without user, password and fragment")


def _check_agora(config: Config) -> None:
    agora = config.agora
    needed = {
        "AGORA_APP_ID": agora.app_id,
        "AGORA_CUSTOMER_ID": agora.customer_id,
        "AGORA_CUSTOMER_SECRET": agora.customer_secret,
    }
    missing = [variable for variable, value in needed.items() if value is None]
    if 0 < len(missing) < len(needed):
        raise ConfigError(f"set {' and '.join(missing)} too, or none of {', '.join(needed)} for the simulator")


def _check_storage(config: Config) -> None:
    storage = config.storage
    if storage.bucket and not storage.region:
        raise ConfigError("AWS_S3_BUCKET is set and AWS_REGION is missing: set both for S3, or none for local storage")
    if storage.region and not storage.bucket:
        raise ConfigError("AWS_REGION is set and AWS_S3_BUCKET is missing: set both for S3, or none for local storage")
    if storage.region_id is not None and not storage.region:
        raise ConfigError("AWS_REGION_ID is set and AWS_REGION is missing: Agora's number of a region needs its name")
    if "@" in urlsplit(storage.endpoint_url or "").netloc:
        raise ConfigError("AWS_ENDPOINT_URL_S3: holds no user and no password")
    if config.storage_mode == "s3":
        _check_keys(storage)


def _check_keys(storage: StorageSettings) -> None:
    own, recorders = "TAPEDECK_STORAGE__RECORDER_ACCESS_KEY", "TAPEDECK_STORAGE__RECORDER_SECRET_KEY"
    _check_pair("AWS_ACCESS_KEY_ID", storage.access_key_id, "AWS_SECRET_ACCESS_KEY", storage.secret_access_key)
    _check_pair(own, storage.recorder_access_key, recorders, storage.recorder_secret_key)
    if storage.session_token is not None and storage.access_key_id is None:
        raise ConfigError("AWS_SESSION_TOKEN is set and AWS_ACCESS_KEY_ID is missing: it belongs to a key")
    if storage.kms_key is not None and storage.encryption != "aws:kms":
        raise ConfigError('storage.kms_key is set, and storage.encryption is not "aws:kms"')


def _check_pair(one: str, first: object, other: str, second: object) -> None:
    if (first is None) != (second is None):
        given, missing = (other, one) if first is None else (one, other)
        raise ConfigError(f"{given} is set and {missing} is missing: they belong together")


def _check_limits(config: Config) -> None:
    if config.playback.expires_seconds_default > config.playback.expires_seconds_max:
        raise ConfigError("playback.expires_seconds_default is above playback.expires_seconds_max")
    node = config.node
    if not node.renew_seconds < node.silent_seconds < node.let_go_seconds < node.lease_seconds:
        raise ConfigError(
            "node: renew_seconds, silent_seconds, let_go_seconds and lease_seconds have to grow in this order:"
            " a node has to let its meetings go before others take them"
        )
    for key, url, schemes in (
        ("DATABASE_URL", config.database.url, ("postgresql", "postgres")),
        ("REDIS_URL", config.redis.url, ("redis", "rediss", "unix")),
    ):
        if url is not None and url.get_secret_value().partition("://")[0] not in schemes:
            raise ConfigError(f"{key}: begins with none of {', '.join(f'{scheme}://' for scheme in schemes)}")


def _check_patience(config: Config) -> None:
    """A simulator may be hastened; the service takes the time that it takes."""
    for key, least in LIVE_LEAST.items():
        if getattr(config.recording, key) < least:
            raise ConfigError(f"recording.{key} is below {least}, which is what live Agora needs")


def check_modes(config: Config, agora_mode: Literal["live", "simulated"]) -> None:
    """Refuses modes that do not go together. Called again once the host in mode `ask` has told. Raises ConfigError."""
    if config.server.require_real and agora_mode == "simulated":
        raise ConfigError(
            "TAPEDECK_REQUIRE_REAL refuses the Agora simulator: set AGORA_APP_ID, AGORA_CUSTOMER_ID and AGORA_CUSTOMER_SECRET"
        )
    if config.server.require_real and config.storage_mode == "local":
        raise ConfigError("TAPEDECK_REQUIRE_REAL refuses local storage: set AWS_S3_BUCKET and AWS_REGION")
    if agora_mode == "live":
        _check_patience(config)
    if agora_mode == "live" and config.storage_mode == "local":
        raise ConfigError(
            "live Agora needs S3, since Agora cannot write to this host's disk: set AWS_S3_BUCKET and AWS_REGION"
        )
