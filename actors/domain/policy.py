"""The numbers that decisions lean on; the server fills them from `config.toml`. Milliseconds, unless a name says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits, deadlines and schedules of a recording."""

    starting_deadline_ms: int = 180_000
    stopping_deadline_ms: int = 300_000
    processing_deadline_ms: int = 1_800_000
    backup_deadline_ms: int = 86_400_000
    failover_window_ms: int = 90_000
    """So long after the last proof of life, "not found" may mean that the session moves to another machine (reference 4.3)."""
    misses_min: int = 3
    """So many bad answers in a row, spanning more than the window, before anything is concluded."""
    resource_lifetime_ms: int = 300_000
    """acquire to start, at most (reference 2)."""
    eviction_margin_ms: int = 30_000
    eviction_limit_ms: int = 86_400_000
    """So long an abandoned session whose sid is known is told to stop."""
    attempts_max: int = 5
    acquire_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 15_000)
    start_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 9_000, 15_000)
    confirm_delays_ms: tuple[int, ...] = (5_000, 5_000, 10_000, 15_000)
    stop_delays_ms: tuple[int, ...] = (1_000, 2_000, 5_000, 10_000, 15_000)
    update_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 15_000)
    update_settle_ms: int = 45_000
    """So long after it was sent, an update whose answer was lost may still be done."""
    miss_delays_ms: tuple[int, ...] = (5_000, 10_000, 15_000, 30_000)
    verify_interval_ms: int = 120_000
    examine_delays_ms: tuple[int, ...] = (1_000, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 30_000)
    backup_interval_ms: int = 300_000
    """Between looks at storage while the provider holds files in its backup."""
    erase_delays_ms: tuple[int, ...] = (1_000, 5_000, 30_000, 60_000)
    settle_ms: int = 45_000
    """So long after the provider said that all is stored, a hole is waited for."""
    tolerance_ms: int = 3_000
    tolerance_ratio: float = 0.02
    """How far a duration may be off what was captured: the larger of the two."""
    jitter_ratio: float = 0.1
    """By so much of itself a pause may be longer than its schedule says."""


def delay(schedule: tuple[int, ...], tries: int) -> int:
    """The pause after the `tries`-th fruitless answer, counted from 0; the last one repeats."""
    return schedule[min(tries, len(schedule) - 1)]
