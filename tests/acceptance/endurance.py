"""A long run of the real server: `python -m tests.acceptance.endurance --seconds 60 --seed 1`.

Users start and stop in several meetings while faults come and go and the server, and now and then the simulator, is killed.
At the end the faults stop, everything is told to stop, and what is left is compared (`truth.py`). The seed repeats what is
done, not when it falls: this is a real server on a real clock.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp

from clients.agora.simulator.faults import NAMES
from tests.acceptance.insistence import insist
from tests.acceptance.pair import Pair, paired
from tests.acceptance.telling import story
from tests.acceptance.truth import Complaint, complaints

MEETINGS = 6
FAULTS_MAX = 5
WEATHER_SECONDS = (0.5, 6.0)
LIFE_SECONDS = (2.0, 20.0)
TAKE_SECONDS = (0.0, 12.0)
PAUSE_SECONDS = (0.0, 4.0)
SIMULATOR_SHARE = 0.15
"""Of the kills, those that hit the simulator."""
QUIET_SECONDS = 400.0
SOON = {
    "TAPEDECK_RECORDING__STARTING_DEADLINE_SECONDS": "60",
    "TAPEDECK_RECORDING__STOPPING_DEADLINE_SECONDS": "60",
    "TAPEDECK_RECORDING__PROCESSING_DEADLINE_SECONDS": "90",
    "TAPEDECK_RECORDING__BACKUP_DEADLINE_SECONDS": "120",
    "TAPEDECK_RECORDING__FAILOVER_WINDOW_SECONDS": "25",
    "TAPEDECK_RECORDING__RESOURCE_LIFETIME_SECONDS": "60",
    "TAPEDECK_RECORDING__EVICTION_MARGIN_SECONDS": "35",
    "TAPEDECK_RECORDING__VERIFY_INTERVAL_SECONDS": "5",
    "TAPEDECK_RECORDING__MISS_DELAYS_SECONDS": "[2, 5]",
    "TAPEDECK_RECORDING__SID_WAIT_SECONDS": "15",
    "TAPEDECK_RECORDING__CONFIRM_LIMIT_SECONDS": "15",
    "TAPEDECK_RECORDING__EVICTION_SETTLE_SECONDS": "4",
    "TAPEDECK_RECORDING__EVICTION_WATCH_SECONDS": "60",
    "TAPEDECK_RECORDING__EVICTION_BAN_PAUSE_SECONDS": "4",
    "TAPEDECK_RECORDING__EVICTION_BAN_DELAYS_SECONDS": "[1, 3]",
    "TAPEDECK_RECORDING__LOOK_INTERVAL_SECONDS": "5",
    "TAPEDECK_RECORDING__LOOKS_SPAN_SECONDS": "15",
    "TAPEDECK_RECORDING__MEMBERS_LAG_SECONDS": "10",
    "TAPEDECK_RECORDING__ROOM_INTERVAL_SECONDS": "10",
    "TAPEDECK_RECORDING__RESTART_DELAYS_SECONDS": "[0.5, 2]",
    "TAPEDECK_PROOF__BACKUP_INTERVAL_SECONDS": "5",
}
"""Deadlines that a run can wait for, and that still hold the longest moves and delays of the simulator."""


class Run:
    """One run. `log` keeps what was done, `promised` what users were told of: the id, by the external id of the start."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self.pair = pair
        self.rng = random.Random(seed)
        self.log: list[str] = []
        self.promised: dict[str, str] = {}
        self._began = time.monotonic()
        self._number = 0

    def note(self, what: str) -> None:
        self.log.append(f"{time.monotonic() - self._began:7.2f} {what}")

    async def go(self, seconds: float) -> list[Complaint]:
        """Everything at once for so long, then rest, then the truth."""
        works = [self._weather(), self._reaper(), *(self._user(number) for number in range(MEETINGS))]
        tasks = [asyncio.create_task(work) for work in works]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        await self._rest()
        return [*complaints(await self.pair.account()), *await self._broken_promises()]

    async def _weather(self) -> None:
        """Other faults every few seconds; mostly some, sometimes none."""
        while True:
            names = self.rng.sample(NAMES, self.rng.randint(0, FAULTS_MAX))
            rates = {name: round(self.rng.choice([0.1, 0.3, 0.6, 1.0]), 1) for name in names}
            with suppress(aiohttp.ClientError, OSError):  # the simulator may be dead just now
                await self.pair.put_faults(rates)
                self.note(f"faults {rates}")
            await asyncio.sleep(self.rng.uniform(*WEATHER_SECONDS))

    async def _reaper(self) -> None:
        """Whoever it kills is started again, after a while or at once."""
        while True:
            await asyncio.sleep(self.rng.uniform(*LIFE_SECONDS))
            victim = self.pair.simulator if self.rng.random() < SIMULATOR_SHARE else self.pair.server
            self.note(f"kill {type(victim).__name__}")
            await victim.kill()
            await asyncio.sleep(self.rng.choice([0.0, 0.0, 1.0, 5.0]))
            await victim.start()
            self.note(f"{type(victim).__name__} is back")

    async def _user(self, number: int) -> None:
        """Someone who records over and over in one meeting. Two of them share the last one."""
        meeting = f"long-{min(number, MEETINGS - 2)}"
        while True:
            await self._start(meeting)
            await asyncio.sleep(self.rng.uniform(*TAKE_SECONDS))
            await self._stop(meeting)
            await asyncio.sleep(self.rng.uniform(*PAUSE_SECONDS))

    async def _start(self, meeting: str) -> None:
        self._number += 1
        external = f"start-{self._number}"
        body = {"externalId": external, "outputs": self.rng.choice([["hls"], ["hls", "mp4"]])}
        key, wait = {"Idempotency-Key": external}, {"Prefer": f"wait={self.rng.choice([0, 3, 25])}"}
        path = f"/api/v1/meetings/{meeting}/recording/start"
        status, answer = await insist(self.pair.host, "POST", path, body, **key, **wait)
        self.note(f"{meeting} start {external}: {status}")
        if status in (201, 202):
            self.promised[external] = answer["id"]
        assert status in (201, 202, 409, 502), answer

    async def _stop(self, meeting: str) -> None:
        path = self.rng.choice([f"/api/v1/meetings/{meeting}/recording/stop", f"/api/v1/meetings/{meeting}/recording"])
        if path.endswith("stop"):
            status, answer = await insist(self.pair.host, "POST", path, Prefer=f"wait={self.rng.choice([0, 3, 25])}")
            assert status in (200, 202, 409), answer
        else:
            body = {"subscribe": {"audio": [str(self.rng.randint(1, 99))]}}
            status, answer = await insist(self.pair.host, "PATCH", path, body, Prefer="wait=0")
            assert status in (200, 202, 409), answer
        self.note(f"{meeting} {path.rpartition('/')[2]}: {status}")

    async def _rest(self) -> None:
        """Good weather, everybody alive, everything stopped; then wait until all is over."""
        for one in (self.pair.simulator, self.pair.server):
            if not one.lives:
                await one.start()
        await self.pair.put_faults({})
        self.note("rest")
        for number in range(MEETINGS - 1):
            status, answer = await insist(self.pair.host, "POST", f"/api/v1/meetings/long-{number}/recording/stop")
            assert status in (200, 202, 409), answer
        with suppress(AssertionError):  # what is left will be complained of
            await self.pair.quiet(QUIET_SECONDS)
        self.note("quiet")

    async def _broken_promises(self) -> list[Complaint]:
        known: Mapping[str, Any] = {each["externalId"]: each for each in await self.pair.recordings()}
        return [
            Complaint(f"start {external} was answered with {recording_id}, and it is not there", recording_id)
            for external, recording_id in self.promised.items()
            if external not in known or known[external]["id"] != recording_id
        ]


async def endure(seconds: float, seed: int, settings: Mapping[str, str]) -> str:
    """The story of what went wrong, or nothing."""
    limits = aiohttp.TCPConnector(force_close=True)  # a kept connection to a dead server tells nothing
    async with (
        aiohttp.ClientSession(connector=limits) as http,
        paired(http, "--seed", str(seed), "--slice-seconds", "3", environment=settings) as pair,
    ):
        await pair.server.start()
        run = Run(pair, seed)
        found = await run.go(seconds)
        print(_summary(await pair.recordings(), await pair.sessions()), file=sys.stderr)
        return await story(pair, found, run.log) if found else ""


def _summary(recordings: list[dict[str, Any]], sessions: list[dict[str, Any]]) -> str:
    states = [f"{each['state']}/{each['completeness']}" for each in recordings]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    return f"{len(recordings)} recordings ({counts}), {len(sessions)} sessions"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defaults", action="store_true", help="the settings of config.toml, with its long deadlines")
    given = parser.parse_args()
    said = asyncio.run(endure(given.seconds, given.seed, {} if given.defaults else SOON))
    print(said or "everything holds")
    sys.exit(1 if said else 0)


if __name__ == "__main__":
    main()
