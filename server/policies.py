"""The core's numbers, out of the configuration."""

from collections.abc import Sequence

from actors.domain.policy import Policy
from actors.lease import LeaseSettings
from actors.reconciler import ReconcilerSettings
from actors.supervision import RestartBudget
from actors.system import SystemSettings
from server.config import Config


def policy_of(config: Config) -> Policy:
    """Deadlines, schedules and tolerances."""
    recording, proof = config.recording, config.proof
    return Policy(
        starting_deadline_ms=_ms(recording.starting_deadline_seconds),
        stopping_deadline_ms=_ms(recording.stopping_deadline_seconds),
        processing_deadline_ms=_ms(recording.processing_deadline_seconds),
        backup_deadline_ms=_ms(recording.backup_deadline_seconds),
        failover_window_ms=_ms(recording.failover_window_seconds),
        misses_min=recording.query_misses_min,
        resource_lifetime_ms=_ms(recording.resource_lifetime_seconds),
        sid_wait_ms=_ms(recording.sid_wait_seconds),
        confirm_limit_ms=_ms(recording.confirm_limit_seconds),
        eviction_margin_ms=_ms(recording.eviction_margin_seconds),
        eviction_settle_ms=_ms(recording.eviction_settle_seconds),
        eviction_limit_ms=_ms(recording.eviction_limit_seconds),
        eviction_watch_ms=_ms(recording.eviction_watch_seconds),
        ban_seconds=recording.eviction_ban_seconds,
        ban_pause_ms=_ms(recording.eviction_ban_pause_seconds),
        ban_delays_ms=_all_ms(recording.eviction_ban_delays_seconds),
        look_interval_ms=_ms(recording.look_interval_seconds),
        looks_min=recording.looks_min,
        looks_span_ms=_ms(recording.looks_span_seconds),
        members_lag_ms=_ms(recording.members_lag_seconds),
        room_interval_ms=_ms(recording.room_interval_seconds),
        room_empty_interval_ms=_ms(recording.room_empty_interval_seconds),
        room_empty_margin_ms=_ms(recording.room_empty_margin_seconds),
        restart_delays_ms=_all_ms(recording.restart_delays_seconds),
        restart_window_ms=_ms(recording.restart_window_seconds),
        stray_margin_ms=_ms(recording.stray_margin_seconds),
        max_age_ms=_ms(recording.max_age_seconds),
        attempts_max=recording.attempts_max,
        acquire_delays_ms=_all_ms(recording.acquire_retry_delays_seconds),
        start_delays_ms=_all_ms(recording.start_retry_delays_seconds),
        confirm_delays_ms=_all_ms(recording.confirm_delays_seconds),
        stop_delays_ms=_all_ms(recording.stop_retry_delays_seconds),
        update_delays_ms=_all_ms(recording.update_retry_delays_seconds),
        update_settle_ms=_ms(recording.update_settle_seconds),
        rekey_interval_ms=_ms(recording.rekey_interval_seconds),
        rekey_margin_ms=_ms(recording.rekey_margin_seconds),
        rekey_delays_ms=_all_ms(recording.rekey_delays_seconds),
        miss_delays_ms=_all_ms(recording.miss_delays_seconds),
        verify_interval_ms=_ms(recording.verify_interval_seconds),
        examine_delays_ms=_all_ms(proof.check_delays_seconds),
        backup_interval_ms=_ms(proof.backup_interval_seconds),
        seal_delays_ms=_all_ms(config.storage.seal_delays_seconds),
        erase_delays_ms=_all_ms(config.storage.erase_delays_seconds),
        locked_interval_ms=_ms(config.storage.locked_interval_seconds),
        settle_ms=_ms(proof.settle_seconds),
        tolerance_ms=_ms(proof.tolerance_seconds),
        tolerance_ratio=proof.tolerance_ratio,
    )


def system_settings_of(config: Config) -> SystemSettings:
    """Bounds of mailboxes and calls, how long a provider counts as full, and the budget of restarts."""
    actors = config.actors
    return SystemSettings(
        mailbox_messages_max=actors.mailbox_messages_max,
        calls_max=actors.calls_max,
        step_seconds_max=actors.step_seconds_max,
        retry_seconds=actors.retry_seconds,
        full_pause_seconds=config.agora.full_pause_seconds,
        full_pause_seconds_max=config.agora.full_pause_seconds_max,
        budget=RestartBudget(
            restarts_max=actors.restarts_max,
            window_seconds=actors.restart_window_seconds,
            quarantine_seconds=actors.quarantine_backoff_seconds,
            quarantine_seconds_max=actors.quarantine_backoff_seconds_max,
        ),
    )


def lease_settings_of(config: Config) -> LeaseSettings:
    """How long this node's lease lasts, and what it does when it cannot renew it."""
    node = config.node
    return LeaseSettings(
        renew_seconds=node.renew_seconds,
        silent_seconds=node.silent_seconds,
        let_go_seconds=node.let_go_seconds,
        lease_seconds=node.lease_seconds,
        retry_seconds=config.actors.retry_seconds,
    )


def reconciler_settings_of(config: Config) -> ReconcilerSettings:
    """How often it looks, and for how much."""
    settings = config.reconciler
    return ReconcilerSettings(
        interval_seconds=settings.interval_seconds,
        batch=settings.batch,
        inbox_age_ms=_ms(settings.inbox_age_seconds),
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _all_ms(delays_seconds: Sequence[float]) -> tuple[int, ...]:
    return tuple(_ms(seconds) for seconds in delays_seconds)
