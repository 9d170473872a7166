"""Keys to the storage that end, and that a recorder has to be given anew. No event holds a key."""

from dataclasses import dataclass

from actors.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderRekeyed(Event):
    """The recorder has keys until `keys_end_at_ms`; it is given others at `rekey_at_ms`. Both None: these do not end."""

    kind = "recorder.rekeyed"
    visible = False

    attempt: int
    keys_end_at_ms: int | None
    rekey_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyDeferred(Event):
    """An answer that decided nothing, or no keys to give: it is tried again at `check_at_ms`."""

    kind = "recorder.rekey_deferred"
    visible = False

    attempt: int
    why: str
    check_at_ms: int
