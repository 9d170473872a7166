"""A server that is forked by a process which has loaded everything before (`crashing.py`): hundreds of lives would be long."""

import asyncio
import json
import os
import signal
import sys

from tests.acceptance.running import Process, RunningServer

LAST_SECONDS = 10.0


class Child:
    """A `Process` that its mother tells of."""

    def __init__(self, pid: int, mother: asyncio.StreamReader) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = asyncio.create_task(self._listen(mother))

    async def _listen(self, mother: asyncio.StreamReader) -> int:
        self.returncode = int(await mother.readline())
        return self.returncode

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    async def wait(self) -> int:
        return await asyncio.shield(self._end)


class ForkedServer(RunningServer):
    """As any other, but for how it is born."""

    _mother: asyncio.subprocess.Process | None = None

    async def _spawn(self, environment: dict[str, str]) -> Process:
        if self._mother is None:
            self._mother = await self._load()
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(json.dumps(environment).encode() + b"\n")
        return Child(int(await self._mother.stdout.readline()), self._mother.stdout)

    async def _load(self) -> asyncio.subprocess.Process:
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.acceptance.crashing",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
            )  # fmt: skip

    async def stop(self, seconds: float = LAST_SECONDS) -> int:
        """The last life, and its mother's."""
        code = await super().stop(seconds)
        if self._mother is not None:
            assert self._mother.stdin is not None
            self._mother.stdin.close()
            await asyncio.wait_for(self._mother.wait(), seconds)
        return code
