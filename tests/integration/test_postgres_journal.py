"""The journal under those who fight for it: many writers, broken connections, one bad append in a good batch."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest

from actors.domain.ids import MeetingId
from actors.domain.model import Actor, ActorKind, Meeting
from actors.domain.step import take_step
from actors.ports import Append, Claim, Fenced, JournalRejected, JournalUnavailable, OutcomeUnknown
from clients.postgres.feed import PostgresFeed
from clients.postgres.journal import PostgresJournal
from clients.postgres.migrate import upgrade
from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import Pool, create_pool
from tests.unit.domain.story import Story
from tests.waiting import eventually

USER = Actor(ActorKind.USER, "u")


def next_append(meeting: Meeting, epoch: int, marker: str) -> Append:
    """A start, or the abort of it: two events, of which subscribers see both."""
    story = Story()
    story.meeting = meeting
    if meeting.live is None:
        story.start(f"{meeting.meeting_id}-{meeting.seq}", external_id=marker)
    else:
        story.settled[meeting.live.recording_id] = meeting.live
        story.stop()
    return Append(
        meeting_id=meeting.meeting_id,
        epoch=epoch,
        expected_seq=meeting.seq,
        state=story.meeting,
        wake_at_ms=None,
        events=tuple(replace(event, meeting_id=meeting.meeting_id) for event in story.log),
        recordings=tuple(replace(item, meeting_id=meeting.meeting_id) for item in story.settled.values()),
    )


async def test_six_writers_leave_no_gap_and_lose_nothing(database_url: str) -> None:
    meetings = [MeetingId(f"m{number:02d}") for number in range(12)]
    acknowledged: Counter[tuple[str, int]] = Counter()
    outcomes: Counter[str] = Counter()
    pools = [await create_pool(database_url, 4, 10) for _ in range(6)]

    async def write(number: int, pool: Pool) -> None:
        rng, journal = random.Random(number), PostgresJournal(pool)
        ownership = PostgresOwnership(pool, f"n{number}", f"i{number}")
        own: dict[MeetingId, Claim] = {}
        for _ in range(40):
            if not own or rng.random() < 0.2:
                for meeting in rng.sample(meetings, 4):
                    own[meeting] = await ownership.claim(meeting)
            chosen = rng.sample(sorted(own), min(3, len(own)))
            await asyncio.gather(*(one(journal, own, meeting) for meeting in chosen))

    async def one(journal: PostgresJournal, own: dict[MeetingId, Claim], meeting: MeetingId) -> None:
        claim = own[meeting]
        append = next_append(claim.state, claim.epoch, "x")
        try:
            await journal.commit(append)
        except Fenced:
            outcomes["fenced"] += 1
            del own[meeting]
        else:
            outcomes["committed"] += 1
            own[meeting] = Claim(claim.epoch, append.state)
            acknowledged.update((meeting, event.seq) for event in append.events)

    await asyncio.gather(*(write(number, pool) for number, pool in enumerate(pools)))
    rows = await pools[0].fetch(
        "SELECT meeting_id, seq, epoch, tx::text::bigint AS tx FROM events ORDER BY meeting_id, seq"
    )
    assert {(row["meeting_id"], row["seq"]) for row in rows} == set(acknowledged)
    assert max(acknowledged.values()) == 1
    for meeting in meetings:
        mine = [row for row in rows if row["meeting_id"] == meeting]
        assert [row["seq"] for row in mine] == list(range(1, len(mine) + 1))
        assert [row["epoch"] for row in mine] == sorted(row["epoch"] for row in mine)
        assert [row["tx"] for row in mine] == sorted(row["tx"] for row in mine)
    assert outcomes["fenced"] > 0
    assert outcomes["committed"] > 100
    feed = await PostgresFeed.open(pools[0])
    position, seen = await feed.position(), []
    position = replace(position, tx=0)
    while batch := await feed.all_after(position, 50):
        seen += [(event.meeting_id, event.sequence) for _, event in batch]
        position = batch[-1][0]
    assert (
        len(seen)
        == len(set(seen))
        == len(rows) - await pools[0].fetchval("SELECT count(*) FROM events WHERE sequence IS NULL")
    )
    await asyncio.gather(*(pool.close() for pool in pools))


async def test_appends_of_many_meetings_share_a_statement(pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool), PostgresOwnership(pool, "n", "i")
    claims = [await ownership.claim(MeetingId(f"m{number}")) for number in range(20)]
    await asyncio.gather(*(journal.commit(next_append(claim.state, claim.epoch, "x")) for claim in claims))
    transactions = await pool.fetchval("SELECT count(DISTINCT tx::text) FROM events")
    assert transactions <= 2


async def test_one_bad_append_does_not_fail_its_neighbours(pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool), PostgresOwnership(pool, "n", "i")
    claims = [await ownership.claim(MeetingId(f"m{number}")) for number in range(7)]
    appends = [
        next_append(claim.state, claim.epoch, "\0" if number == 3 else "x") for number, claim in enumerate(claims)
    ]
    results = await asyncio.gather(*(journal.commit(append) for append in appends), return_exceptions=True)
    assert [type(result) for result in results] == [JournalRejected if n == 3 else type(None) for n in range(7)]
    assert await pool.fetchval("SELECT count(*) FROM recordings") == 6


async def test_a_broken_connection_leaves_the_outcome_unknown_and_a_claim_settles_it(
    database_url: str, pool: Pool
) -> None:
    journal, ownership = PostgresJournal(pool), PostgresOwnership(pool, "n", "i")
    claim = await ownership.claim(MeetingId("m"))
    other = await asyncpg.connect(database_url)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT 1 FROM meetings WHERE meeting_id = 'm' FOR UPDATE")
    committing = asyncio.create_task(journal.commit(next_append(claim.state, claim.epoch, "x")))

    async def waiting() -> int | None:
        found: int | None = await other.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return found

    pid = await eventually(waiting)
    await other.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(OutcomeUnknown):
        await committing
    await lock.rollback()
    await other.close()
    after = await ownership.claim(MeetingId("m"))
    assert after.epoch == claim.epoch + 1
    with pytest.raises(Fenced):
        await journal.commit(next_append(claim.state, claim.epoch, "x"))
    await journal.commit(next_append(after.state, after.epoch, "x"))


async def test_a_statement_that_hangs_is_given_up_as_unknown(database_url: str) -> None:
    pool = await create_pool(database_url, 3, 0.3)
    journal, ownership = PostgresJournal(pool), PostgresOwnership(pool, "n", "i")
    claim = await ownership.claim(MeetingId("m"))
    other = await asyncpg.connect(database_url)
    lock = other.transaction()
    await lock.start()
    await other.execute("SELECT 1 FROM meetings WHERE meeting_id = 'm' FOR UPDATE")
    with pytest.raises(OutcomeUnknown):
        await journal.commit(next_append(claim.state, claim.epoch, "x"))
    await lock.rollback()
    await other.close()
    await pool.close()


async def test_without_a_database_nothing_was_written(database_url: str) -> None:
    pool = await create_pool(database_url, 1, 5)
    journal, ownership = PostgresJournal(pool), PostgresOwnership(pool, "n", "i")
    claim = await ownership.claim(MeetingId("m"))
    await pool.close()
    with pytest.raises(JournalUnavailable):
        await journal.commit(next_append(claim.state, claim.epoch, "x"))
    with pytest.raises(JournalUnavailable):
        await ownership.claim(MeetingId("m"))


async def test_several_servers_may_migrate_at_once(database_url: str, pool: Pool) -> None:
    await pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await asyncio.gather(*(asyncio.to_thread(upgrade, database_url) for _ in range(4)))
    await asyncio.to_thread(upgrade, database_url)
    assert await pool.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert await pool.fetchval("SELECT count(*) FROM identity") == 1


async def test_an_append_takes_nothing_from_a_step_without_events(pool: Pool) -> None:
    ownership = PostgresOwnership(pool, "n", "i")
    claim = await ownership.claim(MeetingId("m"))
    step = take_step(claim.state, (), 0, USER)
    append = Append(meeting_id=MeetingId("m"), epoch=claim.epoch, expected_seq=0, state=step.after, wake_at_ms=None)
    await PostgresJournal(pool).commit(append)
    assert await pool.fetchval("SELECT count(*) FROM events") == 0
