"""Every setting as a strict, frozen model: the one place that holds names, types, limits and defaults.

`config.toml` repeats these defaults with a unit and a comment for the reader (a test holds the two together);
`server.config` fills the models from the file and the environment. Units stand last in a name. A setting that is
None is unset and stands commented out in `config.toml`. A `SecretStr` comes from the environment only.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Role = Literal["HOST", "CO_HOST", "PARTICIPANT"]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SecondsOrZero = Annotated[float, Field(ge=0, allow_inf_nan=False)]
WholeSeconds = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=0, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]
FilePath = Annotated[Path, Field(strict=False)]
WebUrl = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]
Origin = Annotated[str, Field(pattern=r"^https?://[^\s/?#*]+$")]
MEDIA_TYPES = ("video/*", "audio/*", "application/vnd.apple.mpegurl", "application/x-mpegurl")
Delays = Annotated[tuple[Seconds, ...], Field(strict=False, min_length=1)]


class Section(BaseModel):
    """A table of `config.toml`: no unknown key, no conversion, no change after the start."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class ServerSettings(Section):
    """Where the server listens and keeps its data."""

    host: Text = "127.0.0.1"
    port: Port = 3002
    public_url: WebUrl | None = None
    data_dir: FilePath = Path("data")
    require_real: bool = False


class HttpSettings(Section):
    """Limits of what a client may send, and how long a call may wait."""

    cors_origins: Annotated[tuple[Origin, ...], Field(strict=False)] = ()
    uri_bytes_max: Annotated[int, Field(ge=256, le=16000)] = 8192
    header_bytes_max: Annotated[int, Field(ge=256, le=16000)] = 8192
    headers_bytes_max: Bytes = 32768
    body_bytes_max: Bytes = 1048576
    webhook_body_bytes_max: Bytes = 65536
    body_seconds_max: Seconds = 30.0
    idle_seconds_max: Seconds = 75.0
    start_wait_seconds: SecondsOrZero = 25.0
    stop_wait_seconds: SecondsOrZero = 10.0
    update_wait_seconds: SecondsOrZero = 25.0
    delete_wait_seconds: SecondsOrZero = 25.0
    wait_seconds_max: SecondsOrZero = 25.0


class AuthSettings(Section):
    """How a bearer token is checked."""

    jwt_secret: SecretStr | None = None
    jwks: Text | None = None
    jwks_refresh_seconds: Seconds = 300.0
    jwks_retry_seconds: Seconds = 5.0
    jwks_timeout_seconds: Seconds = 5.0
    jwks_bytes_max: Bytes = 65536
    leeway_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    token_cache_max: Count = 10000


class AccessSettings(Section):
    """What the roles may do where the contract leaves a choice."""

    playback_roles: Annotated[tuple[Role, ...], Field(strict=False, min_length=1)] = ("HOST", "CO_HOST", "PARTICIPANT")


class AgoraSettings(Section):
    """The provider's account and how its API is called. Host: reference 1.2; its limits: 1.4; the budget: recipe 3.2."""

    app_id: Text | None = None
    customer_id: Text | None = None
    customer_secret: SecretStr | None = None
    app_certificate: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    base_url: WebUrl = "https://api.sd-rtn.com"
    area: Literal["us", "eu", "ap", "cn"] | None = None
    channel_type: Literal["communication", "live_broadcasting"] = "communication"
    requests_per_second: Annotated[float, Field(gt=0, le=100)] = 10.0
    recorders_max: Count = 50
    full_pause_seconds: Seconds = 20.0
    full_pause_seconds_max: Seconds = 300.0
    timeout_seconds: Seconds = 10.0
    connect_timeout_seconds: Seconds = 3.0
    stop_timeout_seconds: Seconds = 30.0
    rule_timeout_seconds: Annotated[float, Field(gt=20, allow_inf_nan=False)] = 25.0
    retry_after_seconds_max: Seconds = 60.0
    domain_failures_max: Count = 2
    domain_pause_seconds: Seconds = 30.0


