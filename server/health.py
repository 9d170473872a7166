"""Whether this server can do its work: ready, degraded (it can, with something missing) or unready."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from actors.ports import Clock
from server.render import rfc3339

CHECK_SECONDS = 2.0

Look = Callable[[], Awaitable[str]]
"""Returns what it found in a few words; raises if the thing does not work."""


@dataclass(slots=True)
class Check:
    """One thing to look at. Without a `vital` one the server is unready, without another one degraded.

    A look that costs something is not repeated for `every_ms`: the last one's answer stands until then.
    """

    name: str
    look: Look
    vital: bool = False
    every_ms: int = 0
    ok: bool | None = None
    detail: str = ""
    since_ms: int = 0
    looked_at_ms: int = 0
    looking: asyncio.Task[None] | None = None
    """Callers who ask at the same time share one look."""


@dataclass(slots=True)
class Health:
    """All checks. `mode` is what `/readyz` says of what runs; `draining` makes the server unready."""

    mode: dict[str, str]
    clock: Clock
    checks: list[Check] = field(default_factory=list)
    draining: bool = False

    async def report(self) -> dict[str, Any]:
        """The body of `/readyz`. Every check is given two seconds."""
        found = dict(await asyncio.gather(*(self._run(check) for check in self.checks)))
        return {
            "status": self._status(),
            "ready": self._status() != "unready",
            "mode": self.mode,
            "checks": found,
        }

    def _status(self) -> str:
        if self.draining or any(check.vital and not check.ok for check in self.checks):
            return "unready"
        return "ready" if all(check.ok for check in self.checks) else "degraded"

    async def _run(self, check: Check) -> tuple[str, dict[str, Any]]:
        due = check.ok is None or self.clock.now_ms() - check.looked_at_ms >= check.every_ms
        if check.looking is None and due:
            check.looking = asyncio.create_task(self._look_at(check), name=f"check {check.name}")
        if check.looking is not None:
            await asyncio.shield(check.looking)
        return check.name, {"ok": check.ok, "detail": check.detail, "since": rfc3339(check.since_ms)}

    async def _look_at(self, check: Check) -> None:
        now_ms = self.clock.now_ms()
        ok, check.detail = await _look(check)
        check.looking, check.looked_at_ms = None, now_ms
        if check.ok is not ok:
            check.ok, check.since_ms = ok, now_ms


async def _look(check: Check) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return True, await check.look()
    except TimeoutError:
        return False, f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:  # whatever a broken part makes of it
        return False, f"{type(error).__name__}: {error}"
