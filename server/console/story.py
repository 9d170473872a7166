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
    "recorder.moved": "the session moved to another machine; its recorder is {uid} now",
    "recorder.lost": "the recorder of attempt {attempt} is gone since {lostAt}; another takes its place",
    "recorder.replaced": "attempt {attempt} records, since {resumedAt}",
    "recorder.room": "people in the channel: {company}",
    "recording.updated": "is to be made differently from here on",
    "recorder.updated": "the recorder has taken the change",
    "recorder.update_deferred": "{call} was not answered clearly and is repeated: {why}",
    "recorder.update_refused": "the provider would not have the change: {failure[message]}",
    "recorder.rekeyed": "the recorder was given fresh keys to the storage",
    "recorder.rekey_deferred": "the recorder is given fresh keys to the storage later: {why}",
    "recording.stopping": "a stop was asked for by {by} ({reason})",
    "recording.processing": "the recorder has left at {stoppedAt} ({endReason})",
    "recorder.upload": "the files are {storageStatus}",
    "media.awaited": "the files are not all there yet: {why}",
    "recording.completed": "is {completeness}: {length}, {size}",
    "recording.failed": "failed: {failure[message]} ({failure[code]})",
    "recording.aborted": "was aborted: {failure[message]} ({failure[code]})",
    "media.sealed": "has a manifest of {objects} objects, {size}",
    "media.seal_deferred": "the manifest could not be written, and is tried again: {why}",
    "media.attached": "{by} has added the file {key}, {size}",
    "media.reproven": "is {completeness} by now: {length}, {size}",
    "media.arrived": "files have come; it is proven anew",
    "media.deletion_requested": "a deletion was asked for by {by}",
    "media.listed": "what is to be deleted was listed: {amount}",
    "media.deletion_refused": "the store keeps something of it under a lock ({lock}): nothing was deleted",
    "media.erasing": "the receipt is complete; its media is being deleted",
    "media.removed": "storage has removed {objects} objects, {size}, and is looked at again",
    "media.late": "something came after the deletion, and is deleted too",
    "media.late_erased": "what came late is deleted: {objects} objects, {size}",
    "media.deletion_deferred": "storage would not delete, and is asked again: {why}",
    "recording.deleted": "was deleted: {objects} objects, {size}",
    "recorder.evicting": "attempt {attempt} was given up: {why}",
    "recorder.stray": "a recorder of attempt {attempt}, which is over, is alive and is evicted",
    "recorder.evictee_found": "attempt {attempt}, which was given up, did start: {sid}",
    "recorder.eviction_deferred": "attempt {attempt}, which was given up, is told to stop again: {why}",
    "recorder.banned": "a kicking rule keeps {uid} out of the channel",
    "recorder.ban_deferred": "the kicking rule against {uid} is asked for again: {why}",
    "recorder.fenced": "nothing can come of attempt {attempt} any more; another may be opened",
    "recorder.eviction_held": "attempt {attempt}, which was given up, cannot start any more; its recorder is looked for",
    "recorder.evictee_looked": "the recorder of attempt {attempt} {presence}",
    "recorder.evicted": "the recorder of attempt {attempt}, which was given up, is gone",
}

PRESENCE = {
    True: "was seen in the channel",
    False: "was not in the channel",
    None: "was looked for; the list could not be had",
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
    try:
        return told.format_map({**data, **_in_words(data)})
    except (KeyError, TypeError, ValueError):  # told by a newer server in other words
        return ""


def _in_words(data: Any) -> dict[str, str]:
    """What reads better than the event's own values."""
    people = data.get("people")
    return {
        "length": length(data.get("duration")),
        "size": size(data.get("fileSize", data.get("bytes"))),
        "company": "not known" if people is None else str(people),
        "presence": PRESENCE[data.get("seen")],
        "amount": _amount(data.get("objects")),
        "lock": f"until {data['until']}" if data.get("until") else "a hold, without an end",
    }


def _amount(listed: Any) -> str:
    """Of a page of a receipt."""
    return f"{len(listed)} objects, {size(sum(each['size'] for each in listed))}" if isinstance(listed, list) else ""
