"""The database in memory and Postgres, behind the ports of the core."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
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


@dataclass
class Database:
    journal: Any
    ownership: Any
    other: Any
    inbox: Any
    records: Any
    feed: Any


@pytest_asyncio.fixture(params=["memory", "postgres"])
async def db(request: pytest.FixtureRequest, pool: Pool) -> AsyncIterator[Database]:
    if request.param == "memory":
        memory = MemoryDatabase()
        yield Database(
            MemoryJournal(memory),
            MemoryOwnership(memory, "a"),
            MemoryOwnership(memory, "b"),
            MemoryInbox(memory),
            MemoryRecords(memory),
            MemoryFeed(memory),
        )
    else:
        yield Database(
            PostgresJournal(pool),
            PostgresOwnership(pool, "node-a", "a"),
            PostgresOwnership(pool, "node-b", "b"),
            PostgresInbox(pool),
            PostgresRecords(pool),
            await PostgresFeed.open(pool),
        )


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
