"""Migrations: on any address that the pool takes, by several servers at once, again and again, and on top of data."""

import asyncio
import sys

import pytest
from alembic.script import ScriptDirectory

from actors.domain.ids import MeetingId
from actors.domain.model import Completeness, Meeting
from actors.reading import ListQuery
from clients.postgres.feed import PostgresFeed
from clients.postgres.journal import PostgresJournal
from clients.postgres.migrate import LATEST, VERSIONS, MigrationFailed, upgrade
from clients.postgres.pool import Pool, create_pool
from clients.postgres.records import PostgresRecords
from tests.fakes.appends import next_append
from tests.integration.nodes import standing


async def emptied(pool: Pool) -> None:
    await pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


async def test_several_servers_may_migrate_at_once_and_again(database_url: str, pool: Pool) -> None:
    await emptied(pool)
    await asyncio.gather(*(asyncio.to_thread(upgrade, database_url) for _ in range(4)))
    await asyncio.to_thread(upgrade, database_url)
    assert await pool.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert await pool.fetchval("SELECT count(*) FROM identity") == 1


async def test_what_applies_revisions_is_loaded_only_if_one_is_missing(
    database_url: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ScriptDirectory(str(VERSIONS.parent)).get_heads() == [LATEST]
    monkeypatch.setitem(sys.modules, "clients.postgres.migrations.apply", None)
    await asyncio.to_thread(upgrade, database_url)
    await pool.execute("UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(ImportError):
        await asyncio.to_thread(upgrade, database_url)


@pytest.mark.parametrize("query", ["application_name=x", "sslmode=disable", "target_session_attrs=any"])
async def test_what_the_pool_takes_in_an_address_migrations_take_too(database_url: str, pool: Pool, query: str) -> None:
    await emptied(pool)
    await asyncio.to_thread(upgrade, f"{database_url}&{query}")
    other = await create_pool(f"{database_url}&{query}", 1, 5)
    assert await other.fetchval("SELECT count(*) FROM meetings") == 0
    await other.close()


async def test_migrating_again_keeps_the_journal_and_its_name(database_url: str, pool: Pool) -> None:
    claim = await (await standing(pool)).claim(MeetingId("m"))
    append = next_append(claim.state, claim.epoch)
    await PostgresJournal(pool).commit(append)
    identity = (await PostgresFeed.open(pool)).identity
    await asyncio.to_thread(upgrade, database_url)
    restarted = await create_pool(database_url, 2, 5)
    assert (await (await standing(restarted, "n", "j")).claim(MeetingId("m"))).state == append.state
    assert (await PostgresFeed.open(restarted)).identity == identity
    await restarted.close()


async def test_what_was_stored_before_there_were_filters_is_found_by_them(database_url: str, pool: Pool) -> None:
    await emptied(pool)
    await asyncio.to_thread(upgrade, database_url, "0002")
    await pool.execute("INSERT INTO meetings (meeting_id, epoch) VALUES ('m', 1)")  # nodes came later
    append = next_append(Meeting(meeting_id=MeetingId("m")), 1, marker="before")
    await PostgresJournal(pool).commit(append)
    await asyncio.to_thread(upgrade, database_url)
    restarted = await create_pool(database_url, 2, 5)
    (found,) = (await PostgresRecords(restarted).page(ListQuery(external_id="before"))).items
    assert (found,) == append.recordings
    assert found.deadline_at_ms is not None
    for query, count in (
        (ListQuery(updated_since_ms=found.updated_at_ms), 1),
        (ListQuery(updated_since_ms=found.updated_at_ms + 1), 0),
        (ListQuery(completeness=Completeness.UNKNOWN, overdue_at_ms=found.deadline_at_ms), 1),
        (ListQuery(completeness=Completeness.COMPLETE), 0),
    ):
        assert (await PostgresRecords(restarted).page(query)).total == count
    await restarted.close()


async def test_a_database_from_a_later_version_is_refused(database_url: str, pool: Pool) -> None:
    await pool.execute("UPDATE alembic_version SET version_num = 'from the future'")
    with pytest.raises(MigrationFailed, match="from the future"):
        await asyncio.to_thread(upgrade, database_url)


async def test_a_failed_migration_leaves_nothing_behind(database_url: str, pool: Pool) -> None:
    await emptied(pool)
    await pool.execute("CREATE TABLE inbox (in_the_way int)")
    with pytest.raises(MigrationFailed, match="inbox"):
        await asyncio.to_thread(upgrade, database_url)
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert [row["tablename"] for row in tables] == ["inbox"]


async def test_a_database_that_is_not_there_is_said_in_a_sentence(database_url: str, tmp_path: object) -> None:
    with pytest.raises(OSError, match="No such file"):
        await asyncio.to_thread(upgrade, f"postgresql://postgres@/x?host={tmp_path}")
    with pytest.raises(MigrationFailed, match='database "nowhere" does not exist'):
        await asyncio.to_thread(upgrade, f"postgresql://postgres@/nowhere?{database_url.partition('?')[2]}")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://user:hidden@127.0.0.1:1/d", "the database cannot be reached"),
        ("postgresql://user:hidden@127.0.0.1:seventy/d", "the database's address cannot be read"),
    ],
)
async def test_an_address_that_leads_nowhere_is_said_in_a_sentence(address: str, said: str) -> None:
    with pytest.raises(MigrationFailed, match=said) as raised:
        await asyncio.to_thread(upgrade, address)
    assert "hidden" not in str(raised.value)
