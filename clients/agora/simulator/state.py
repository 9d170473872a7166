"""What survives the simulator's death: sessions, resources, channels, rules, notifications, requests; on disk before an answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

TABLES = ("sessions", "resources", "channels", "notices", "requests", "rules", "meta")


class State:
    """Small tables of JSON by key. A kill of the process loses nothing that was put."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "simulator.sqlite3"
        self._db = sqlite3.connect(file, isolation_level=None)
        file.chmod(0o600)  # a session's request holds the keys to its bucket
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        for table in TABLES:
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, value BLOB NOT NULL)")

    def put(self, table: str, key: str, value: Any) -> None:
        """Keep a JSON value."""
        self._db.execute(
            f"INSERT INTO {table} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",  # noqa: S608
            (key, orjson.dumps(value)),
        )

    def remove(self, table: str, key: str) -> None:
        self._db.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608

    def all(self, table: str) -> Iterator[tuple[str, Any]]:
        """Everything in a table, in the order in which it was first put."""
        for key, value in self._db.execute(f"SELECT key, value FROM {table} ORDER BY rowid"):  # noqa: S608
            yield key, orjson.loads(value)

    def newest(self, table: str, limit: int) -> list[Any]:
        """The values that were first put last, newest first."""
        rows = self._db.execute(f"SELECT value FROM {table} ORDER BY rowid DESC LIMIT ?", (limit,))  # noqa: S608
        return [orjson.loads(value) for (value,) in rows]

    def prune(self, table: str, keep: int) -> None:
        """Forget all but so many of the newest."""
        oldest = f"SELECT max(rowid) - ? FROM {table}"  # noqa: S608
        self._db.execute(f"DELETE FROM {table} WHERE rowid <= ({oldest})", (keep,))  # noqa: S608

    def get(self, table: str, key: str) -> Any:
        """A value, or None."""
        row = self._db.execute(f"SELECT value FROM {table} WHERE key = ?", (key,)).fetchone()  # noqa: S608
        return None if row is None else orjson.loads(row[0])

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is put inside is on disk as a whole or not at all. Nothing may be awaited inside."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
