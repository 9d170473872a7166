"""The README's tour, pasted."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.running import RunningServer

ROOT = Path(__file__).parent.parent.parent
TOUR = re.compile(r"<!-- tour -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_tour_works_when_pasted(server: RunningServer, tmp_path: Path) -> None:
    block = TOUR.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert block is not None
    script = block[1]
    assert script.count("# ") == 5
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    environment = {**os.environ, **server.environment(), "URL": server.url}
    ran = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-e", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert '"state":"active"' in lines[1]
    assert '"state":"completed"' in lines[2]
    assert '"completeness":"complete"' in lines[2]
    assert '"total":1' in lines[3]
    assert '"kind":"mp4"' in lines[4]
    assert (tmp_path / "standup.mp4").stat().st_size > 1000


def test_the_readme_opens_with_the_two_commands_that_the_makefile_has() -> None:
    readme, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    for command in ("run", "test"):
        assert f"make {command}" in readme.split("##")[0]
        assert f"\n{command}:" in makefile
