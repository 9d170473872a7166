"""A recording's history, told: what happened when, and what proved it."""

from collections.abc import Iterator, Sequence
from typing import Any

from server.console.words import clean, length, size

TOLD = {
    "recording.starting": "was asked for by {startedBy}",
    "recorder.opened": "attempt {attempt} was opened; its recorder is {uid}",
    "recorder.acquired": "attempt {attempt} has a resource at the provider",
    "recorder.deferred": "{call} was not answered clearly and is repeated: {why}",
    "recorder.accepted": "the provider accepted; the session is {sid}",
    "recorder.closed": "attempt {attempt} was closed: {reason}",
    "recording.active": "records, since {startedAt}",
    "recorder.seen": "the recorder was seen",
    "recorder.missed": "the recorder was not found",
    "recorder.troubled": "the provider reported trouble: {trouble[message]}",
    "recording.updated": "is to be made differently from here on",
    "recorder.updated": "the recorder has taken the change",
    "recorder.update_deferred": "{call} was not answered clearly and is repeated: {why}",
    "recorder.update_refused": "the provider would not have the change: {failure[message]}",
    "recording.stopping": "a stop was asked for by {by} ({reason})",
    "recording.processing": "the recorder has left at {stoppedAt} ({endReason})",
    "recorder.upload": "the files are {storageStatus}",
    "media.awaited": "the files are not all there yet: {why}",
    "recording.completed": "is {completeness}: {length}, {size}",
    "recording.failed": "failed: {failure[message]} ({failure[code]})",
    "recording.aborted": "was aborted: {failure[message]} ({failure[code]})",
    "media.deletion_requested": "a deletion was asked for by {by}",
    "media.deletion_deferred": "storage would not delete, and is asked again: {why}",
    "recording.deleted": "was deleted: {objects} objects, {size}",
    "recorder.evicting": "attempt {attempt} was given up: {why}",
    "recorder.evictee_found": "the attempt that was given up did start: {sid}",
    "recorder.eviction_deferred": "the attempt that was given up is told to stop again: {why}",
    "recorder.evicted": "the attempt that was given up cannot record any more",
}


def tell(items: Sequence[Any]) -> Iterator[str]:
    """A line for each event: its time, what happened, and the evidence in brackets."""
    for item in items:
        evidence = item["data"].get("evidence")
        proof = f" [{evidence}]" if evidence else ""
        yield clean(f"{item['time'].replace('T', ' ')}  {item['type']:26}  {_sentence(item)}{proof}").rstrip()


def _sentence(item: Any) -> str:
    data = item["data"]
    told = TOLD.get(item["type"])
    if told is None:
        return ""
    sizes = {"length": length(data.get("duration")), "size": size(data.get("fileSize", data.get("bytes")))}
    try:
        return told.format_map({**data, **sizes})
    except (KeyError, TypeError, ValueError):  # told by a newer server in other words
        return ""
