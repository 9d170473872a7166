"""The database in memory and Postgres, behind the ports of the core."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from actors.domain.ids import MeetingId
from actors.domain.model import Actor, ActorKind
from actors.domain.pending import next_wakeup
from actors.ports import Append, Claim
from clients.postgres.feed import PostgresFeed
from clients.postgres.inbox import PostgresInbox
from clients.postgres.journal import PostgresJournal
from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import Pool
from clients.postgres.records import PostgresRecords
from tests.fakes.memory import MemoryDatabase, MemoryFeed, MemoryInbox, MemoryJournal, MemoryOwnership, MemoryRecords
from tests.unit.domain.story import Story

M = MeetingId("m-1")
USER = Actor(ActorKind.USER, "u")


LEASE_SECONDS = 3600.0


class Database:
    """One database with two nodes, `a` and `b`; `process` makes more of either."""

    def __init__(self, journal: Any, process: Any, inbox: Any, inbox_of_b: Any, records: Any, feed: Any) -> None:
        self.journal = journal
        self.process = process
        self.ownership = process("a", "first of a")
        self.other = process("b", "first of b")
        self.inbox = inbox
        self.inbox_of_b = inbox_of_b
        self.records = records
        self.feed = feed


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def db(request: pytest.FixtureRequest, pool: Pool) -> AsyncIterator[Database]:
    if request.param == "memory":
        memory = MemoryDatabase()
        made = Database(
            MemoryJournal(memory),
            partial(MemoryOwnership, memory),
            MemoryInbox(memory, "a"),
            MemoryInbox(memory, "b"),
            MemoryRecords(memory),
            MemoryFeed(memory),
        )
    else:
        made = Database(
            PostgresJournal(pool),
            partial(PostgresOwnership, pool),
            PostgresInbox(pool, "a"),
            PostgresInbox(pool, "b"),
            PostgresRecords(pool),
            await PostgresFeed.open(pool),
        )
    await made.ownership.enter(LEASE_SECONDS, 0)
    await made.other.enter(LEASE_SECONDS, 0)
    yield made


def append_of(story: Story, claim: Claim, **more: Any) -> Append:
    """All of a story's events so far as one append."""
    return Append(
        meeting_id=M,
        epoch=claim.epoch,
        expected_seq=claim.state.seq,
        state=story.meeting,
        wake_at_ms=next_wakeup(story.meeting),
        events=tuple(story.log[claim.state.seq :]),
        recordings=tuple(story.settled.values()),
        **more,
    )
