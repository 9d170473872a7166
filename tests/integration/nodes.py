"""Nodes on a real database."""

from clients.postgres.ownership import PostgresOwnership
from clients.postgres.pool import Pool

LEASE_SECONDS = 3600.0


async def standing(pool: Pool, node: str = "n", process: str = "i") -> PostgresOwnership:
    """The ownership of a process that has taken the node's name."""
    ownership = PostgresOwnership(pool, node, process)
    await ownership.enter(LEASE_SECONDS, await ownership.holder())
    return ownership
