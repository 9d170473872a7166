"""What a connection is when it comes back to the pool, as the server sees it from another one."""

import asyncio

import asyncpg

from clients.postgres.pool import Pool


async def seen(database_url: str, pid: int) -> tuple[str, str]:
    """State and last statement of a session."""
    connection = await asyncpg.connect(database_url)
    try:
        row = await connection.fetchrow("SELECT state, query FROM pg_stat_activity WHERE pid = $1", pid)
    finally:
        await connection.close()
    return row["state"], row["query"]


async def test_a_query_costs_one_round_trip(database_url: str, pool: Pool) -> None:
    statement = "SELECT pg_backend_pid()"
    assert await seen(database_url, await pool.fetchval(statement)) == ("idle", statement)


async def test_a_transaction_that_was_left_open_ends_with_the_loan(database_url: str, pool: Pool) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    connection = await pool.acquire()
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    await connection.execute("BEGIN")
    await pool.release(connection)
    assert await seen(database_url, pid) == ("idle", "ROLLBACK")
    assert len(told) == 1
