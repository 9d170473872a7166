"""Lists among many recordings: each filter has its index, and is planned by its value."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from actors.domain.codec import encode
from actors.domain.ids import MeetingId
from actors.domain.model import Completeness, Phase, State, Status
from actors.reading import ListQuery
from clients.postgres.pool import Pool, create_pool
from clients.postgres.queries import sql
from clients.postgres.records import PostgresRecords
from tests.unit.domain.story import BEGIN_MS, in_phase

ROWS = 10_000
FILL = """
INSERT INTO recordings (meeting_id, recording_id, live, state, status, created_at, data)
SELECT 'm-' || n % 1000, lpad(n::text, 36, '0'), false, w.state, CASE w.state WHEN 'aborted' THEN 'failed' ELSE w.status END,
       to_timestamp(($1::bigint + n) / 1000.0),
       $2::jsonb || jsonb_build_object('updated_at_ms', $1::bigint + n, 'deadline_at_ms', $1::bigint + n,
           'completeness', CASE WHEN n % 2000 = 7 THEN 'partial' ELSE 'complete' END,
           'spec', ($2::jsonb -> 'spec') || jsonb_build_object('external_id', 'x-' || n))
FROM generate_series(1, $3::int) n,
     LATERAL (SELECT CASE n % 2000 WHEN 8 THEN 'aborted' WHEN 9 THEN 'processing' ELSE 'completed' END AS state,
                     CASE n % 2000 WHEN 9 THEN 'processing' ELSE 'completed' END AS status) w
"""


@pytest_asyncio.fixture
async def filled(pool: Pool) -> AsyncIterator[Pool]:
    """A few rows are of each rare kind, all others alike."""
    await pool.execute(FILL, BEGIN_MS, encode(in_phase(Phase.COMPLETED).last), ROWS)
    await pool.execute("VACUUM ANALYZE recordings")
    yield pool


async def plans_of(pool: Pool, **filters: Any) -> tuple[str, str]:
    """How a page and its total are read."""
    asked: dict[str, str] = {}

    class Explaining:
        """A connection that explains what it is asked, and finds nothing."""

        def __init__(self, connection: Any) -> None:
            self.transaction, self.execute = connection.transaction, connection.execute
            self._connection = connection

        async def fetch(self, statement: str, *values: Any) -> list[Any]:
            asked["page"] = await self._explain(statement, values)
            return []

        async def fetchval(self, statement: str, *values: Any) -> int:
            asked["total"] = await self._explain(statement, values)
            return 0

        async def _explain(self, statement: str, values: tuple[Any, ...]) -> str:
            rows = await self._connection.fetch(f"EXPLAIN {statement.partition(chr(10))[2]}", *values)
            return "\n".join(row[0] for row in rows)

    class Explained:
        """A pool of such connections."""

        async def acquire(self, **_: Any) -> Explaining:
            self.taken = await pool.acquire()
            return Explaining(self.taken)

        async def release(self, _: Explaining) -> None:
            await pool.release(self.taken)

    await PostgresRecords(Explained()).page(ListQuery(**filters))  # type: ignore[arg-type]
    return asked["page"], asked["total"]


async def test_every_filter_is_found_by_its_index(filled: Pool) -> None:
    last = BEGIN_MS + ROWS
    for filters, index in (
        ({}, "recordings_newest"),
        ({"meeting_id": MeetingId("m-7")}, "recordings_of_meeting"),
        ({"external_id": "x-77"}, "recordings_external"),
        ({"states": (State.ABORTED,)}, "recordings_states"),
        ({"statuses": (Status.FAILED,)}, "recordings_states"),
        ({"completeness": Completeness.PARTIAL}, "recordings_completeness"),
        ({"updated_since_ms": last - 9}, "recordings_updated"),
        ({"overdue_at_ms": last}, "recordings_unsettled"),
        ({"created_before_ms": BEGIN_MS + 9}, "recordings_"),
    ):
        page, total = await plans_of(filled, **filters)
        assert index in page, (filters, page)
        assert not filters or "Seq Scan" not in page + total, (filters, total)


async def test_a_plan_is_made_for_the_values_that_are_asked_for(database_url: str, filled: Pool) -> None:
    single = await create_pool(database_url, 1, 10)
    records = PostgresRecords(single)
    for _ in range(8):  # which would make the plan for any values look cheap
        await records.page(ListQuery(offset=ROWS - 10))
    (found,) = (await records.page(ListQuery(external_id="x-77"))).items
    assert found.spec.external_id == "x-77"
    plans = await single.fetch(
        "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = ANY($1)",
        [sql("page"), sql("page_total")],
    )
    assert [tuple(row) for row in plans] == [(9, 0), (9, 0)]
    await single.close()
