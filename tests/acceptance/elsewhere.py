"""`tapedeck simulate` as a process of its own: what a test starts, asks, and starts again."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.encoded import give_tone
from tests.acceptance.forked import Forked, fork
from tests.listening import free_port
from tests.waiting import eventually

SAY_SECONDS = 60.0


class Simulator:
    """One port and folder; the process on it may be stopped and started again, with other options."""

    def __init__(self, storage: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.storage = storage
        self._options = options
        self._process: Forked | None = None

    async def start(self, *options: str) -> "Simulator":
        """Run it until it says that it listens. With options these are taken instead of the first ones."""
        give_tone(self.storage / ".simulator")
        log = self.storage.with_suffix(".log")
        position = log.stat().st_size if log.exists() else 0
        self._process = await fork(
            "server.cli:main",
            "simulate",
            *("--storage", str(self.storage), "--port", str(self.port), *(options or self._options)),
            environment=os.environ,
            log=log,
        )

        async def said() -> bool:
            assert self.lives, "the simulator has ended"
            return b"Agora simulator on http://" in log.read_bytes()[position:]

        await eventually(said, SAY_SECONDS)
        return self

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """SIGKILL: its sessions run on without it."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, unless it has ended."""
        if self._process is not None and self.lives:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._process.wait(), SAY_SECONDS)

    async def __aenter__(self) -> "Simulator":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def environment(self, **more: str) -> dict[str, str]:
        """What a server needs to use it."""
        return {"AGORA_BASE_URL": self.url, "TAPEDECK_STORAGE__PATH": str(self.storage), **more}

    async def control(self, http: aiohttp.ClientSession, name: str) -> Any:
        """The answer of a control call (api.md 7)."""
        async with http.get(f"{self.url}/_simulator/{name}") as response:
            assert response.status == 200
            return await response.json()
