"""Hints between nodes: what one has just committed, so that the others need not ask the database for it.

A hint may be lost, doubled or late; sequences tell. `origin` is the process that sent it, which has told its own subscribers.
"""

from dataclasses import dataclass

import orjson

from actors.domain.codec import EVENT_VERSION, CodecError, decode, decode_event, encode, encode_event
from actors.domain.events import JournalEvent, LiveRef
from actors.domain.ids import MeetingId
from actors.domain.model import Actor, Recording


def channel_of(identity: str) -> str:
    """Where the nodes of one journal tell each other. Others may use the same Redis, with meetings of the same names."""
    return f"tapedeck:hints:{identity}"


@dataclass(frozen=True, slots=True)
class Hint:
    """Public events of one commit, in order."""

    origin: str
    meeting_id: MeetingId
    events: tuple[JournalEvent, ...]


def packed(hint: Hint) -> bytes:
    return orjson.dumps(
        {"origin": hint.origin, "meeting": hint.meeting_id, "events": [_packed(e) for e in hint.events]}
    )


def unpacked(message: bytes) -> Hint:
    """Raises CodecError, also for what a newer version has sent."""
    try:
        told = orjson.loads(message)
        meeting_id = MeetingId(told["meeting"])
        return Hint(told["origin"], meeting_id, tuple(_unpacked(meeting_id, event) for event in told["events"]))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise CodecError(f"not a hint: {error!r}") from error


def _packed(event: JournalEvent) -> dict[str, object]:
    return {
        "seq": event.seq,
        "sequence": event.sequence,
        "at_ms": event.at_ms,
        "kind": event.event.kind,
        "version": EVENT_VERSION,
        "data": encode_event(event.event),
        "actor": encode(event.actor),
        "recording": event.recording and encode(event.recording),
        "live": event.live and encode(event.live),
    }


def _unpacked(meeting_id: MeetingId, told: dict[str, object]) -> JournalEvent:
    recording, live = told["recording"], told["live"]
    return JournalEvent(
        meeting_id=meeting_id,
        seq=told["seq"],  # type: ignore[arg-type]
        sequence=told["sequence"],  # type: ignore[arg-type]
        at_ms=told["at_ms"],  # type: ignore[arg-type]
        actor=decode(Actor, told["actor"]),
        event=decode_event(told["kind"], told["version"], told["data"]),  # type: ignore[arg-type]
        recording=None if recording is None else decode(Recording, recording),
        live=None if live is None else decode(LiveRef, live),
    )
