"""The closed list of errors that the edge may see from the actor system. Refusals of the domain are replies, not errors."""

from typing import ClassVar


class ActorError(Exception):
    """The command was not carried out, or it is not known whether it was. `code` counts it."""

    code: ClassVar[str]


class MailboxFull(ActorError):
    """The meeting's queue of user commands is full; nothing was stored."""

    code = "overloaded"


class Draining(ActorError):
    """This node is leaving and takes no more commands; nothing was stored."""

    code = "draining"


class MeetingQuarantined(ActorError):
    """The meeting's actor failed too often; nothing was stored."""

    code = "meeting_quarantined"


class CommandFailed(ActorError):
    """The command made the actor fail twice; it is kept aside and nothing was stored."""

    code = "internal"


class DatabaseUnavailable(ActorError):
    """The database did not take the command; nothing was stored."""

    code = "database_unavailable"


class OwnedByAnotherNode(ActorError):
    """Another node owns the meeting, and takes its commands; nothing was stored. `node` is its name."""

    code = "owned_elsewhere"

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


class CommandOutcomeUnknown(ActorError):
    """The database broke off while storing: the command may be stored or not. Repeat it with the same key."""

    code = "outcome_unknown"


class KeyReused(ActorError):
    """The idempotency key belongs to another command; nothing was stored."""

    code = "idempotency_key_reused"
