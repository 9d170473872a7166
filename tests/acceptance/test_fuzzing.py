"""schemathesis reads the document and asks a real server for thousands of things, some allowed, most not.

Left out:
- the two event streams: an answer that has no end tells schemathesis nothing. `test_streams.py` holds them;
- the check `use_after_free`: a deleted recording stays as a tombstone, with its history (api.md 1);
- the check `positive_data_acceptance`: `fuzzing.valid_data_is_taken` is the same, but for what no schema can foresee.
"""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.running import RunningServer, serving, token_for
from tests.acceptance.scraped import scrape

SECONDS_MAX = 300.0
EXAMPLES_MAX = 15
SECRETS = {"AGORA_WEBHOOK_SECRET": "known"}
SERVER = {
    **SECRETS,
    # It has hundreds of recordings at once, and nobody to wait for.
    "TAPEDECK_SIMULATOR__MAX_RECORDERS": "100000",
    "TAPEDECK_SIMULATOR__REQUESTS_PER_SECOND": "1000",
    "TAPEDECK_AGORA__REQUESTS_PER_SECOND": "100",
    "TAPEDECK_HTTP__WAIT_SECONDS_MAX": "0.2",
    "TAPEDECK_ATTACH__SILENCE_SECONDS_MAX": "1",  # of URLs that lead nowhere
    "TAPEDECK_HTTP__START_WAIT_SECONDS": "0.2",
    "TAPEDECK_HTTP__STOP_WAIT_SECONDS": "0.2",
}
OPTIONS = [
    *("--exclude-tag", "Streams"),
    *("--checks", "all", "--exclude-checks", "use_after_free,positive_data_acceptance"),
    *("--generation-deterministic", "--max-examples", str(EXAMPLES_MAX)),
    *("--request-timeout", "60", "--suppress-health-check", "all", "--no-color"),
]


@pytest.mark.timeout(SECONDS_MAX + 60)
async def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    async with serving(**SERVER) as server:
        code, said = await run_schemathesis(server, tmp_path)
        assert code == 0, said
        assert "Stateful" in said
        await assert_it_went_deep(server)
        await server.stop()
        assert "http.failed" not in server.log.read_text(encoding="utf-8")


async def run_schemathesis(server: RunningServer, folder: Path) -> tuple[int, str]:
    """Its exit code and its words."""
    token = token_for("fuzzer", operator=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
        *("-H", f"Authorization: Bearer {token}", *OPTIONS),
        cwd=folder,
        env={**os.environ, **SECRETS, "PYTHONPATH": str(Path.cwd()), "SCHEMATHESIS_HOOKS": "tests.acceptance.fuzzing"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(SECONDS_MAX):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def assert_it_went_deep(server: RunningServer) -> None:
    """It did not only knock at doors: recordings were made and ended, and notifications taken."""
    async with aiohttp.ClientSession() as http:
        answered = (await scrape(http, server)).by("http_requests_total", "method", "route", "status")
    done = {f"{method} {route}" for method, route, status in answered if status.startswith("2")}
    meeting, one = "/api/v1/meetings/{meetingId}", "/api/v1/recordings/{id}"
    assert done >= {
        *(f"POST {meeting}/recording/start", f"POST {meeting}/end", f"POST {one}/stop"),
        *(f"GET {meeting}/recordings", f"GET {one}", f"GET {one}/history", "POST /api/v1/webhooks/agora"),
    }
