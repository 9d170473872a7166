"""After a kill: how long until all live recordings are owned and verified again, against what the query budget allows at best."""

import argparse
import asyncio
import time
from datetime import datetime
from typing import Any

import aiohttp

from benchmarks.measuring import table
from clients.postgres.budget import LOOKING_SHARE
from server.config import Config
from tests.acceptance.pair import Pair, paired
from tests.waiting import eventually

SETUP_PER_SECOND = 100
"""What is built up is not measured, so it need not wait for the provider's rate; afterwards that holds again."""
SETUP_SECONDS = 120.0
LOOK_SECONDS = 0.5


async def measure(recordings: int) -> float:
    """Seconds from the end of the start until the last recording was found alive."""
    room = str(recordings + 50)
    options = ("--requests-per-second", str(SETUP_PER_SECOND), "--max-recorders", room)
    environment = {"TAPEDECK_AGORA__RECORDERS_MAX": room}
    async with aiohttp.ClientSession() as http, paired(http, *options, environment=environment) as pair:
        await pair.server.start(TAPEDECK_AGORA__REQUESTS_PER_SECOND=str(SETUP_PER_SECOND))
        await _record(pair, recordings)
        await pair.server.kill()
        killed = time.time()
        await pair.server.start()
        ready = time.time()
        last = await _verified(pair, recordings, killed, 10 * floor(recordings) + SETUP_SECONDS)
        return last - ready


def floor(recordings: int) -> float:
    """Seconds that so many queries take within their share of the provider's rate."""
    return recordings / (Config().agora.requests_per_second * LOOKING_SHARE)


async def _record(pair: Pair, recordings: int) -> None:
    """So many meetings, each with an active recording."""
    for number in range(recordings):
        path = f"/api/v1/meetings/r-{number}/recording/start"
        status, answer, _ = await pair.host.call("POST", path, headers={"Prefer": "respond-async"})
        if status != 202:
            raise SystemExit(f"a start was refused: {answer}")

    async def active() -> bool:
        await asyncio.sleep(LOOK_SECONDS)
        _, page, _ = await pair.operator.call("GET", "/api/v1/recordings?state=active&limit=1")
        return bool(page["total"] == recordings)

    await eventually(active, SETUP_SECONDS)


async def _verified(pair: Pair, recordings: int, since: float, within_seconds: float) -> float:
    """When the last of them was asked for and found, by the simulator's own list of requests."""

    async def all_of_them() -> float | None:
        await asyncio.sleep(LOOK_SECONDS)
        found: dict[str, float] = {}
        for request in await pair.requests():
            at = _at(request)
            if request["call"] == "query" and request["status"] == 200 and at >= since:
                found.setdefault(request["path"], at)
        return max(found.values()) if len(found) == recordings else None

    last = await eventually(all_of_them, within_seconds)
    assert last is not None
    return last


def _at(request: dict[str, Any]) -> float:
    return datetime.fromisoformat(request["at"]).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    seconds = [asyncio.run(measure(given.recordings)) for _ in range(given.repeats)]
    at_best = floor(given.recordings)
    table(f"{given.recordings} recordings after a kill", "seconds", {"floor": [at_best], "Tapedeck": seconds}, "floor")
    print(f"\nTapedeck / floor: {sorted(seconds)[len(seconds) // 2] / at_best:.2f}, at most 1.2")


if __name__ == "__main__":
    main()
