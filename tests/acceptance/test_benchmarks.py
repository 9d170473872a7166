"""The benchmarks run against today's code. What they measure is no test: so few repeats say nothing."""

import asyncio
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(320)
SHORT = {
    "broadcast": ["--subscribers", "20", "--messages", "5"],
    "memory": ["--subscribers", "20"],
    "recovery": ["--recordings", "5"],
    "start": ["--commands", "40"],
    "simulation": ["--seeds", "1"],
    "upload": ["--mebibytes", "32"],
    "signing": ["--urls", "20", "--slices", "20"],
    "sweep": ["--objects", "1500"],
}


@pytest.mark.parametrize("name", SHORT)
async def test_a_benchmark_prints_its_ratios(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--repeats", "1", *SHORT[name]]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert "Tapedeck" in ran.stdout
