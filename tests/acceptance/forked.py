"""Processes that another one has forked which had loaded everything before (`mother.py`): thousands of starts would be long."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent


class Forked:
    """A process that its parent tells of, like asyncio's own."""

    def __init__(self, pid: int, parent: asyncio.StreamReader, connection: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = asyncio.create_task(self._listen(parent, connection))

    async def _listen(self, parent: asyncio.StreamReader, connection: asyncio.StreamWriter) -> int:
        self.returncode = int(await parent.readline())
        connection.close()
        return self.returncode

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    async def wait(self) -> int:
        return await asyncio.shield(self._end)


async def fork(entry: str, *arguments: str, environment: Mapping[str, str], log: Path) -> Forked:
    """A new process that calls `entry` ("module:function") with the arguments, and writes to the log."""
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(_mother().requests, [b"."], [theirs.fileno()])
    reader, writer = await asyncio.open_connection(sock=ours)
    life = {"entry": entry, "arguments": arguments, "environment": dict(environment), "log": str(log)}
    writer.write(json.dumps(life).encode() + b"\n")
    return Forked(int(await reader.readline()), reader, writer)


class Mother(NamedTuple):
    """It ends when nobody can ask it any more."""

    requests: socket.socket
    process: "subprocess.Popen[bytes]"


@cache
def _mother() -> Mother:
    """The one of this process."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "tests.acceptance.mother"]
        return Mother(ours, subprocess.Popen(command, stdin=theirs, cwd=ROOT))
