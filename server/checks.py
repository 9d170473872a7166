"""One thing that is looked at: what a look finds, and what is to be done about it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from server.render import rfc3339

Look = Callable[[], Awaitable[str]]
"""Returns what it found in a few words; raises Trouble if the thing does not work."""


class Trouble(Exception):
    """What is wrong, and what to do, in words that anybody may read: no secret, and no address that may hold one."""

    def __init__(self, detail: str, advice: str = "") -> None:
        super().__init__(detail)
        self.advice = advice


@dataclass(slots=True)
class Check:
    """One thing to look at. Without a `vital` one the server is unready, without another one degraded.

    A look that `costs` goes out to others: it may take longer, and the last one's answer stands for a while. What only
    `warns` keeps nothing from working, and is told to operators alone. `advice`: what to do where a look names nothing better.
    """

    name: str
    look: Look
    advice: str = ""
    vital: bool = False
    costs: bool = False
    warns: bool = False
    ok: bool | None = None
    detail: str = "has not been looked at yet"
    todo: str = ""
    since_ms: int = 0
    looked_at_ms: int = 0
    looking: asyncio.Task[None] | None = None
    """Callers who ask at the same time share one look."""

    @property
    def told(self) -> dict[str, Any]:
        """As `/readyz` has it."""
        return {"ok": self.ok is True, "detail": self.detail, "since": rfc3339(self.since_ms)}

    @property
    def advised(self) -> dict[str, Any]:
        """As the preflight has it."""
        severity = "warning" if self.warns else "error"
        advice = None if self.ok else self.todo or self.advice or None
        return {"name": self.name, **self.told, "severity": severity, "advice": advice}
