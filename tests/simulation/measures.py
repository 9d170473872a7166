"""What was captured and stored, measured from the provider's side."""

import math

from actors.domain.media import MediaReport
from actors.domain.model import EndReason, Recording
from actors.domain.timeline import Stretch

PLAYED_SLACK_MS = 4_000
"""Joining and leaving take their time, and what is shorter than this is not missed."""


def stretches_of(report: MediaReport) -> list[Stretch]:
    """The slices that are there, each once."""
    found: dict[str, Stretch] = {}
    for playlist in report.playlists:
        for item in playlist.slices:
            begin = item.started_at_ms or 0
            if item.size:
                found.setdefault(item.key, Stretch(begin, begin + round(item.duration_seconds * 1000), item))
    return list(found.values())


def played_ms(report: MediaReport) -> int:
    """How much can be played."""
    return sum(stretch.to_ms - stretch.from_ms for stretch in stretches_of(report))


def wanted_of(recording: Recording, report: MediaReport) -> tuple[int, int]:
    """From the first moment that was captured to the last one that was wanted."""
    stretches = stretches_of(report)
    first = min((stretch.from_ms for stretch in stretches), default=recording.created_at_ms)
    last = max((stretch.to_ms for stretch in stretches), default=first)
    idle = recording.end_reason in (EndReason.PROVIDER_IDLE, EndReason.EMPTY_ROOM)
    if recording.stop_requested_at_ms is not None and not idle:
        last = max(last, min(recording.stop_requested_at_ms, _limit_ms(recording)))
    return first, last


def _limit_ms(recording: Recording) -> float:
    """Until when it may have been wanted, should nobody have been there to stop it in time."""
    if recording.end_reason is not EndReason.MAX_DURATION or recording.started_at_ms is None:
        return math.inf
    return recording.started_at_ms + recording.spec.max_duration_seconds * 1000
