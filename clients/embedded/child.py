"""A server as a child process: started quietly, dies with us, and is started again when it dies alone."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from clients.ending import end

log = structlog.get_logger(__name__)

PR_SET_PDEATHSIG = 1
RESTART_PAUSE_SECONDS = 0.5
STOP_SECONDS = 5.0
OUTPUT_LINES = 20


class EngineFailed(OSError):
    """An embedded server did not come up; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to start it. `user` (uid, gid) is None to run as the caller does."""

    arguments: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None

    async def spawn(self, dies_by: signal.Signals | None = None, **options: Any) -> asyncio.subprocess.Process:
        """Start it; with `dies_by` the kernel sends it that signal when this process dies. Not all loops know `user=`."""
        return await asyncio.create_subprocess_exec(
            *self.arguments,
            env={**os.environ, **self.env},
            stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=_preparation(self.user, dies_by),
            **options,
        )


class Child:
    """Keeps one server running until `stop`. `ready` raises or returns False until it answers."""

    def __init__(
        self,
        name: str,
        command: Callable[[], Command],
        ready: Callable[[], Awaitable[bool]],
        log_file: Path,
        on_restart: Callable[[str], None],
        stop_signal: signal.Signals,
    ) -> None:
        self._name = name
        self._command = command
        self._ready = ready
        self._log_file = log_file
        self._on_restart = on_restart
        self._stop_signal = stop_signal
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self, seconds: float) -> None:
        """Start it and wait until it answers. Raises EngineFailed."""
        await self._spawn()
        await self._await_ready(seconds)
        self._watcher = asyncio.create_task(self._watch(seconds), name=f"watch {self._name}")

    async def stop(self) -> None:
        """Stop it, kindly for a few seconds."""
        if self._watcher is not None:
            await end(self._watcher)
        await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(self._stop_signal)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        command = self._command()
        # A session of its own: Ctrl-C is ours to handle, or the database would stop before the drain.
        with self._log_file.open("ab") as output:
            self._process = await command.spawn(self._stop_signal, stdout=output, stderr=output, start_new_session=True)

    async def _await_ready(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            if self._process is not None and self._process.returncode is not None:
                break
            if await self._answers():
                return
            await asyncio.sleep(0.02)
        await self._end()
        raise EngineFailed(f"{self._name} did not start: {self._last_words()}")

    async def _answers(self) -> bool:
        try:
            return await self._ready()
        except Exception:  # whatever a server that is coming up makes of a connection
            return False

    async def _watch(self, seconds: float) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            log.error("engine.died", engine=self._name, code=code)
            self._on_restart(self._name)
            while not await self._restarted(seconds):
                pass

    async def _restarted(self, seconds: float) -> bool:
        await asyncio.sleep(RESTART_PAUSE_SECONDS)
        try:
            await self._spawn()
            await self._await_ready(seconds)
        except OSError as error:
            log.warning("engine.restart_failed", engine=self._name, error=str(error))
            return False
        log.info("engine.restarted", engine=self._name)
        return True

    def _last_words(self) -> str:
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-OUTPUT_LINES:]
        return " | ".join(lines) or "it said nothing"


def _preparation(user: tuple[int, int] | None, dies_by: signal.Signals | None) -> Callable[[], None]:
    """What the child does before it becomes the program: change its user, and arrange to die with us.

    The kernel signals the child when its parent dies, also by SIGKILL (Linux; elsewhere there is no such way). It forgets
    that when the user changes, so the user comes first.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform.startswith("linux") and dies_by is not None else None

    def prepare() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, dies_by)
            if os.getppid() != parent:  # it died before the call above
                os._exit(1)

    return prepare
