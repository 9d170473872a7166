"""Every fault of the catalogue (api.md 7) alone, striking once: the recording ends right all the same."""

import asyncio
from contextlib import suppress

import aiohttp
import pytest

from clients.agora.simulator.faults import NAMES
from tests.acceptance.pair import paired
from tests.acceptance.striking import Struck, strike_all
from tests.acceptance.truth import Account, Complaint, complaints

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]

SOON = {
    "TAPEDECK_RECORDING__ACQUIRE_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__START_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__STOP_RETRY_DELAYS_SECONDS": "[0.5, 1, 2]",
    "TAPEDECK_RECORDING__UPDATE_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__VERIFY_INTERVAL_SECONDS": "1",
    "TAPEDECK_RECORDING__MISS_DELAYS_SECONDS": "[2]",
    "TAPEDECK_RECORDING__FAILOVER_WINDOW_SECONDS": "22",
    "TAPEDECK_RECORDING__BACKUP_DEADLINE_SECONDS": "65",
    "TAPEDECK_RECORDING__CONFIRM_LIMIT_SECONDS": "6",
    "TAPEDECK_RECORDING__EVICTION_SETTLE_SECONDS": "0.6",
    "TAPEDECK_RECORDING__EVICTION_BAN_PAUSE_SECONDS": "1",
    "TAPEDECK_RECORDING__EVICTION_BAN_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__RESTART_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_PROOF__BACKUP_INTERVAL_SECONDS": "2",
    "TAPEDECK_PROOF__SETTLE_SECONDS": "32",
    "TAPEDECK_AGORA__REQUESTS_PER_SECOND": "50",
}
"""As short as the delays of the faults allow."""
PER_SECOND = 60
OPTIONS = (
    "--requests-per-second",
    str(PER_SECOND),
    "--slice-seconds",
    "2",
    "--max-recorders",
    "200",
    "--seed",
    "3",
    "--rule-delay-seconds",
    "0.2",
)
LANES = (
    ("acquire", "start", "webhook", "stop"),
    ("query", "update", "updateLayout"),
    ("storage", "session"),
    ("rule",),
    ("users",),
)
"""Which faults share a server: such that what is left of one is not struck by the next."""
LOSING = ("storage.backup_forever", "storage.slice_missing", "storage.denied", "storage.mp4_missing")
"""Part of what was captured never comes."""
SECOND_SESSION = ("session.dies", "session.evicted", "session.never_active", "storage.denied")
"""A recorder is lost, and another takes its place."""


async def test_each_fault_alone_and_the_recording_ends_right(http: aiohttp.ClientSession) -> None:
    shares = [[name for call in lane for name in NAMES if name.startswith(f"{call}.")] for lane in LANES]
    assert sorted(name for share in shares for name in share) == sorted(NAMES)
    async with asyncio.TaskGroup() as lanes:
        tasks = [lanes.create_task(_lane(http, share)) for share in shares]
    assert {fault: what for task in tasks for fault, what in task.result().items() if what} == {}


async def _lane(http: aiohttp.ClientSession, faults: list[str]) -> dict[str, list[str]]:
    """By fault what is wrong."""
    async with paired(http, *OPTIONS, environment=SOON) as pair:
        await pair.server.start()
        struck = await strike_all(pair, faults)
        with suppress(AssertionError):  # what is left will be complained of
            await pair.quiet(10)
        account = await pair.account(PER_SECOND)
        wrong = complaints(account)
    of_nobody = [each.what for each in wrong if each.cname is None]
    return {one.fault: [*_judged(one, account, wrong), *of_nobody] for one in struck}


def _judged(one: Struck, account: Account, wrong: list[Complaint]) -> list[str]:
    found = [*one.wrong, *(each.what for each in wrong if each.cname == one.meeting)]
    sessions = [each for each in account.sessions if each["cname"] == one.meeting]
    evicted = one.fault.startswith(("rule.", "users.")) or one.fault in SECOND_SESSION
    if len(sessions) != 1 + evicted:
        found.append(f"{len(sessions)} sessions: {[each['exitReason'] for each in sessions]}")
    row = next(each for each in account.recordings if each["id"] == one.recording_id)
    if row["state"] != "completed" and one.fault not in LOSING:
        found.append(f"it is {row['state']}: {row['error']}")
    whole = one.fault not in LOSING and not evicted and one.fault != "session.failover"
    if row["completeness"] == "partial" and whole:
        found.append(f"it is partial: {row['gaps']}")
    if row["completeness"] == "complete" and one.fault in LOSING:
        found.append("it is complete, though something is missing")
    return found
