"""Writes docs/metrics.md from the metrics themselves: `python scripts/metrics.py` prints it, `--write` stores it.

A test compares the stored page with what this prints, and another one with what a server answers to a scrape.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector

from server.forwarding import ForwardingMetrics
from server.gauges import ServerMetrics, StateMetrics
from server.media_metrics import AttachMetrics, ManifestMetrics, PlaybackMetrics, StorageMetrics
from server.metrics import (
    ActorMetrics,
    AgoraMetrics,
    AuthMetrics,
    LifeMetrics,
    NodeMetrics,
    SimulatorMetrics,
    StreamMetrics,
    WebhookMetrics,
)
from server.middleware import RequestMetrics
from server.sweep.metrics import SweepMetrics

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"
TOPICS = {
    "Recordings": (StateMetrics, LifeMetrics, PlaybackMetrics, AttachMetrics),
    "Commands and meetings": (ActorMetrics,),
    "Agora": (AgoraMetrics, WebhookMetrics, SimulatorMetrics),
    "HTTP and streams": (RequestMetrics, ForwardingMetrics, StreamMetrics, AuthMetrics),
    "This process": (ServerMetrics, NodeMetrics, StorageMetrics, ManifestMetrics, SweepMetrics),
}

HEAD = """# Metrics

Made by `scripts/metrics.py` from the code; do not edit.

`GET /metrics` answers in Prometheus' text format, without a token. Counters and histograms begin at 0 when a process starts and
count what this process did; what stands in the database (`tapedeck_recordings` and its neighbours) is read by each scrape and is
the same on every node. While the database is away that is absent or NaN, and `tapedeck_database_read` is 0. Labels have few
values, never an id. Hold a metric against its limit with `tapedeck_limit{setting="streams.subscribers_max"}` and the like.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for topic, makers in TOPICS.items():
        registry = CollectorRegistry()
        for maker in makers:
            maker(registry)
        parts.append(table(topic, sorted(rows(registry))))
    process = CollectorRegistry()
    ProcessCollector("tapedeck", registry=process)
    parts.append(
        table("The operating system's view", [row(m.name, m.type, (), m.documentation) for m in process.collect()])
    )
    return "\n".join(parts)


def rows(registry: CollectorRegistry) -> Iterator[str]:
    """A row for each metric of a registry. What has labels shows none before its first value, so they are asked directly."""
    for metric in registry._collector_to_names:
        yield row(metric._name, metric._type, metric._labelnames, metric._documentation)


def row(name: str, kind: str, labels: tuple[str, ...], meaning: str) -> str:
    """A metric as it is scraped: the names of counters end in `_total`."""
    ending = "_total" if kind == "counter" else ""
    return f"| `{name}{ending}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"


def table(topic: str, lines: list[str]) -> str:
    """One topic."""
    return "\n".join([f"## {topic}", "", "| Metric | Type | Labels | Meaning |", "|---|---|---|---|", *lines, ""])


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
