"""How long the worst case takes from a fact to the state that says so, computed from the settings.

`scripts/states.py` puts it into docs/states.md; a test plays the worst cases through the rules and holds the figures to them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.config import Config
from server.policies import policy_of

HEAD = """## How long it takes at most

Computed from the defaults of `config.toml`; the last column says how, by the names of the settings. A call takes
`agora.timeout_seconds` at most, a stop `agora.stop_timeout_seconds`. Whatever is due is found within
`reconciler.interval_seconds`, and pauses are stretched by up to a tenth: a *step* is the longest pause of a schedule so stretched,
that interval and a call. What a call in flight has not seen any more, the next one sees. Beyond that: the provider answers, there
is room in the budget of requests, the database commits at once, storage lists at once, and no node dies. A wait for any of them
is added.
"""


@dataclass(frozen=True, slots=True)
class Worst:
    """One way from a fact to a state. Seconds; `how`: what they are made of."""

    fact: str
    state: str
    seconds: float
    how: str


class Times:
    """The terms that all ways are put together from."""

    def __init__(self, config: Config) -> None:
        self.recording, self.proof = config.recording, config.proof
        self.stretch = 1 + policy_of(config).jitter_ratio
        self.look = config.reconciler.interval_seconds
        self.call = config.agora.timeout_seconds
        self.stop_call = config.agora.stop_timeout_seconds
        self.notice = config.reconciler.inbox_age_seconds + self.look

    def step(self, pauses: Sequence[float], call: float) -> float:
        """The longest of these pauses, and the call behind it."""
        return self.due(max(pauses) * self.stretch) + call

    def due(self, seconds: float) -> float:
        """Until something is done that is due after so long."""
        return seconds + self.look

    def missing(self, call: float) -> float:
        """From the first answer that there is no such session until that is believed."""
        step = self.step(self.recording.miss_delays_seconds, call)
        return max(self.recording.failover_window_seconds + step, (self.recording.query_misses_min - 1) * step)


def worst_times(config: Config) -> Iterator[Worst]:
    """All of them, in the order of a recording's life."""
    times = Times(config)
    yield from _starting(times)
    yield from _evicting(times)
    yield from _running(times)
    yield from _ending(times)


def _starting(t: Times) -> Iterator[Worst]:
    r = t.recording
    yield Worst(
        "a recorder captures, and a notification has come",
        "`active`",
        t.notice,
        "at once; if its first handling is lost, `inbox_age` + `interval`",
    )
    yield Worst(
        "a recorder captures, and none comes",
        "`active`",
        t.call + t.step(r.confirm_delays_seconds, t.call),
        "a call, a step of `confirm_delays`",
    )
    yield Worst(
        "a recorder is accepted and never captures",
        "it is given up, and evicted",
        t.due(r.confirm_limit_seconds),
        "`confirm_limit` + `interval`",
    )
    yield Worst(
        "a start's answer is lost, and the recorder runs",
        "its sid is known, or it is given up and evicted",
        t.call + t.step(r.start_retry_delays_seconds[:1], t.call) + t.due(r.sid_wait_seconds),
        "the lost call, a step with the first of `start_retry_delays`, `sid_wait` + `interval`",
    )
    yield Worst(
        "no start is answered clearly",
        "`processing`; the attempt is evicted",
        t.due(r.starting_deadline_seconds),
        "`starting_deadline` + `interval`",
    )
    yield Worst(
        "the same, and nothing was captured",
        "`failed`",
        t.due(r.resource_lifetime_seconds + r.eviction_margin_seconds)
        + t.call
        + t.proof.settle_seconds
        + t.step(t.proof.check_delays_seconds, 0),
        "as two rows below, `settle`, the longest of `check_delays`, stretched, + `interval`",
    )


def _evicting(t: Times) -> Iterator[Worst]:
    r = t.recording
    yield Worst(
        "an attempt without a sid is evicted",
        "another may be opened",
        t.call + t.due(r.eviction_settle_seconds),
        "the call for the kicking rule, `eviction_settle` + `interval`",
    )
    yield Worst(
        "the same, no rule can be had, and it is not known to run",
        "another may be opened",
        t.due(r.resource_lifetime_seconds + r.eviction_margin_seconds) + t.call,
        "`resource_lifetime` + `eviction_margin` + `interval`, from the acquire on, then a look at the channel's members",
    )
    yield Worst(
        "the same, and no list of members can be had either",
        "another may be opened",
        t.due(r.resource_lifetime_seconds + r.eviction_margin_seconds + r.eviction_watch_seconds),
        "`resource_lifetime` + `eviction_margin` + `eviction_watch` + `interval`, from the acquire on",
    )
    yield Worst(
        "an attempt with a sid is evicted, and no stop gives proof; or it is known to run, its sid is not, and no rule can be had",
        "another may be opened",
        t.due(r.eviction_limit_seconds),
        "`eviction_limit` + `interval`",
    )
    yield Worst(
        "a start is asked for meanwhile",
        "another is opened, or it has `failed`",
        t.due(r.resource_lifetime_seconds + r.eviction_margin_seconds + r.starting_deadline_seconds),
        "`resource_lifetime` + `eviction_margin` + `starting_deadline` + `interval`",
    )


