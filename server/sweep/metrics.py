"""What sweeps count."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge


class SweepMetrics:
    """Looks for what belongs to nobody."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runs = Counter(
            "tapedeck_sweeps",
            "Looks for what belongs to nobody: done, failed, or refused (another one had the turn)",
            ["outcome"],
            registry=registry,
        )
        self._seconds = Gauge(
            "tapedeck_sweep_seconds", "Seconds that this node's last whole sweep took", registry=registry
        )
        self._found = Gauge(
            "tapedeck_sweep_findings", "What this node's last whole sweep found, by kind", ["kind"], registry=registry
        )
        self._removed = Counter("tapedeck_sweep_removed", "Findings that were removed", ["kind"], registry=registry)
        for outcome in ("done", "failed", "refused"):
            self._runs.labels(outcome)

    def swept(self, outcome: str, seconds: float) -> None:
        self._runs.labels(outcome).inc()
        if outcome == "done":
            self._seconds.set(seconds)

    def found(self, by_kind: Mapping[str, int]) -> None:
        for kind, count in by_kind.items():
            self._found.labels(kind).set(count)

    def removed(self, kind: str) -> None:
        self._removed.labels(kind).inc()
