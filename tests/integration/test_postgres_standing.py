"""How things stand, read from rows that a journal wrote: counts, ages, deadlines, recorders, and the provider's budget."""

from dataclasses import replace

import pytest

from actors.domain.ids import MeetingId
from actors.domain.model import Eviction, Phase
from actors.ports import Append, JournalUnavailable
from clients.postgres import standing as standing_module
from clients.postgres.budget import PostgresBudget
from clients.postgres.journal import PostgresJournal
from clients.postgres.pool import Pool
from clients.postgres.standing import PostgresStanding, Standing
from tests.integration.nodes import standing
from tests.unit.domain.story import BEGIN_MS, Story, in_phase

FAR_MS = 10_000_000_000_000


async def keep(
    pool: Pool, name: str, story: Story, deadline_at_ms: int, *, evictions: tuple[Eviction, ...] = ()
) -> None:
    """A story's meeting as a row, with another deadline and time of birth."""
    meeting_id = MeetingId(name)
    claim = await (await standing(pool, "node", "incarnation")).claim(meeting_id)
    recordings = tuple(
        replace(item, meeting_id=meeting_id, recording_id=f"{name}-{item.recording_id}", deadline_at_ms=deadline_at_ms)
        for item in story.settled.values()
    )
    state = replace(story.meeting, meeting_id=meeting_id, evictions=evictions)
    await PostgresJournal(pool).commit(
        Append(
            meeting_id=meeting_id,
            epoch=claim.epoch,
            expected_seq=claim.state.seq,
            state=state,
            wake_at_ms=BEGIN_MS,
            recordings=recordings,
        )
    )


async def test_nothing_is_nothing(pool: Pool) -> None:
    assert await PostgresStanding(pool, "app", 10.0).read() == Standing(
        {}, {}, recorders=0, evicting=0, calls_left=10.0
    )


async def test_recordings_are_counted_by_state(pool: Pool) -> None:
    active = in_phase(Phase.ACTIVE)
    await keep(pool, "m-1", active, FAR_MS)
    await keep(pool, "m-2", active, BEGIN_MS)
    await keep(pool, "m-3", in_phase(Phase.ACQUIRING), FAR_MS)
    await keep(pool, "m-4", in_phase(Phase.COMPLETED), BEGIN_MS)
    assert active.meeting.live is not None
    attempt = active.meeting.live.attempt
    assert attempt is not None
    eviction = Eviction(
        recording_id=active.meeting.live.recording_id,
        channel_name="m-5",
        attempt=attempt,
        began_at_ms=BEGIN_MS,
        until_ms=FAR_MS,
        ban_seconds=600,
    )
    stray = replace(eviction, attempt=replace(attempt, number=2))
    await keep(pool, "m-5", Story(), FAR_MS, evictions=(eviction, stray))
    found = await PostgresStanding(pool, "app", 10.0).read()
    assert {state: (group.count, group.overdue) for state, group in found.states.items()} == {
        "active": (2, 1),
        "starting": (1, 0),
    }
    assert found.settled == {"completed": 1}
    assert (found.recorders, found.evicting) == (2, 2)
    seconds = await pool.fetchval("SELECT extract(epoch FROM now() - min(created_at))::float8 FROM recordings")
    assert found.states["active"].oldest_seconds == pytest.approx(seconds, abs=60)


async def test_a_count_that_takes_too_long_hides_nothing_else(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep(pool, "m-1", in_phase(Phase.ACTIVE), FAR_MS)
    monkeypatch.setattr(standing_module, "SETTLED_SECONDS", 0.0)
    found = await PostgresStanding(pool, "app", 10.0).read()
    assert found.settled is None
    assert found.states["active"].count == 1


async def test_the_budget_says_what_may_still_go_out(pool: Pool) -> None:
    budget, standing = PostgresBudget(pool, "app", 2.0), PostgresStanding(pool, "app", 2.0)
    assert (await standing.read()).calls_left == 2.0
    await budget.reserve(looking=False)
    assert 0.9 < (await standing.read()).calls_left < 2.0
    await pool.execute("UPDATE provider_budget SET next_at = now() + interval '1 minute'")
    assert (await standing.read()).calls_left == 0.0
    assert (await PostgresStanding(pool, "another", 2.0).read()).calls_left == 2.0
    assert (await PostgresStanding(pool, "another", 10.0, lambda: 4).read()).calls_left == 6.0
    assert (await PostgresStanding(pool, "another", 10.0, lambda: 400).read()).calls_left == 0.0


async def test_a_database_that_is_away_is_told_in_the_words_of_the_ports(pool: Pool) -> None:
    standing = PostgresStanding(pool, "app", 10.0)
    await standing.ping()
    await pool.close()
    with pytest.raises(JournalUnavailable):
        await standing.ping()
    with pytest.raises(JournalUnavailable):
        await standing.read()
