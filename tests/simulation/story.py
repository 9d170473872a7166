"""What happened in a run, so that a reader sees why."""

from actors.domain.ids import MeetingId
from tests.fakes.memory import MemoryDatabase
from tests.simulation.wire import BEGIN_MS
from tests.simulation.world import World


def story_of(world: World) -> str:
    """Faults, journals, last calls."""
    rates = ", ".join(f"{kind} {rate:.3g}" for kind, rate in world.faults.rates.items() if rate)
    fired = ", ".join(f"{kind} {count}" for kind, count in sorted(world.faults.fired.items()))
    lines = [f"{world.size}", f"rates: {rates}", f"fired: {fired}", "what befell the world:"]
    lines += [f"  {line}" for line in world.wire.events]
    for meeting in world.meetings:
        lines.append(f"journal of {meeting}:")
        lines += [f"  {line}" for line in journal_lines(world.database, meeting)]
    lines.append("the provider's sessions:")
    lines += [
        f"  {item.cname} {item.uid} {item.sid} {_at(item.started_at_ms)} - {_at(item.ended_at_ms)}"
        for item in world.agora.sessions
    ]
    return "\n".join([*lines, "last port calls:", *(f"  {line}" for line in world.wire.calls)])


def journal_lines(database: MemoryDatabase, meeting: MeetingId) -> list[str]:
    """The journal of a meeting, an event a line: what a run is compared by."""
    return [
        f"{item.seq:4d} {(item.at_ms - BEGIN_MS) / 1000:10.3f} {item.event.kind} {item.event!r}"[:300]
        for item in database.events_of(meeting)
    ]


def _at(at_ms: int | None) -> str:
    return "now" if at_ms is None else f"{(at_ms - BEGIN_MS) / 1000:.3f}"