class RecordingSettings(Section):
    """Deadlines and patience of a recording. Ladders of retries: recipe 3.4; three looks over 90 s: recipe 3.7."""

    starting_deadline_seconds: WholeSeconds = 180
    stopping_deadline_seconds: WholeSeconds = 300
    processing_deadline_seconds: WholeSeconds = 1800
    backup_deadline_seconds: WholeSeconds = 86400
    max_duration_seconds: Annotated[int, Field(ge=60, le=82800)] = 14400
    max_idle_seconds: Annotated[int, Field(ge=5, le=86400)] = 300
    failover_window_seconds: WholeSeconds = 90
    query_misses_min: Count = 3
    miss_delays_seconds: Delays = (5.0, 10.0, 15.0, 30.0)
    verify_interval_seconds: Seconds = 120.0
    confirm_delays_seconds: Delays = (5.0, 5.0, 10.0, 15.0)
    acquire_retry_delays_seconds: Delays = (1.0, 3.0, 6.0, 15.0)
    start_retry_delays_seconds: Delays = (1.0, 3.0, 6.0, 9.0, 15.0)
    stop_retry_delays_seconds: Delays = (1.0, 2.0, 5.0, 10.0, 15.0)
    update_retry_delays_seconds: Delays = (1.0, 3.0, 6.0, 15.0)
    update_settle_seconds: Seconds = 45.0
    rekey_interval_seconds: Seconds = 3600.0
    rekey_margin_seconds: Seconds = 7200.0
    rekey_delays_seconds: Delays = (1.0, 3.0, 6.0, 15.0, 60.0)
    resource_lifetime_seconds: WholeSeconds = 300
    attempts_max: Count = 5
    sid_wait_seconds: WholeSeconds = 30
    confirm_limit_seconds: WholeSeconds = 90
    eviction_margin_seconds: WholeSeconds = 30
    eviction_settle_seconds: Seconds = 15.0
    eviction_limit_seconds: WholeSeconds = 86400
    eviction_watch_seconds: WholeSeconds = 600
    eviction_ban_seconds: Annotated[int, Field(ge=600, le=86430)] = 86430
    eviction_ban_pause_seconds: SecondsOrZero = 10.0
    eviction_ban_delays_seconds: Delays = (1.0, 3.0, 6.0, 15.0, 60.0)
    look_interval_seconds: Seconds = 60.0
    looks_min: Count = 3
    looks_span_seconds: Seconds = 150.0
    members_lag_seconds: Seconds = 180.0
    room_interval_seconds: Seconds = 300.0
    room_empty_interval_seconds: Seconds = 60.0
    room_empty_margin_seconds: SecondsOrZero = 60.0
    restart_delays_seconds: Delays = (1.0, 5.0, 15.0, 60.0)
    restart_window_seconds: Seconds = 600.0
    stray_margin_seconds: SecondsOrZero = 10.0
    max_age_seconds: Annotated[int, Field(ge=1, le=86400)] = 86400


class ProofSettings(Section):
    """When a finished recording counts as whole."""

    tolerance_seconds: SecondsOrZero = 3.0
    tolerance_ratio: Share = 0.02
    settle_seconds: SecondsOrZero = 45.0
    check_delays_seconds: Delays = (1.0, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0)
    backup_interval_seconds: Seconds = 300.0


class StorageSettings(Section):
    """Where the media lies: a folder of this host, or a bucket."""

    path: FilePath | None = None
    min_free_bytes: Annotated[int, Field(ge=0)] = 1073741824
    seal_delays_seconds: Delays = (5.0, 30.0, 120.0, 600.0, 3600.0)
    hashes_max: Count = 2
    verify_seconds_max: Seconds = 20.0
    erase_delays_seconds: Delays = (1.0, 5.0, 30.0, 60.0)
    locked_interval_seconds: Seconds = 3600.0
    receipt_keys_max: Annotated[int, Field(ge=1, le=1000)] = 500
    bucket: Text | None = None
    region: Text | None = None
    region_id: Annotated[int, Field(ge=0)] | None = None
    endpoint_url: WebUrl | None = None
    access_key_id: Text | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    recorder_access_key: Text | None = None
    recorder_secret_key: SecretStr | None = None
    recorder_look_seconds: SecondsOrZero = 300.0
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key: Text | None = None
    storage_class: Text | None = None
    checksums: bool = True
    connect_timeout_seconds: Seconds = 5.0
    silence_seconds_max: Seconds = 20.0
    call_seconds_max: Seconds = 60.0
    call_attempts_max: Count = 4
    connections_max: Count = 50
    part_bytes: Annotated[int, Field(ge=5242880, le=5368709120)] = 8388608
    parts_max: Count = 2


