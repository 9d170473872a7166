"""A real server as a process of its own, as a user would run it, and a client that speaks to it."""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from server.auth import mint_token
from tests.acceptance.encoded import give_tone
from tests.acceptance.forked import fork
from tests.waiting import eventually

PATIENCE_SECONDS = 60.0
"""For a start or an end on a loaded machine; a test that holds a server to less says so."""
SECRET = "a-secret-of-the-acceptance-tests-which-is-long-enough"
URL = re.compile(r"Tapedeck\s+(http://\S+)")


class Process(Protocol):
    """What is needed of one: asyncio's own, or one that another process has forked."""

    pid: int
    returncode: int | None

    def kill(self) -> None: ...

    def send_signal(self, signal: int) -> None: ...

    async def wait(self) -> int: ...


class RunningServer:
    """One data directory; the server on it may be killed and started again."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self._environment = environment
        self._process: Process | None = None
        self.url = ""
        self.log = data_dir.with_suffix(".log")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, **environment: str) -> "RunningServer":
        """Run it until it says that it listens. What is told here holds for this life only."""
        give_tone(self.data_dir / "simulator")
        position = self.log.stat().st_size if self.log.exists() else 0
        self._process = await self._spawn({**self.environment(), **environment})

        async def address() -> str | None:
            with self.log.open("rb") as log:
                log.seek(position)
                said = log.read().decode(errors="replace")
            assert self._process is not None
            assert self._process.returncode is None, said
            found = URL.search(said)
            return found[1] if found else None

        self.url = await eventually(address, PATIENCE_SECONDS) or ""
        return self

    async def _spawn(self, environment: dict[str, str]) -> Process:
        return await fork("server.cli:main", "serve", environment=environment, log=self.log)

    def environment(self) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("TAPEDECK", "AGORA", "AWS"))}
        return {
            **clean,
            "PORT": "0",
            "TAPEDECK_DATA_DIR": str(self.data_dir),
            "TAPEDECK_JWT_SECRET": SECRET,
            "TAPEDECK_STORAGE__MIN_FREE_BYTES": "0",
            **self._environment,
        }

    async def kill(self) -> None:
        """SIGKILL: nothing of it gets to say goodbye."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def ended(self, seconds: float) -> int:
        """Wait for its end, and the exit code."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """SIGTERM, and the exit code; 0 also where it was never started."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.ended(seconds)


class CommandServer(RunningServer):
    """Started by its command, for tests of how a process begins and ends; others are forked, which takes no time."""

    async def _spawn(self, environment: dict[str, str]) -> Process:
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server",
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )  # fmt: skip


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder of its own that the user of Postgres may enter; pytest's are closed to it under root."""
    with tempfile.TemporaryDirectory(prefix="tapedeck-acceptance-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@asynccontextmanager
async def serving(**environment: str) -> AsyncIterator[RunningServer]:
    """A server on a data directory of its own; both end with the block."""
    with server_folder() as folder:
        running = await RunningServer(folder / "data", **environment).start()
        try:
            yield running
        finally:
            await running.stop()


class Client:
    """One caller with one token."""

    def __init__(self, http: aiohttp.ClientSession, server: RunningServer, token: str | None = None) -> None:
        self._http = http
        self._server = server
        self.token = token or token_for("host-1")

    async def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, Any]:
        """Status, JSON (None without one), headers."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        async with self._http.request(method, self._server.url + path, json=body, headers=sent) as response:
            text = await response.read()
            answer = await response.json(content_type=None) if "json" in response.content_type and text else None
            return response.status, answer, response.headers

    async def start(self, meeting: str, body: Any = None, **headers: str) -> Any:
        status, recording, _ = await self.call("POST", f"/api/v1/meetings/{meeting}/recording/start", body, headers)
        assert status == 201, recording
        return recording

    async def stop(self, meeting: str) -> Any:
        status, recording, _ = await self.call(
            "POST", f"/api/v1/meetings/{meeting}/recording/stop", headers={"Prefer": "wait=25"}
        )
        assert status == 200, recording
        return recording

    async def recording(self, recording_id: str) -> Any:
        status, recording, _ = await self.call("GET", f"/api/v1/recordings/{recording_id}")
        assert status == 200, recording
        return recording

    async def in_state(self, recording_id: str, state: str, within_seconds: float = 20.0) -> Any:
        """The recording, as soon as it is in that state."""

        async def look() -> Any:
            recording = await self.recording(recording_id)
            return recording if recording["state"] == state else None

        return await eventually(look, within_seconds)

    async def fetch(self, url: str, **headers: str) -> tuple[int, bytes]:
        """Any URL, without a token."""
        async with self._http.get(url, headers=headers) as response:
            return response.status, await response.read()


def token_for(sub: str, role: str = "HOST", meeting: str = "*", *, operator: bool = False, ttl: int = 3600) -> str:
    return mint_token(SECRET, sub=sub, meetings={meeting: role}, operator=operator, ttl_seconds=ttl)
