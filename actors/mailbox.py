"""The queue of one meeting: two lanes, bounded, and it outlives its actor.

Facts (answers of calls, notifications, wake-ups) overtake users' commands: a stop that waits behind a start's answer waits
for nothing. The control lane needs no bound of its own: there is at most one answer for each call in flight, one wake-up,
and each stored notification once.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from actors.domain.commands import Command, ProviderReported, Reply, Wake
from actors.domain.effects import EffectKey
from actors.domain.ids import NoticeId
from actors.domain.model import Recording
from actors.errors import ActorError, MailboxFull


@dataclass(frozen=True, slots=True)
class CommandKey:
    """Names a user's command for repetition: `command_id` unique in its meeting, `body_hash` tells a reused key."""

    command_id: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user's command came to, once it is durable. `replayed`: an earlier command of the same key did it."""

    reply: Reply
    recording: Recording | None
    replayed: bool = False


@dataclass(slots=True, eq=False)
class Envelope:
    """A command on its way; `future` is None for facts, to which nobody waits for a reply.

    `effect`: the call that it is the answer of.
    """

    command: Command
    key: CommandKey | None = None
    future: asyncio.Future[Answer] | None = None
    effect: EffectKey | None = None
    crashes: int = 0

    def answer(self, answer: Answer) -> None:
        """Hand over the answer, unless the caller has left."""
        if self.future is not None and not self.future.done():
            self.future.set_result(answer)

    def refuse(self, error: ActorError) -> None:
        """Hand over an error, unless the caller has left."""
        if self.future is not None and not self.future.done():
            self.future.set_exception(error)


class Mailbox:
    """Facts before users' commands; within a lane, first come first served."""

    __slots__ = ("_control", "_notices", "_user", "_user_max", "_wake_queued")

    def __init__(self, user_max: int) -> None:
        self._control: deque[Envelope] = deque()
        self._user: deque[Envelope] = deque()
        self._user_max = user_max
        self._wake_queued = False
        self._notices: set[NoticeId] = set()

    def __len__(self) -> int:
        return len(self._control) + len(self._user)

    def put_user(self, envelope: Envelope) -> None:
        """Raises MailboxFull at once: a caller who waits for a place would only wait twice."""
        if len(self._user) >= self._user_max:
            raise MailboxFull(f"{len(self._user)} commands are waiting")
        self._user.append(envelope)

    def put_fact(self, command: Command, effect: EffectKey | None = None) -> None:
        """Queue a fact; a wake-up or notification that is queued already is not queued twice."""
        if isinstance(command, Wake):
            if self._wake_queued:
                return
            self._wake_queued = True
        elif isinstance(command, ProviderReported):
            if command.notice.notice_id in self._notices:
                return
            self._notices.add(command.notice.notice_id)
        self._control.append(Envelope(command, effect=effect))

    def put_back(self, envelope: Envelope) -> None:
        """Return what was taken and could not be worked off, to the front of its lane."""
        lane = self._control if envelope.future is None else self._user
        lane.appendleft(envelope)

    def take(self) -> Envelope | None:
        """The next envelope, or None if there is none."""
        if self._control:
            envelope = self._control.popleft()
            self._forget(envelope.command)
            return envelope
        return self._user.popleft() if self._user else None

    def refuse_users(self, error: ActorError) -> None:
        """Answer every waiting user with the error; facts stay."""
        while self._user:
            self._user.popleft().refuse(error)

    def forget_facts(self) -> None:
        """Drop what nobody waits for: whoever owns the meeting finds it again, or repeats the call that it answers."""
        while self._control:
            self._forget(self._control.popleft().command)

    def _forget(self, command: Any) -> None:
        if isinstance(command, Wake):
            self._wake_queued = False
        elif isinstance(command, ProviderReported):
            self._notices.discard(command.notice.notice_id)
