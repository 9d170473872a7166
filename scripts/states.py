"""Writes docs/states.md from the transition table and the settings: `python scripts/states.py` prints it, `--write` stores it.

A test compares the stored page with what this prints, so the page is never out of date.
"""

import sys
from pathlib import Path

from actors.domain.model import Phase, State
from actors.domain.projections import LIVE_PHASES, SETTLED_PHASES
from actors.domain.transitions import TABLE
from scripts.worst_times import section
from server.config import Config

PAGE = Path(__file__).parent.parent / "docs" / "states.md"

HEAD = """# The states of a recording

Made by `scripts/states.py` from `actors/domain/transitions.py` and the defaults of the settings; do not edit.

`phase` is what has been observed of a recording, `want` what its users want. The public `state` is a projection of both: a
stop changes only what is wanted, so it may come in any phase, and twice.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, diagram(), transitions(), projection(), section(Config())])


def diagram() -> str:
    """The phases as a Mermaid diagram, without the events that stay in their phase."""
    lines = ["## Diagram", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.ACCEPTED}: recording.starting"]
    for phase, row in TABLE.items():
        for event, after in row.items():
            if after is not phase:
                lines.append(f"    {phase} --> {after}: {event.kind}")
    return "\n".join([*lines, "```", ""])


def transitions() -> str:
    """Every event that may happen in every phase."""
    lines = ["## Transitions", "", "| phase | event | leads to | subscribers see it |", "|---|---|---|---|"]
    for phase, row in TABLE.items():
        for event, after in row.items():
            seen = "yes" if event.public else "no"
            lines.append(f"| `{phase}` | `{event.kind}` | `{after}` | {seen} |")
    return "\n".join([*lines, ""])


def projection() -> str:
    """The public state of each phase."""
    lines = ["## Public state", "", "| phase | wanted: to record | wanted: to stop |", "|---|---|---|"]
    for phase in Phase:
        if phase in LIVE_PHASES:
            lines.append(
                f"| `{phase}` | `{State.STARTING}`, or `{State.ACTIVE}` once capture was proven | `{State.STOPPING}` |"
            )
        elif phase in (Phase.DELETING, Phase.REPROVING):
            lines.append(f"| `{phase}` | as before | as before |")
        else:
            lines.append(f"| `{phase}` | `{State(phase.value)}` | `{State(phase.value)}` |")
    settled = ", ".join(f"`{phase}`" for phase in Phase if phase in SETTLED_PHASES)
    return "\n".join(
        [*lines, "", f"Settled: {settled}. Nothing follows on them but a deletion, or a file that is added.", ""]
    )


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
