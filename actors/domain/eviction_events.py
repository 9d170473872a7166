"""The eviction of an attempt: given up, kept out by kicking rules, fenced, watched, over. All internal."""

from dataclasses import dataclass

from actors.domain.event import Event
from actors.domain.model import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionBegan(Event):
    """An attempt was given up on without proof of its end. No other is opened before `EvictionFenced`."""

    kind = "recorder.evicting"
    visible = False

    attempt: int
    why: str
    until_ms: int
    ban_at_ms: int = 0
    ban_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayFound(Event):
    """A recorder of an attempt that is over was seen alive; it is evicted (again)."""

    kind = "recorder.stray"
    visible = False

    attempt: int
    channel_name: str
    stray: Attempt
    """The attempt as it is known by now, its sid and every uid included."""
    evidence: str
    until_ms: int
    ban_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvicteeFound(Event):
    """The abandoned attempt did start, or it moved: its sid is known now, so it can be told to stop."""

    kind = "recorder.evictee_found"
    visible = False

    attempt: int
    sid: str
    evidence: str
    until_ms: int = 0
    uid: str | None = None
    """Another uid under which it is in the channel by now."""
    moved_at_ms: int = 0
    """When it came to it, by the provider's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionDeferred(Event):
    """A stop of the abandoned session that gave no proof."""

    kind = "recorder.eviction_deferred"
    visible = False

    attempt: int
    why: str
    missed: bool
    check_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderBanned(Event):
    """A kicking rule keeps this uid out of the channel.

    `fence_at_ms`: when all of its rules hold. None for a session whose sid is known: it may move, to a uid without a rule.
    """

    kind = "recorder.banned"
    visible = False

    attempt: int
    uid: str
    rule_id: str
    fence_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BanDeferred(Event):
    """The rule could not be had, or it is not known whether it is there; it is sent again (channel management 1.5)."""

    kind = "recorder.ban_deferred"
    visible = False

    attempt: int
    uid: str
    why: str
    ban_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionHeld(Event):
    """No late start can come any more, but nobody has seen the channel without its recorder: it is looked for at once."""

    kind = "recorder.eviction_held"
    visible = False

    attempt: int
    until_ms: int
    look_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionFenced(Event):
    """The abandoned attempt can no longer come up: another may be opened. Its recorder's end is still watched for."""

    kind = "recorder.fenced"
    visible = False

    attempt: int
    evidence: str
    look_at_ms: int
    watched_until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvicteeLooked(Event):
    """A look at the channel's members: whether the abandoned recorder was there; None if the list could not be had.

    `again`: it is there though the rules have long taken effect, so they are sent once more. `until_ms`: it is there though
    there is no rule, so it is waited for longer. `watched_until_ms`: it is there, so it is watched for at least as long.
    """

    kind = "recorder.evictee_looked"
    visible = False

    attempt: int
    seen: bool | None
    again: bool
    look_at_ms: int
    until_ms: int
    watched_until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionEnded(Event):
    """The recorder of the abandoned attempt is gone."""

    kind = "recorder.evicted"
    visible = False

    attempt: int
    evidence: str
