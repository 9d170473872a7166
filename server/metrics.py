"""What Prometheus scrapes: counters of what this process does. Of files: `server.media_metrics`; what is read when it is
asked: `server.gauges`."""

import time
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from actors.domain.events import CaptureProven, JournalEvent
from actors.domain.media_events import RecordingAborted, RecordingCompleted, RecordingFailed
from actors.domain.model import Meeting, Recording
from actors.domain.projections import state_of
from actors.ports import Observer
from server.streams.observer import StreamObserver

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WAITS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 1800)
"""Seconds: up to the deadlines of starting, stopping and processing."""
TRANSPORTS = ("websocket", "sse")
RENEWALS = ("kept", "lapsed", "failed", "taken")
CLAIM_REFUSALS = ("elsewhere", "lease")
REFUSALS = ("draining", "node", "principal", "unsent")


class ActorMetrics(Observer):
    """Counters of the actor system."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._commands = Counter(
            "tapedeck_commands",
            "Users' commands, by what they were answered: accepted, replayed, the code of a refusal or error, or left "
            "(the caller did not wait for it)",
            ["kind", "outcome"],
            registry=registry,
        )
        self._facts = Counter(
            "tapedeck_facts",
            "Answers, notifications and wake-ups that meetings were told: done (it changed something) or nothing",
            ["kind", "outcome"],
            registry=registry,
        )
        self._commit = Histogram(
            "tapedeck_commit_seconds", "Seconds until a commit was durable", buckets=SECONDS, registry=registry
        )
        self._quarantined = Gauge(
            "tapedeck_quarantined_meetings", "Meetings set aside after repeated errors", registry=registry
        )
        self._mailbox = Histogram(
            "tapedeck_mailbox_depth",
            "Messages in a meeting's mailbox when a command came in, itself included",
            buckets=(1, 2, 5, 10, 50, 100, 1000),
            registry=registry,
        )
        self._calls = Counter(
            "tapedeck_effects",
            "Calls to provider and storage, by what their answer means to a recording",
            ["call", "outcome"],
            registry=registry,
        )
        self._renewals = Counter(
            "tapedeck_lease_renewals",
            "Renewals of this node's lease: kept, lapsed (it goes on as a new incarnation), failed (no answer), taken (a later "
            "process has its name, and this one ends)",
            ["outcome"],
            registry=registry,
        )
        self._refused = Counter(
            "tapedeck_claims_refused",
            "Meetings that could not be claimed: owned elsewhere, or without a lease of this node",
            ["reason"],
            registry=registry,
        )
        for outcome in RENEWALS:
            self._renewals.labels(outcome)
        for reason in CLAIM_REFUSALS:
            self._refused.labels(reason)

    def command(self, kind: str, outcome: str) -> None:
        self._commands.labels(kind, outcome).inc()

    def fact(self, kind: str, outcome: str) -> None:
        self._facts.labels(kind, outcome).inc()

    def commit(self, seconds: float) -> None:
        self._commit.observe(seconds)

    def quarantined(self, change: int) -> None:
        self._quarantined.inc(change)

    def mailbox(self, depth: int) -> None:
        self._mailbox.observe(depth)

    def call(self, effect: str, outcome: str) -> None:
        self._calls.labels(effect, outcome).inc()

    def renewal(self, outcome: str) -> None:
        self._renewals.labels(outcome).inc()

    def claim_refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()


class NodeMetrics:
    """How this node stands among those that share its database."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._age = Gauge(
            "tapedeck_lease_age_seconds",
            "Seconds since this node's lease was renewed; from node.silent_seconds on no call goes out",
            registry=registry,
        )

        self._heard = Gauge(
            "tapedeck_hints_heard",
            "1 while other nodes are heard by Redis; 0: streams look into the database every second",
            registry=registry,
        )

    def watch(self, age_seconds: Callable[[], float], hears: Callable[[], bool]) -> None:
        """Where the age is read at each scrape, and whether others are heard."""
        self._age.set_function(age_seconds)
        self._heard.set_function(hears)


