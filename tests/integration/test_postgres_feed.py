"""The feed over all meetings while others write: nothing is skipped, whatever order transactions become visible in."""

import asyncio
from dataclasses import replace

from actors.domain.ids import MeetingId
from actors.reading import FeedPosition
from clients.postgres.feed import PostgresFeed
from clients.postgres.journal import PostgresJournal
from clients.postgres.pool import Pool, create_pool
from tests.fakes.appends import held, next_append
from tests.integration.nodes import standing

START = FeedPosition(0, "", 0)


async def test_an_event_that_shows_before_an_older_one_is_held_back(database_url: str, pool: Pool) -> None:
    """The older transaction has its number but is not visible yet; a reader that went past it would never see it."""
    ownership, feed = await standing(pool), await PostgresFeed.open(pool)
    slow, first = [await ownership.claim(MeetingId(name)) for name in ("slow", "first")]
    quick = await ownership.claim(MeetingId("quick"))
    async with held(database_url, MeetingId("slow")) as hold:
        older = asyncio.gather(
            *(PostgresJournal(pool).commit(next_append(claim.state, claim.epoch)) for claim in (slow, first))
        )
        await hold.waiting()
        await PostgresJournal(pool).commit(next_append(quick.state, quick.epoch))
        assert await feed.after(MeetingId("quick"), 0, 10) != []
        assert await feed.all_after(START, 100) == []
        joined = await feed.position()
    await older
    found = [event.meeting_id for _, event in await feed.all_after(START, 100)]
    assert set(found) == {"slow", "first", "quick"}
    assert [event.meeting_id for _, event in await feed.all_after(joined, 100)] == found


async def test_a_reader_beside_writers_sees_every_event_once_and_in_order(database_url: str) -> None:
    pools = [await create_pool(database_url, 3, 10) for _ in range(4)]
    feed = await PostgresFeed.open(pools[0])
    writing = asyncio.gather(*(_write(number, pool) for number, pool in enumerate(pools)))
    position, seen, ended = START, [], False
    while not ended:
        # The last look begins after the last commit.
        last_look = writing.done()
        batch = await feed.all_after(position, 7)
        seen += [(event.meeting_id, event.sequence) for _, event in batch]
        position = batch[-1][0] if batch else position
        ended = last_look and not batch
    committed = await writing
    assert len(seen) == len(set(seen))
    for meeting, last in [item for meetings in committed for item in meetings.items()]:
        assert [sequence for name, sequence in seen if name == meeting] == list(range(1, last + 1))
    await asyncio.gather(*(pool.close() for pool in pools))


async def _write(number: int, pool: Pool) -> dict[MeetingId, int]:
    """Appends of a node to its meetings. Returns the last public number of each."""
    ownership, journal = await standing(pool, f"n{number}", f"i{number}"), PostgresJournal(pool)
    claims = [await ownership.claim(MeetingId(f"m{number}-{meeting}")) for meeting in range(3)]
    for _ in range(15):
        appends = [next_append(claim.state, claim.epoch) for claim in claims]
        await asyncio.gather(*(journal.commit(append) for append in appends))
        claims = [replace(claim, state=append.state) for claim, append in zip(claims, appends, strict=True)]
    return {claim.state.meeting_id: claim.state.sequence for claim in claims}


async def test_each_database_has_a_name_of_its_own(database_url: str, pool: Pool) -> None:
    name = (await PostgresFeed.open(pool)).identity
    assert name == (await PostgresFeed.open(pool)).identity
    assert name.endswith("-00000001"), "the timeline of a server that was never promoted"
    await pool.execute("UPDATE identity SET id = gen_random_uuid()")
    assert (await PostgresFeed.open(pool)).identity != name


async def test_a_writer_that_forgets_its_transaction_is_ended_so_that_the_feed_goes_on(pool: Pool) -> None:
    async with pool.acquire() as connection:
        assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
        assert await connection.fetchval("SHOW application_name") == "tapedeck"
