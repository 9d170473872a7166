"""Metrics of what is stored, vouched for, added and played."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class StorageMetrics:
    """Counters of what is asked of S3."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "tapedeck_storage_calls",
            "Calls to S3, repetitions not counted, by outcome: done, not_found, denied, unavailable",
            ["call", "outcome"],
            registry=registry,
        )

    def called(self, call: str, outcome: str) -> None:
        self._calls.labels(call, outcome).inc()


class ManifestMetrics:
    """What is read for manifests, and to hold files against them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reading = Gauge(
            "tapedeck_manifest_reads",
            "Objects that are being read for manifests now, storage.hashes_max at most",
            registry=registry,
        )
        self._bytes = Counter("tapedeck_manifest_bytes", "Bytes that were read for manifests", registry=registry)

    def reading(self, change: int) -> None:
        self._reading.inc(change)

    def hashed(self, count: int) -> None:
        self._bytes.inc(count)


class AttachMetrics:
    """Files that were added to recordings."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._files = Counter(
            "tapedeck_attached_files",
            "Files that were added to recordings, by how they came: sent or fetched",
            ["way"],
            registry=registry,
        )
        self._bytes = Counter("tapedeck_attached_bytes", "Bytes of these files", registry=registry)
        self._under_way = Gauge(
            "tapedeck_attaching", "Such files that are on their way, of attach.at_once_max", registry=registry
        )

    def attached(self, way: str, size: int) -> None:
        self._files.labels(way).inc()
        self._bytes.inc(size)

    def under_way(self, change: int) -> None:
        self._under_way.inc(change)


class PlaybackMetrics:
    """URLs that were handed out, and looks at storage for those who play what is not over."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._urls = Counter(
            "tapedeck_playback_urls", "Playback URLs handed out: hls or mp4", ["kind"], registry=registry
        )
        self._looks = Counter("tapedeck_playback_looks", "Looks at storage for players", registry=registry)

    def minted(self, kind: str) -> None:
        """One URL. `kind` is `hls` or `mp4`."""
        self._urls.labels(kind).inc()

    def looked(self) -> None:
        self._looks.inc()