class LifeMetrics:
    """How long recordings take to begin and to end, by their events. Implements `actors.ports.Publisher`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._to_active = Histogram(
            "tapedeck_time_to_active_seconds",
            "Seconds from the request to the proof of capture",
            buckets=WAITS,
            registry=registry,
        )
        self._to_end = Histogram(
            "tapedeck_stop_to_end_seconds",
            "Seconds from the stop to the terminal state",
            ["state"],
            buckets=WAITS,
            registry=registry,
        )
        self._ended = Counter(
            "tapedeck_recordings_ended", "Recordings that reached a terminal state", ["state"], registry=registry
        )

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        """Never raises: public events carry their recording."""
        for stored in events:
            if stored.recording is not None:
                self._count(stored, stored.recording)

    def _count(self, stored: JournalEvent, recording: Recording) -> None:
        match stored.event:
            case CaptureProven():
                self._to_active.observe((stored.at_ms - recording.created_at_ms) / 1000)
            case RecordingCompleted() | RecordingFailed() | RecordingAborted():
                self._ended.labels(state_of(recording).value).inc()
                self._count_end(stored.at_ms, recording)

    def _count_end(self, at_ms: int, recording: Recording) -> None:
        if recording.stop_requested_at_ms is not None:
            seconds = (at_ms - recording.stop_requested_at_ms) / 1000
            self._to_end.labels(state_of(recording).value).observe(seconds)


class AgoraMetrics:
    """Requests to the provider, as they went out. Implements `clients.agora.observing.CallObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "tapedeck_agora_calls",
            "Requests to Agora's REST API: ok, unauthorized, not_found, rate_limited, refused (other 4xx), error (5xx), "
            "unclear (other answers), no_connection, no_answer",
            ["call", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "tapedeck_agora_call_seconds", "Seconds that a request took", ["call"], buckets=SECONDS, registry=registry
        )
        self._waits = Histogram(
            "tapedeck_agora_call_wait_seconds",
            "Seconds that a request waited for its place in the budget (agora.requests_per_second)",
            ["call"],
            buckets=(*SECONDS, 30.0, 60.0),
            registry=registry,
        )
        self._domains = Gauge(
            "tapedeck_agora_domain_open",
            "1 if calls are kept away from a domain, after agora.domain_failures_max failures in a row",
            ["domain"],
            registry=registry,
        )
        self._oddities = Counter(
            "tapedeck_agora_oddities",
            "Answers of Agora, and notifications (call: webhook), that make no sense: huge, html, text, list or empty where an "
            "object should be; an unknown status or code; fields, a sid or a time that cannot be",
            ["call", "kind"],
            registry=registry,
        )
        self._waiting = Gauge(
            "tapedeck_agora_calls_waiting", "Requests that wait for their place in the budget", registry=registry
        )
        self._full = Gauge(
            "tapedeck_agora_full",
            "1 while Agora's last answer to acquire was that it takes no more, up to agora.full_pause_seconds",
            registry=registry,
        )

    def watch_capacity(self, is_full: Callable[[], bool]) -> None:
        """Where it is read at each scrape whether starts are refused for it."""
        self._full.set_function(is_full)

    def domain(self, name: str, *, is_open: bool) -> None:
        self._domains.labels(name).set(is_open)

    def odd(self, call: str, kind: str) -> None:
        self._oddities.labels(call, kind).inc()

    def waited(self, call: str, seconds: float) -> None:
        self._waits.labels(call).observe(seconds)

    def waiting(self, change: int) -> None:
        self._waiting.inc(change)

    def answered(self, call: str, outcome: str, seconds: float) -> None:
        self._calls.labels(call, outcome).inc()
        self._seconds.labels(call).observe(seconds)


class StreamMetrics(StreamObserver):
    """Subscribers and what they are sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._subscribers = Gauge(
            "tapedeck_subscribers", "Open streams: websocket or sse", ["transport"], registry=registry
        )
        self._slow = Counter(
            "tapedeck_slow_closes", "Streams cut off because they read too slowly", ["transport"], registry=registry
        )
        for transport in TRANSPORTS:
            self._subscribers.labels(transport)
            self._slow.labels(transport)
        self._refused = Counter(
            "tapedeck_stream_refusals", "Streams not let in, by what was too much", ["reason"], registry=registry
        )
        for reason in REFUSALS:
            self._refused.labels(reason)
        self._unsent = Gauge(
            "tapedeck_stream_unsent_bytes", "Bytes that wait to be sent to subscribers", registry=registry
        )
        self._encoded = Counter(
            "tapedeck_events_encoded", "Events rendered to JSON, once for all subscribers", registry=registry
        )
        self._framed = Counter(
            "tapedeck_events_framed", "Events put into the form of a transport", ["transport"], registry=registry
        )

    def subscribers(self, transport: str, change: int) -> None:
        self._subscribers.labels(transport).inc(change)

    def slow_close(self, transport: str) -> None:
        self._slow.labels(transport).inc()

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def unsent(self, count: int) -> None:
        self._unsent.set(count)

    def encoded(self) -> None:
        self._encoded.inc()

    def framed(self, transport: str) -> None:
        self._framed.labels(transport).inc()


class WebhookMetrics:
    """Notifications by what became of them, and how long ago the provider last spoke. `now` in seconds."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.monotonic) -> None:
        self._received = Counter(
            "tapedeck_webhooks",
            "Notifications: stored, repeated, unknown (no recorder of ours), malformed, bad_signature, and our own test",
            ["result"],
            registry=registry,
        )
        self._now = now
        self._last: float | None = None
        since = Gauge(
            "tapedeck_seconds_since_last_webhook",
            "Seconds since a signed notification came, -1 before the first",
            registry=registry,
        )
        since.set_function(self.since)

    def received(self, result: str) -> None:
        """One that bears the provider's signature."""
        self._received.labels(result).inc()
        self._last = self._now()

    def overlooked(self, result: str) -> None:
        """One that says nothing of the provider: anybody may have sent it, or we ourselves."""
        self._received.labels(result).inc()

    def since(self) -> float:
        """Seconds since the provider last spoke, -1 if it never did."""
        return -1.0 if self._last is None else self._now() - self._last


class AuthMetrics:
    """Looks at the key set of `auth.jwks`: `changed`, `unchanged`, `failed`, or `rationed` when it was too soon for one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._looks = Counter(
            "tapedeck_jwks_looks",
            "Looks at the key set: changed, unchanged, failed, or rationed (too soon for one)",
            ["outcome"],
            registry=registry,
        )
        self._keys = Gauge("tapedeck_jwks_keys", "Keys that verify tokens", registry=registry)
        self._cached = Gauge("tapedeck_cached_tokens", "Verified tokens in memory", registry=registry)

    def looked(self, outcome: str) -> None:
        self._looks.labels(outcome).inc()

    def keys(self, count: int) -> None:
        self._keys.set(count)

    def watch_cache(self, size: Callable[[], int]) -> None:
        """Where the number of cached tokens is read at each scrape."""
        self._cached.set_function(size)


class SimulatorMetrics:
    """Faults of the embedded simulator's catalogue that have struck."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._faults = Counter(
            "tapedeck_simulator_faults", "Faults of the embedded simulator that struck", ["fault"], registry=registry
        )

    def struck(self, fault: str) -> None:
        self._faults.labels(fault).inc()