def _running(t: Times) -> Iterator[Worst]:
    r = t.recording
    look = t.due(r.room_empty_interval_seconds) + t.call
    yield Worst(
        "a recorder dies, and a notification says so",
        "a gap is open, or `processing`",
        t.notice,
        "as above",
    )
    yield Worst(
        "a recorder dies without a word",
        "a gap is open, or `processing`",
        t.call + t.due(r.verify_interval_seconds) + t.call + t.missing(t.call),
        "a call, `verify_interval` + `interval`, a call, then `failover_window` and a step of `miss_delays`",
    )
    yield Worst(
        "everybody has left, and the recorder stays",
        "`stopping`",
        r.members_lag_seconds
        + (t.call + t.due(r.room_interval_seconds) + t.call)
        + max(r.max_idle_seconds + r.room_empty_margin_seconds + look, (r.looks_min - 1) * look),
        "`members_lag`, a call, `room_interval` + `interval`, a call, `maxIdleTime` (here `max_idle`) + `room_empty_margin`, "
        "`room_empty_interval` + `interval`, a call",
    )
    yield Worst(
        "nobody stops it",
        "`stopping`",
        t.due(r.max_duration_seconds),
        "`maxDuration` (here `max_duration`) + `interval`, from `startedAt` on",
    )
    yield Worst(
        "nobody stops it, whatever else is believed of it",
        "`stopping`",
        t.due(r.max_age_seconds),
        "`max_age` + `interval`, from `createdAt` on",
    )


def _ending(t: Times) -> Iterator[Worst]:
    r, proof = t.recording, t.proof
    yield Worst("a stop is asked for, and is answered", "`processing`", t.stop_call, "one call")
    yield Worst(
        "a stop is asked for, and no answer proves anything",
        "`processing`; the recorder is evicted",
        t.due(r.stopping_deadline_seconds),
        "`stopping_deadline` + `interval`",
    )
    yield Worst(
        "all files are there, and a notification says so", "`completed`", t.notice, "as above, then a look at storage"
    )
    yield Worst(
        "all files are there, and none comes",
        "`completed`",
        t.step(proof.check_delays_seconds, 0),
        "the longest of `check_delays`, stretched, + `interval`, then a look at storage",
    )
    yield Worst(
        "all files are said to be there, and some are not",
        "`completed`, `partial`",
        proof.settle_seconds + t.step(proof.check_delays_seconds, 0),
        "`settle` and what stands one row above",
    )
    yield Worst(
        "the last file comes out of the provider's backup, and no notification comes",
        "`completed`",
        t.due(max(proof.backup_interval_seconds, max(proof.check_delays_seconds) * t.stretch)),
        "`backup_interval` + `interval`, then a look at storage",
    )
    yield Worst(
        "files do not come, or storage cannot be listed",
        "`completed`, `partial`, or `failed`",
        t.due(r.processing_deadline_seconds),
        "`processing_deadline` + `interval`",
    )
    yield Worst(
        "the same, while the provider has files in its backup",
        "`completed`, `partial`, or `failed`",
        t.due(r.backup_deadline_seconds),
        "`backup_deadline` + `interval`",
    )


def section(config: Config) -> str:
    """The part of the page."""
    rows = [f"| {w.fact} | {w.state} | {_said(w.seconds)} | {w.how} |" for w in worst_times(config)]
    return "\n".join([HEAD, "| When | then | after | made of |", "|---|---|---|---|", *rows, ""])


def _said(seconds: float) -> str:
    """`27.5 s`, `4 min 25 s`, `24 h 1 s`."""
    if seconds < 120:
        return f"{seconds:g} s"
    units = (("h", seconds // 3600), ("min", seconds % 3600 // 60), ("s", seconds % 60))
    return " ".join(f"{count:g} {unit}" for unit, count in units if count)
