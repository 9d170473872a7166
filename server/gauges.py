"""What Prometheus scrapes: gauges that are read when they are asked for, and what the server was set up with.

What cannot be read is not told: an old figure would look like a true one.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from actors.domain.model import State
from clients.postgres.standing import Group, Standing
from server.config import Config

UNSETTLED = (State.STARTING, State.ACTIVE, State.PAUSED, State.STOPPING, State.PROCESSING)
SETTLED = tuple(state for state in State if state not in UNSETTLED)
NONE = Group(count=0, oldest_seconds=0.0, overdue=0)
UNKNOWN = float("nan")
OTHER_LIMITS = (
    "requests_per_second", "write_buffer_peak_bytes", "min_free_bytes", "pool_size", "max_recorders",
    "silent_seconds", "let_go_seconds", "lease_seconds",
)  # fmt: skip


class StateMetrics:
    """Gauges that a scrape fills from the database and the disks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._recordings = Gauge("tapedeck_recordings", "Recordings, tombstones too", ["state"], registry=registry)
        self._oldest = Gauge(
            "tapedeck_oldest_recording_seconds",
            "Age of the oldest recording that is not over, 0 if there is none",
            ["state"],
            registry=registry,
        )
        self._overdue = Gauge(
            "tapedeck_overdue_deadlines", "Recordings whose deadlineAt has passed", ["state"], registry=registry
        )
        self._recorders = Gauge(
            "tapedeck_live_recorders",
            "Sessions at the provider: recording, or evicting (given up, they may still run and are told to stop)",
            ["purpose"],
            registry=registry,
        )
        self._budget = Gauge(
            "tapedeck_agora_call_budget_left",
            "Requests to Agora that may still go out within the next second, of agora.requests_per_second, beyond those "
            "that wait on this node",
            registry=registry,
        )
        self._read = Gauge(
            "tapedeck_database_read",
            "1 if the database could be read for this scrape; 0: what stands in it is absent",
            registry=registry,
        )
        self._free = Gauge("tapedeck_data_dir_free_bytes", "Free bytes of the data directory", registry=registry)
        self._storage = Gauge("tapedeck_storage_free_bytes", "Free bytes of local storage", registry=registry)

    def standing(self, found: Standing | None) -> None:
        """Replace what was known of the database; None if it could not be read."""
        self._read.set(found is not None)
        if found is None:
            for gauge in (self._recordings, self._oldest, self._overdue, self._recorders):
                gauge.clear()
            self._budget.set(UNKNOWN)
            return
        for state in UNSETTLED:
            group = found.states.get(state.value, NONE)
            self._recordings.labels(state.value).set(group.count)
            self._oldest.labels(state.value).set(group.oldest_seconds)
            self._overdue.labels(state.value).set(group.overdue)
        self._settled(found.settled)
        self._recorders.labels("recording").set(found.recorders)
        self._recorders.labels("evicting").set(found.evicting)
        self._budget.set(found.calls_left)

    def _settled(self, counts: Mapping[str, int] | None) -> None:
        for state in SETTLED:
            gauge = self._recordings.labels(state.value)
            gauge.set(UNKNOWN if counts is None else counts.get(state.value, 0))

    def free_bytes(self, data_dir: int | None, storage: int | None) -> None:
        """None: it cannot be told."""
        self._free.set(UNKNOWN if data_dir is None else data_dir)
        self._storage.set(UNKNOWN if storage is None else storage)


class ServerMetrics:
    """The parts of this process: engines, cache, checks, and the limits that it was given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._dropped = Counter("tapedeck_redis_hints_dropped", "Hints that the cache did not take", registry=registry)
        self._restarts = Counter(
            "tapedeck_engine_restarts", "Embedded engines that died and were restarted", ["engine"], registry=registry
        )
        self._checks = Gauge(
            "tapedeck_check_ok",
            "1 if a check of /readyz or the preflight was passed when it was last made",
            ["check"],
            registry=registry,
        )
        self._check_seconds = Gauge(
            "tapedeck_check_seconds", "Seconds that a check took when it was last made", ["check"], registry=registry
        )
        self._limits = Gauge(
            "tapedeck_limit", "Limits of config.toml, to hold other metrics against", ["setting"], registry=registry
        )

    def hint_dropped(self) -> None:
        self._dropped.inc()

    def engine_restarted(self, engine: str) -> None:
        self._restarts.labels(engine).inc()

    def checked(self, name: str, ok: bool, seconds: float) -> None:
        self._checks.labels(name).set(ok)
        self._check_seconds.labels(name).set(seconds)

    def limits(self, config: Config) -> None:
        """Show every limit that is a number."""
        for setting, value in _limits(config):
            self._limits.labels(setting).set(value)


def _limits(config: Config) -> Iterator[tuple[str, float]]:
    """Settings that bound something, by `section.key`; delays and deadlines are none."""
    for section in type(config).model_fields:
        for key, value in getattr(config, section):
            bounds = key.endswith(("_max", "_min")) or key in OTHER_LIMITS
            if bounds and isinstance(value, int | float):
                yield f"{section}.{key}", value
