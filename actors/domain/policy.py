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
    sid_wait_ms: int = 30_000
    """So long the sid of a recorder that is known to run is waited for (codes 7 and 53)."""
    confirm_limit_ms: int = 90_000
    """So long a recorder may take from its sid to the first proof of capture before another is tried (reference 13)."""
    eviction_margin_ms: int = 30_000
    eviction_settle_ms: int = 15_000
    """So long after a kicking rule was accepted, it is taken to have effect."""
    eviction_limit_ms: int = 86_400_000
    """So long an abandoned session whose sid is known is told to stop."""
    eviction_watch_ms: int = 600_000
    """So long an abandoned recorder that nobody has seen is looked for once it is fenced."""
    ban_seconds: int = 86_430
    """How long a kicking rule holds: longer than any token of the recorder (channel management 4.1)."""
    ban_pause_ms: int = 10_000
    """So long a session whose sid is known is only told to stop, before it is kept out by a rule too."""
    ban_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 15_000, 60_000)
    look_interval_ms: int = 60_000
    """Between looks at the channel's members for an abandoned recorder."""
    looks_min: int = 3
    looks_span_ms: int = 150_000
    """So many looks in a row, spanning so long, prove an absence (channel management 4.2)."""
    members_lag_ms: int = 180_000
    """So long the list may show who is gone (channel management 4.1)."""
    room_interval_ms: int = 300_000
    """Between looks at who is in the channel of an active recording, while there are people."""
    room_empty_interval_ms: int = 60_000
    room_empty_margin_ms: int = 60_000
    """So long beyond its idle limit an empty room is left to the recorder."""
    restart_delays_ms: tuple[int, ...] = (1_000, 5_000, 15_000, 60_000)
    """Before a lost recorder is replaced: by how many were lost within the window."""
    restart_window_ms: int = 600_000
    stray_margin_ms: int = 10_000
    """So long after the end of a recorder its notifications may still bear later times."""
    max_age_ms: int = 86_400_000
    """So old a live recording may be, whatever the provider says of it: no token of a recorder lasts longer (reference 10.1)."""
    attempts_max: int = 5
    """So many attempts in a row may come to nothing."""
    acquire_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 15_000)
    start_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 9_000, 15_000)
    confirm_delays_ms: tuple[int, ...] = (5_000, 5_000, 10_000, 15_000)
    stop_delays_ms: tuple[int, ...] = (1_000, 2_000, 5_000, 10_000, 15_000)
    update_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 15_000)
    update_settle_ms: int = 45_000
    """So long after it was sent, an update whose answer was lost may still be done."""
    rekey_interval_ms: int = 3_600_000
    """Between the keys to the storage that a recorder is given, where they end (reference 3.5)."""
    rekey_margin_ms: int = 7_200_000
    """So long before they end it is given others at the latest."""
    rekey_delays_ms: tuple[int, ...] = (1_000, 3_000, 6_000, 15_000, 60_000)
    miss_delays_ms: tuple[int, ...] = (5_000, 10_000, 15_000, 30_000)
    verify_interval_ms: int = 120_000
    examine_delays_ms: tuple[int, ...] = (1_000, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 30_000)
    backup_interval_ms: int = 300_000
    """Between looks at storage while the provider holds files in its backup."""
    seal_delays_ms: tuple[int, ...] = (5_000, 30_000, 120_000, 600_000, 3_600_000)
    erase_delays_ms: tuple[int, ...] = (1_000, 5_000, 30_000, 60_000)
    locked_interval_ms: int = 3_600_000
    """Between looks at something that is locked, when the rest of it is removed already."""
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
