"""A node that stands for ever: for tests that are not about leases."""

from actors.lease import Lease, LeaseSettings
from tests.fakes.memory import MemoryDatabase, MemoryOwnership

EVER = 1e9
FOR_EVER = LeaseSettings(renew_seconds=EVER, silent_seconds=EVER, let_go_seconds=EVER, lease_seconds=EVER)


def standing(database: MemoryDatabase, node: str = "node", process: str = "process") -> tuple[MemoryOwnership, Lease]:
    """Its ownership, which has entered, and its lease."""
    ownership = MemoryOwnership(database, node, process)
    ownership.take_name(EVER)
    return ownership, held_for_ever()


def held_for_ever() -> Lease:
    """A lease that nobody needs to renew."""
    lease = Lease(FOR_EVER)
    lease.renewed(0.0)
    return lease
