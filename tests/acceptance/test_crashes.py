"""The real server, killed with SIGKILL before and after each port call of a start and a stop (issue: crashes for real)."""

import asyncio
import signal
from typing import Any

import aiohttp
import pytest

from tests.acceptance.crashing import MEETING, POINT, POINTS, CrashingServer
from tests.acceptance.insistence import PAUSE_SECONDS, WAIT_SECONDS, insist, insist_on_state
from tests.acceptance.pair import Pair, paired
from tests.acceptance.truth import Account, complaints, folder_of
from tests.waiting import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]
SOON = {
    "TAPEDECK_RECORDING__ACQUIRE_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__START_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__STOP_RETRY_DELAYS_SECONDS": "[0.5]",
    "TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS": "[0.4]",
    "TAPEDECK_RECORDING__VERIFY_INTERVAL_SECONDS": "0.5",
    "TAPEDECK_RECORDING__MISS_DELAYS_SECONDS": "[1]",
    "TAPEDECK_RECORDING__FAILOVER_WINDOW_SECONDS": "5",
    "TAPEDECK_RECONCILER__INBOX_AGE_SECONDS": "1",
}
LANES = 2
REACHED_SECONDS = 20.0
END_SECONDS = 60.0


async def test_a_kill_at_any_point_of_a_start_and_a_stop_costs_nothing(http: aiohttp.ClientSession) -> None:
    shares = [POINTS[lane::LANES] for lane in range(LANES)]
    async with asyncio.TaskGroup() as lanes:
        tasks = [lanes.create_task(_lane(http, share)) for share in shares]
    assert {point: what for task in tasks for point, what in task.result().items() if what} == {}


async def _lane(http: aiohttp.ClientSession, points: list[str]) -> dict[str, list[str]]:
    """One server after the other on the same data, each dying at its point; at the end one that lives. By point what is wrong."""
    async with paired(http, "--slice-seconds", "1", serve=CrashingServer, environment=SOON) as pair:
        async with asyncio.TaskGroup() as users:
            lives = [await _life(pair, users, f"crash-{number}", point) for number, point in enumerate(points)]
            await pair.server.start()
        ended = [life.result() for life in lives]
        await pair.quiet(END_SECONDS)
        await eventually(lambda: _all_sealed(pair, ended), END_SECONDS)
        account = await pair.account()
        wrong = complaints(account)
    assert [each for each in wrong if each.cname is None] == []
    return {
        point: [*_judged(account, recording), *(each.what for each in wrong if each.cname == f"crash-{number}")]
        for number, (point, recording) in enumerate(zip(points, ended, strict=True))
    }


async def _life(pair: Pair, users: asyncio.TaskGroup, meeting: str, point: str) -> "asyncio.Task[Any]":
    """From a start until its own death at the point. The user's task goes on in the next lives."""
    await pair.server.start(**{MEETING: meeting, POINT: point})
    user = users.create_task(_record(pair, meeting))
    try:
        code = await pair.server.ended(REACHED_SECONDS)
    except TimeoutError:
        raise AssertionError(f"never came to this point: {point}") from None
    assert code == -signal.SIGKILL, (point, code)
    return user


async def _record(pair: Pair, meeting: str) -> Any:
    """Start, let it record, stop, wait for the end: whoever answers, and how often it takes."""
    path = f"/api/v1/meetings/{meeting}/recording"
    status, started = await insist(pair.host, "POST", f"{path}/start", **{"Idempotency-Key": f"{meeting}-start"})
    assert status in (201, 202), started
    await insist_on_state(pair.host, started["id"], "active", "failed", "aborted")

    await eventually(lambda: _known_to_record(pair, meeting), WAIT_SECONDS)
    status, stopped = await insist(pair.host, "POST", f"{path}/stop", **{"Idempotency-Key": f"{meeting}-stop"})
    assert status in (200, 202), stopped
    return await insist_on_state(pair.host, started["id"], "completed", "failed", "aborted")


async def _all_sealed(pair: Pair, recordings: list[Any]) -> bool:
    """Whether each has its manifest."""
    return all((folder_of(each, pair.simulator.storage) / "manifest.json").is_file() for each in recordings)


async def _known_to_record(pair: Pair, meeting: str) -> bool:
    """Whether there is a slice, and a query has been answered: then every call but the stop has had its turn."""
    await asyncio.sleep(PAUSE_SECONDS)
    sids = [each["sid"] for each in await pair.sessions(meeting) if each["files"]]
    answered = [each["path"] for each in await pair.requests() if each["call"] == "query" and each["status"] == 200]
    return any(sid in path for sid in sids for path in answered)


def _judged(account: Account, recording: Any) -> list[str]:
    """One session, and all of it is there."""
    sessions = [each for each in account.sessions if each["cname"] == recording["channelName"]]
    rows = [each for each in account.recordings if each["channelName"] == recording["channelName"]]
    found = [] if len(sessions) == 1 else [f"{len(sessions)} sessions"]
    found += [] if len(rows) == 1 else [f"{len(rows)} recordings"]
    if (recording["state"], recording["completeness"]) != ("completed", "complete"):
        found.append(f"{recording['state']}, {recording['completeness']}: {recording['gaps']} {recording['error']}")
    return found
