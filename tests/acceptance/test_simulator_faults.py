"""Faults of the embedded simulator: counted in /metrics, switched while it runs, and known names only (api.md 7)."""

import asyncio
import json
import re
import sys
from pathlib import Path

import aiohttp
import pytest

from clients.agora.simulator.faults import NAMES
from tests.acceptance.conftest import Fresh
from tests.acceptance.running import Client, RunningServer
from tests.acceptance.test_simulator_elsewhere import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAMPLE = re.compile(r'^tapedeck_simulator_faults_total\{fault="([a-z0-9_.]+)"\} (\d+)', re.MULTILINE)


async def test_what_strikes_is_counted_in_both_places(fresh: Fresh, http: aiohttp.ClientSession) -> None:
    port = free_port()
    server = await fresh(
        TAPEDECK_SIMULATOR__PORT=str(port),
        TAPEDECK_SIMULATOR__FAULTS=json.dumps({"webhook.doubled": 1}),
        TAPEDECK_SIMULATOR__SEED="7",
    )
    host = Client(http, server)
    await host.in_state((await host.start("f-1"))["id"], "active", 15)
    control = f"http://127.0.0.1:{port}/_simulator"
    async with http.put(f"{control}/faults", json={"stop.code_65": 1}) as response:
        assert await response.json() == {"stop.code_65": 1}
    status, _, _ = await host.call("POST", "/api/v1/meetings/f-1/recording/stop", headers={"Prefer": "respond-async"})
    assert status == 202
    async with http.put(f"{control}/faults", json={}):
        pass
    assert (await host.stop("f-1"))["state"] == "completed"
    async with http.get(f"{control}/info") as response:
        info = await response.json()
    async with http.get(f"{server.url}/metrics") as response:
        counted = {name: int(count) for name, count in SAMPLE.findall(await response.text())}
    assert info["seed"] == 7
    assert info["fired"] == counted
    assert counted["webhook.doubled"] >= 1


async def test_an_unknown_fault_ends_the_start_with_all_names(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "data", TAPEDECK_SIMULATOR__FAULTS=json.dumps({"start.nonsense": 1}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", env=server.environment(), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    last = said.decode().strip().splitlines()[-1]
    assert "start.nonsense" in last
    assert all(name in last for name in NAMES)
