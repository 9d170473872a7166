"""What the directory knows of one meeting: its mailbox, its actor if there is one, and the calls in flight.

All of it outlives the actor, which is made anew from the journal whenever its epoch or its state is in doubt.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from actors.domain.commands import Command
from actors.domain.effects import EffectKey
from actors.domain.ids import MeetingId
from actors.mailbox import Envelope, Mailbox
from actors.meeting import MeetingActor
from actors.watchers import Watchers


@dataclass(slots=True, eq=False)
class Handle:
    """One entry of the directory. `task` is None while there is nothing to work off."""

    meeting_id: MeetingId
    mailbox: Mailbox
    actor: MeetingActor | None = None
    task: asyncio.Task[None] | None = None
    in_flight: dict[EffectKey, asyncio.Task[Command]] = field(default_factory=dict)
    """Calls whose answer has not been worked off."""
    watchers: Watchers = field(default_factory=Watchers)
    crashes: deque[float] = field(default_factory=deque)
    """Loop times of recent failures, for the budget of restarts."""
    quarantines: int = 0
    quarantined_until: float | None = None

    def worked_off(self, envelope: Envelope) -> None:
        """The call that this answers is in flight no more; one that was sent since, after a failure, still is."""
        call = self.in_flight.get(envelope.effect) if envelope.effect is not None else None
        if envelope.effect is not None and call is not None and call.done():
            del self.in_flight[envelope.effect]

    @property
    def idle(self) -> bool:
        """Whether nothing would be lost by forgetting this meeting: but for its failures, all that it is stands in the journal."""
        if self.task is not None or len(self.mailbox) or self.in_flight or len(self.watchers):
            return False
        if self.crashes or self.quarantined_until is not None:
            return False
        state = self.actor.state if self.actor is not None else None
        return state is None or not (state.live or state.finishing or state.evictions)
