"""What the journal says of a commit that went wrong: refused, not taken, or not known. Each for its own append only."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import asyncpg
import pytest

from actors.domain.ids import MeetingId, RecordingId
from actors.domain.model import Meeting
from actors.ports import Append, CommandMark, Fenced, JournalRejected, JournalUnavailable, OutcomeUnknown, RecorderRow
from clients.postgres.journal import PostgresJournal
from clients.postgres.pool import Pool, create_pool
from tests.fakes.appends import held, next_append
from tests.integration.nodes import standing

M = MeetingId("m")
RECORDER = RecorderRow(cname="c", uid="1", sid=None, recording_id=RecordingId("r"), attempt=1)
LONG = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(4000))


def marked(append: Append, text: str) -> Append:
    """The same with a text in it that Postgres cannot store."""
    return next_append(Meeting(meeting_id=append.meeting_id), append.epoch, text)


def second_live(append: Append) -> Append:
    """The same with another live recording beside its own."""
    (live,) = append.recordings
    return replace(append, recordings=(live, replace(live, recording_id=RecordingId("another"))))


POISONS: dict[str, Callable[[Append], Append]] = {
    "nul": lambda append: marked(append, "x\0"),
    "surrogate": lambda append: marked(append, "x\ud800"),
    "number": lambda append: replace(append, wake_at_ms=2**70),
    "time": lambda append: replace(append, wake_at_ms=2**62),
    "key too long for an index": lambda append: replace(append, command=CommandMark(LONG, "h", RecordingId("r"))),
    "one row twice": lambda append: replace(append, recorders=(RECORDER, RECORDER)),
    "two live": second_live,
}


@pytest.mark.parametrize("name", POISONS)
async def test_a_poisoned_append_is_refused_alone_and_its_neighbours_are_committed(pool: Pool, name: str) -> None:
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claims = [await ownership.claim(MeetingId(f"m{number}")) for number in range(5)]
    appends = [next_append(claim.state, claim.epoch) for claim in claims]
    appends[3] = POISONS[name](appends[3])
    results = await asyncio.gather(*(journal.commit(append) for append in appends), return_exceptions=True)
    assert [type(result) for result in results] == [JournalRejected if n == 3 else type(None) for n in range(5)]
    assert "m3" not in str(results[3]), "the driver's message repeats values, and is logged"
    written = await pool.fetch("SELECT DISTINCT meeting_id FROM events ORDER BY meeting_id")
    assert [row["meeting_id"] for row in written] == ["m0", "m1", "m2", "m4"]
    assert (await ownership.claim(MeetingId("m3"))).state.seq == 0


async def test_a_statement_that_the_database_cancels_was_not_taken(database_url: str, pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claim = await ownership.claim(M)
    async with held(database_url, M) as hold:
        committing = asyncio.create_task(journal.commit(next_append(claim.state, claim.epoch)))
        (pid,) = await hold.waiting()
        await hold.cancel(pid)
        with pytest.raises(JournalUnavailable):
            await committing
    assert await pool.fetchval("SELECT count(*) FROM events") == 0
    await journal.commit(next_append(claim.state, claim.epoch))


async def test_a_lost_connection_fails_the_whole_batch_as_unknown(database_url: str, pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claims = [await ownership.claim(MeetingId(name)) for name in ("a", "b", "m")]
    async with held(database_url, M) as hold:
        committing = asyncio.gather(
            *(journal.commit(next_append(claim.state, claim.epoch)) for claim in claims), return_exceptions=True
        )
        (pid,) = await hold.waiting()
        await hold.terminate(pid)
        assert [type(result) for result in await committing] == [OutcomeUnknown] * 3
    assert await pool.fetchval("SELECT count(*) FROM events") == 0
    await ownership.claim(M)
    with pytest.raises(Fenced):
        await journal.commit(next_append(claims[2].state, claims[2].epoch))


async def test_a_claim_after_an_unknown_outcome_reads_what_stands(database_url: str, pool: Pool) -> None:
    """The statement that was given up is still waiting in the server, and lands: the claim waits for it, then reads."""
    hasty = await create_pool(database_url, 2, 0.3)
    ownership = await standing(pool)
    claim = await ownership.claim(M)
    async with held(database_url, M) as hold:
        with pytest.raises(OutcomeUnknown):
            await PostgresJournal(hasty).commit(next_append(claim.state, claim.epoch))
        claiming = asyncio.create_task(ownership.claim(M))
        await hold.waiting()
    after = await claiming
    seqs = "SELECT coalesce(max(seq), 0) FROM events"
    assert after.epoch == claim.epoch + 1
    assert after.state.seq == await pool.fetchval(seqs)
    again = next_append(after.state, after.epoch)
    await PostgresJournal(pool).commit(again)
    assert await pool.fetchval(seqs) == again.state.seq
    await hasty.close()


async def test_trouble_with_the_connection_after_the_commit_changes_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, ownership = PostgresJournal(pool), await standing(pool)
    claim = await ownership.claim(M)
    release = asyncpg.pool.Pool.release

    async def break_off(self: Pool, connection: object, **options: object) -> None:
        await release(self, connection, **options)
        raise asyncpg.ConnectionDoesNotExistError("gone while it was given back")

    append = next_append(claim.state, claim.epoch)
    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.pool.Pool, "release", break_off)
        await journal.commit(append)
    assert (await ownership.claim(M)).state == append.state


async def test_whoever_waits_is_answered_when_the_writer_is_stopped(database_url: str, pool: Pool) -> None:
    journal, ownership = PostgresJournal(pool, batch_max=1), await standing(pool)
    claims = [await ownership.claim(MeetingId(name)) for name in ("m", "z")]
    async with held(database_url, M) as hold:
        committing = asyncio.gather(
            *(journal.commit(next_append(claim.state, claim.epoch)) for claim in claims), return_exceptions=True
        )
        await hold.waiting()
        (writer,) = (task for task in asyncio.all_tasks() if task.get_name() == "journal")
        writer.cancel()
        assert [type(result) for result in await committing] == [OutcomeUnknown, JournalUnavailable]
    after = await ownership.claim(M)
    await journal.commit(next_append(after.state, after.epoch))
