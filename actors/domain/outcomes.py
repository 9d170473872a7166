"""Outcomes of calls to the outside, as values.

The distinction between "refused" and "unknown" is the heart of the system: a timeout, a broken connection or a 5xx on a
call that is not idempotent is `Ambiguous`, never a failure.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from actors.domain.erasure import Lock
from actors.domain.media import ListedObject
from actors.domain.model import Failure

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Done(Generic[T_co]):
    """The call was answered, and the answer is a fact."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused for good: the same call would be refused again, and nothing was done."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Not known: it may have been done or not, now or later."""

    why: str


class Limit(StrEnum):
    """What the provider has only so much of (reference 1.4)."""

    RECORDERS = "recorders"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Refused for now, and nothing was done. `failure` is what it would be called if it never gets better.

    `limit`: the provider is full, and this is what it has no more of.
    """

    why: str
    failure: Failure
    after_ms: int | None = None
    limit: Limit | None = None


Outcome = Done[T_co] | Rejected | Ambiguous | RetryLater


@dataclass(frozen=True, slots=True)
class Acquired:
    """acquire: the single-use resource (reference 2).

    `keys_end_at_ms`: the keys to the storage that its start will be given hold until then at least; None: they do not end.
    """

    resource_id: str
    keys_end_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """start: the session's sid. It says that the request was accepted, not that anything is recorded (reference 3.8)."""

    sid: str


@dataclass(frozen=True, slots=True)
class AlreadyRunning:
    """start: codes 7 and 53; a session with our uid runs, its sid is not told (reference 7.4)."""

    code: int


@dataclass(frozen=True, slots=True)
class ResourceUnusable:
    """start: this resource will not do (expired, unknown, no worker); a new acquire may (reference 7.2, 7.3)."""

    code: int
    why: str
    may_run: bool = False
    """A worker may have been made all the same (reference 12.3)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """query: the session's status, 0-8 or 20 (reference 4.1)."""

    status: int
    slice_started_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """query, stop: "failed to find worker": ended, never up, or moving to another machine (reference 4.3)."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """stop, answered 200: the recorder is gone. `uploading`: "uploaded", "backuped" or "unknown" (reference 6.1)."""

    uploading: str


@dataclass(frozen=True, slots=True)
class NothingRecorded:
    """stop, 435: the recorder is gone and there is no media (reference 6.2)."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """stop, code 49: the session is leaving already; no proof that it is gone (reference 6.2)."""


@dataclass(frozen=True, slots=True)
class Updated:
    """update, updateLayout: the recorder has taken all that was sent (reference 5)."""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """update with storage settings: the recorder has keys that end then (reference 5.1). None: they do not end."""

    keys_end_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Banned:
    """kicking rule: it is stored, and takes effect some time later (channel management 1.2, 1.4)."""

    rule_id: str


@dataclass(frozen=True, slots=True)
class Members:
    """user list: who was in the channel up to some minutes ago, recorders included (channel management 2.2, 2.4).

    `hosts`: those who may send; in the communication profile that is everybody. Both empty: there was no such channel.
    """

    uids: tuple[str, ...]
    hosts: tuple[str, ...]


StartAnswer = Started | AlreadyRunning | ResourceUnusable
QueryAnswer = Seen | NotFound
StopAnswer = Stopped | NothingRecorded | Leaving | NotFound


@dataclass(frozen=True, slots=True)
class Sealed:
    """seal: the manifest that was written, and what it vouches for. `sha256`: of the manifest itself, in hex."""

    objects: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """A page of all that lies below a prefix, every version of it. `after`: where the next one begins, None behind the last.

    `lock`: the longest one on any of these.
    """

    objects: tuple[ListedObject, ...]
    after: str | None = None
    lock: Lock | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """delete: what was removed from storage."""

    objects: int
    bytes: int
