"""`docs/simulator.md`: its faults are the code's, and its example runs as it stands there."""

import asyncio
import re
import subprocess
from pathlib import Path

from clients.agora.simulator.faults import CALLS, KINDS, NAMES
from tests.integration.conftest import Begin

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def table(mark: str) -> list[str]:
    """The first column of a table."""
    found = re.search(rf"<!-- {mark} -->\n\|.*\n\|.*\n((?:\|.*\n)+)", PAGE)
    assert found is not None
    return re.findall(r"^\| `([^`]+)` \|", found[1], re.MULTILINE)


def test_every_fault_is_described() -> None:
    calls = re.search(r"`CALL` is one of\n((?:`\w+` ?)+)", PAGE)
    assert calls is not None
    assert re.findall(r"`(\w+)`", calls[1]) == list(CALLS)
    assert table("kinds") == list(KINDS)
    described = {*table("faults"), *(f"{call}.{kind}" for call in CALLS for kind in KINDS)}
    assert described == set(NAMES)
    assert len(table("faults")) + len(CALLS) * len(KINDS) == len(NAMES)


async def test_the_example_works_when_pasted(begin: Begin, tmp_path: Path) -> None:
    bench = await begin(leaving_seconds=20.0)
    block = re.search(r"<!-- run -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    url = str(bench.server.make_url("")).rstrip("/")
    ran = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-e", "-c", block[1]],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    query, users, _, _, _, stop, rule, rules, sessions = ran.stdout.splitlines()
    assert '"status": 5' in query
    assert '"broadcasters": [1001, 1002], "audience": [900000017]' in users
    assert '"code": 49' in stop
    assert '"status": "success"' in rule
    assert '"uid": 900000017' in rules
    assert '"exitReason": "stopped"' in sessions
