"""The data directory: one server at a time."""

import fcntl
import os
from pathlib import Path
from types import TracebackType


class DataDirLocked(OSError):
    """Another server works on this data directory."""


class DataDir:
    """Holds the directory for as long as the context lasts; the lock goes with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def __enter__(self) -> "DataDir":
        self.path.mkdir(parents=True, exist_ok=True)
        # Root's Postgres runs as another user, who must pass through; nobody else may even look.
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self._file = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            raise DataDirLocked(
                f"another server (process {holder or 'unknown'}) works on the data directory {self.path}:"
                " stop it, or set TAPEDECK_DATA_DIR to another directory"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