class AttachSettings(Section):
    """What may be added to a recording that is over, and where it may be fetched from."""

    bytes_max: Annotated[int, Field(ge=1)] = 10737418240
    seconds_max: Seconds = 3600.0
    silence_seconds_max: Seconds = 30.0
    redirects_max: Annotated[int, Field(ge=0)] = 3
    at_once_max: Count = 4
    types: Annotated[tuple[Text, ...], Field(strict=False, min_length=1)] = MEDIA_TYPES
    private_addresses: bool = False


class SweepSettings(Section):
    """The slow look for what belongs to nobody (recipe 3.7)."""

    interval_seconds: SecondsOrZero = 3600.0
    age_seconds_min: SecondsOrZero = 86400.0
    erased_seconds: SecondsOrZero = 2592000.0
    strangers_seconds: Seconds = 86400.0
    lease_seconds: Seconds = 180.0
    items_max: Count = 10000


class PlaybackSettings(Section):
    """How long a signed URL lasts, and how often storage is looked at for those who play what is not over."""

    expires_seconds_default: Annotated[int, Field(ge=60)] = 900
    expires_seconds_max: Annotated[int, Field(ge=60)] = 43200
    look_seconds: SecondsOrZero = 2.0
    looks_max: Count = 8


class DatabaseSettings(Section):
    """The journal's Postgres; without a URL the embedded one."""

    url: SecretStr | None = None
    pool_size: Count = 10
    migrate_on_start: bool = True
    commit_timeout_seconds: Seconds = 10.0


class RedisSettings(Section):
    """The cache, which may vanish at any time; without a URL the embedded Valkey."""

    url: SecretStr | None = None
    timeout_seconds: Seconds = 2.0


class NodeSettings(Section):
    """This server among those that share its database, and its lease there (recipe 3.2)."""

    url: WebUrl | None = None
    renew_seconds: Seconds = 3.0
    silent_seconds: Seconds = 5.0
    let_go_seconds: Seconds = 8.0
    lease_seconds: Seconds = 10.0
    cluster_secret: SecretStr | None = None
    forward_seconds_max: Seconds = 15.0
    forward_connect_seconds_max: Seconds = 2.0


class ActorSettings(Section):
    """Bounds and supervision of the meetings' actors (recipe 3.1)."""

    mailbox_messages_max: Count = 1000
    calls_max: Count = 200
    step_seconds_max: Seconds = 60.0
    retry_seconds: Seconds = 1.0
    restarts_max: Count = 3
    restart_window_seconds: Seconds = 60.0
    quarantine_backoff_seconds: Seconds = 30.0
    quarantine_backoff_seconds_max: Seconds = 600.0


class ReconcilerSettings(Section):
    """The sweep that wakes what is due (recipe 3.7)."""

    interval_seconds: Seconds = 1.0
    batch: Count = 100
    inbox_age_seconds: SecondsOrZero = 5.0


class StreamSettings(Section):
    """Limits of the event streams (recipe 3.6)."""

    subscribers_max: Count = 20000
    subscribers_per_principal_max: Count = 5000
    unsent_bytes_max: Bytes = 268435456
    write_buffer_bytes_max: Bytes = 1048576
    write_buffer_peak_bytes: Bytes = 262144
    write_buffer_peak_seconds: Seconds = 5.0
    replay_page_events: Count = 500
    ping_seconds: Seconds = 20.0
    sse_comment_seconds: Seconds = 15.0


class HealthSettings(Section):
    """How `/readyz`, `/metrics` and the preflight look at what the server is made of."""

    timeout_seconds: Seconds = 2.0
    interval_seconds: Seconds = 10.0
    costly_timeout_seconds: Seconds = 15.0
    costly_interval_seconds: Seconds = 30.0
    clock_skew_seconds_max: Seconds = 60.0


class DrainSettings(Section):
    """How long leaving may take (recipe 3.1)."""

    seconds: Seconds = 8.0
    readiness_seconds: SecondsOrZero = 0.0
    effects_seconds: SecondsOrZero = 5.0


class SimulatorSettings(Section):
    """The embedded Agora simulator, with the names of `tapedeck simulate`."""

    port: Port = 0
    state: FilePath | None = None
    slice_seconds: Seconds = 15.0
    max_recorders: Count = 50
    requests_per_second: Seconds = 10.0
    rules_per_second: Seconds = 10.0
    lists_per_second: Seconds = 20.0
    rule_delay_seconds: SecondsOrZero = 1.0
    list_lag_seconds: SecondsOrZero = 0.5
    media: Text = "tone"
    seed: int | None = None
    faults: dict[str, Share] = Field(default_factory=dict)
    control_open: bool = False


class LogSettings(Section):
    """What is logged and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
