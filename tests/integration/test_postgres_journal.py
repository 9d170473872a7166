"""The journal under those who fight for it: many writers, broken connections, one bad append in a good batch."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest

from actors.domain.ids import MeetingId
from actors.domain.model import Actor, ActorKind
from actors.domain.step import take_step
from actors.ports import Append, Claim, Fenced, JournalUnavailable
from clients.postgres.feed import PostgresFeed
from clients.postgres.journal import PostgresJournal
from clients.postgres.pool import Pool, create_pool
from tests.fakes.appends import held, next_append
from tests.integration.nodes import standing

USER = Actor(ActorKind.USER, "u")


async def test_six_writers_leave_no_gap_and_lose_nothing(database_url: str) -> None:
    meetings = [MeetingId(f"m{number:02d}") for number in range(12)]
    acknowledged: Counter[tuple[str, int]] = Counter()
    outcomes: Counter[str] = Counter()
    pools = [await create_pool(database_url, 4, 10) for _ in range(6)]

    async def write(number: int, pool: Pool) -> None:
        rng, journal = random.Random(number), PostgresJournal(pool)
        ownership = await standing(pool, f"n{number}", f"i{number}")
        own: dict[MeetingId, Claim] = {}
        for _ in range(40):
            if not own or rng.random() < 0.2:
                for meeting in rng.sample(meetings, 4):
                    own[meeting] = await ownership.claim(meeting)
            chosen = rng.sample(sorted(own), min(3, len(own)))
            await asyncio.gather(*(one(journal, own, meeting) for meeting in chosen))

    async def one(journal: PostgresJournal, own: dict[MeetingId, Claim], meeting: MeetingId) -> None:
        claim = own[meeting]
        append = next_append(claim.state, claim.epoch)
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
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claims = [await ownership.claim(MeetingId(f"m{number}")) for number in range(20)]
    await asyncio.gather(*(journal.commit(next_append(claim.state, claim.epoch)) for claim in claims))
    transactions = await pool.fetchval("SELECT count(DISTINCT tx::text) FROM events")
    assert transactions <= 2


async def test_a_batch_has_an_upper_bound(pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool, batch_max=4), await standing(pool)
    claims = [await ownership.claim(MeetingId(f"m{number}")) for number in range(10)]
    await asyncio.gather(*(journal.commit(next_append(claim.state, claim.epoch)) for claim in claims))
    rows = await pool.fetch("SELECT count(DISTINCT meeting_id) AS meetings FROM events GROUP BY tx ORDER BY 1")
    assert [row["meetings"] for row in rows] == [2, 4, 4]


async def test_a_meeting_is_never_twice_in_a_statement_and_keeps_its_order(pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claim, other = await ownership.claim(MeetingId("m")), await ownership.claim(MeetingId("other"))
    first = next_append(claim.state, claim.epoch)
    second = next_append(first.state, claim.epoch)
    third = next_append(second.state, claim.epoch)
    appends = (first, second, third, next_append(other.state, other.epoch))
    await asyncio.gather(*(journal.commit(append) for append in appends))
    rows = await pool.fetch("SELECT seq FROM events WHERE meeting_id = 'm' ORDER BY tx, seq")
    assert [row["seq"] for row in rows] == list(range(1, third.state.seq + 1))
    assert await pool.fetchval("SELECT count(DISTINCT tx::text) FROM events") == 3


async def test_what_a_caller_asked_for_is_written_though_the_caller_has_left(database_url: str, pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool), await standing(pool)
    first, second = [await ownership.claim(MeetingId(name)) for name in ("a", "b")]
    async with held(database_url, MeetingId("a")) as hold:
        patient = asyncio.create_task(journal.commit(next_append(first.state, first.epoch)))
        await hold.waiting()
        hasty = asyncio.create_task(journal.commit(next_append(second.state, second.epoch)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hasty, 0.01)
    await patient
    await journal.commit(next_append((again := await ownership.claim(MeetingId("c"))).state, again.epoch))
    written = await pool.fetch("SELECT DISTINCT meeting_id FROM events ORDER BY meeting_id")
    assert [row["meeting_id"] for row in written] == ["a", "b", "c"]


async def test_without_a_database_nothing_was_written(database_url: str) -> None:
    pool = await create_pool(database_url, 1, 5)
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claim = await ownership.claim(MeetingId("m"))
    await pool.close()
    with pytest.raises(JournalUnavailable):
        await journal.commit(next_append(claim.state, claim.epoch))
    with pytest.raises(JournalUnavailable):
        await ownership.claim(MeetingId("m"))


async def test_an_append_takes_nothing_from_a_step_without_events(pool: Pool) -> None:
    ownership = await standing(pool)
    claim = await ownership.claim(MeetingId("m"))
    step = take_step(claim.state, (), 0, USER)
    append = Append(meeting_id=MeetingId("m"), epoch=claim.epoch, expected_seq=0, state=step.after, wake_at_ms=None)
    await PostgresJournal(pool).commit(append)
    assert await pool.fetchval("SELECT count(*) FROM events") == 0
