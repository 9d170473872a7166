"""A server as a child process: started quietly, dies with us, and is started again when it dies alone."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PR_SET_PDEATHSIG = 1
RESTART_PAUSE_SECONDS = 0.5
STOP_SECONDS = 5.0
OUTPUT_LINES = 20


class EngineFailed(OSError):
    """An embedded server did not come up; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Command:
    """How to start it. `user` is None to run as the caller does."""

    arguments: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    group: str | None = None


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
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
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
            self._process = await asyncio.create_subprocess_exec(
                *command.arguments,
                env={**os.environ, **command.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid(), self._stop_signal),
                user=command.user,
                group=command.group,
                extra_groups=[] if command.user is not None else None,
            )

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
            await asyncio.sleep(RESTART_PAUSE_SECONDS)
            try:
                await self._spawn()
                await self._await_ready(seconds)
                log.info("engine.restarted", engine=self._name)
            except OSError as error:
                log.warning("engine.restart_failed", engine=self._name, error=str(error))

    def _last_words(self) -> str:
        lines = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-OUTPUT_LINES:]
        return " | ".join(lines) or "it said nothing"


def _die_with(parent: int, stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Have the kernel signal the child when its parent dies, also by SIGKILL (Linux; elsewhere there is no such way)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return arrange
