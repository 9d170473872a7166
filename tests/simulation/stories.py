"""The decisions of a run, as the core met them: for measuring what they cost."""

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from actors import meeting
from actors.domain.commands import Command, Moment
from actors.domain.decide import Decision, decide
from actors.domain.events import AnyEvent
from actors.domain.model import Meeting
from actors.domain.policy import Policy
from tests.simulation.run import run_seed


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision: what it was made of, and what it came to."""

    meeting: Meeting
    command: Command
    moment: Moment
    policy: Policy
    events: tuple[AnyEvent, ...]


def recorded(seed: int) -> list[Recorded]:
    """All decisions of that run, in order."""
    story: list[Recorded] = []

    def deciding(*given: Any) -> Decision:
        decision = decide(*given)
        story.append(Recorded(*given, decision.events))
        return decision

    with patch.object(meeting, "decide", deciding):
        run_seed(seed)
    return story
