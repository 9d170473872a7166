"""Whether this server can do its work: ready, degraded (it can, with something missing) or unready."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from actors.ports import Clock
from server.render import rfc3339
from server.settings import HealthSettings

log = structlog.get_logger(__name__)

Look = Callable[[], Awaitable[str]]
"""Returns what it found in a few words; raises Trouble if the thing does not work."""


class Trouble(Exception):
    """What is wrong, in words that anybody may read: no secret, and no address that may hold one."""


@dataclass(slots=True)
class Check:
    """One thing to look at. Without a `vital` one the server is unready, without another one degraded.

    A look that `costs` is not repeated at once: the last one's answer stands for a while.
    """

    name: str
    look: Look
    vital: bool = False
    costs: bool = False
    ok: bool | None = None
    detail: str = ""
    since_ms: int = 0
    looked_at_ms: int = 0
    looking: asyncio.Task[None] | None = None
    """Callers who ask at the same time share one look."""


@dataclass(slots=True)
class Health:
    """All checks. `mode` is what `/readyz` says of what runs; one who is `leaving` is unready.

    `on_check` is told of every look: the check's name, and whether it was passed.
    """

    mode: dict[str, str]
    clock: Clock
    settings: HealthSettings
    on_check: Callable[[str, bool], None]
    checks: list[Check] = field(default_factory=list)
    left_at_ms: int | None = None

    async def report(self) -> dict[str, Any]:
        """The body of `/readyz`. All checks are made at once; none is waited for longer than `health.timeout_seconds`."""
        await asyncio.gather(*(self._run(check) for check in self.checks))
        found = {check.name: _shown(check.ok, check.detail, check.since_ms) for check in self.checks}
        if self.left_at_ms is not None:
            found["server"] = _shown(False, "is leaving, and takes no more commands", self.left_at_ms)
        return {
            "status": self._status(),
            "ready": self._status() != "unready",
            "mode": self.mode,
            "checks": found,
        }

    def leave(self) -> None:
        """From now on the server is unready."""
        self.left_at_ms = self.clock.now_ms()

    async def watch(self) -> None:
        """Look again and again, also when nobody asks, until cancelled."""
        try:
            while True:
                await asyncio.sleep(self.settings.interval_seconds)
                await self.report()
        finally:
            for check in self.checks:
                if check.looking is not None:
                    check.looking.cancel()

    @property
    def troubles(self) -> list[str]:
        """What did not work when it was last looked at, a line each."""
        return [f"{check.name}: {check.detail}" for check in self.checks if check.ok is False]

    def _status(self) -> str:
        if self.left_at_ms is not None or any(check.vital and not check.ok for check in self.checks):
            return "unready"
        return "ready" if all(check.ok for check in self.checks) else "degraded"

    async def _run(self, check: Check) -> None:
        if check.looking is None and self._is_due(check):
            check.looking = asyncio.create_task(self._look_at(check), name=f"check {check.name}")
        if check.looking is None:
            return
        # A look that hangs is left alone: what it waits for may not even take notice that it was given up.
        done, _ = await asyncio.wait({check.looking}, timeout=self.settings.timeout_seconds)
        if not done:
            self._note(check, False, f"no answer within {self.settings.timeout_seconds:g} s")

    def _is_due(self, check: Check) -> bool:
        if not check.costs or check.ok is None:
            return True
        seconds = self.settings.costly_interval_seconds if check.ok else self.settings.interval_seconds
        return self.clock.now_ms() - check.looked_at_ms >= seconds * 1000

    async def _look_at(self, check: Check) -> None:
        check.looked_at_ms = self.clock.now_ms()
        try:
            self._note(check, True, await check.look())
        except Trouble as trouble:
            self._note(check, False, str(trouble))
        except Exception as error:  # whatever a broken part makes of it; its words may hold an address
            self._note(check, False, f"does not work: {type(error).__name__}")
        finally:
            check.looking = None

    def _note(self, check: Check, ok: bool, detail: str) -> None:
        check.detail = detail
        self.on_check(check.name, ok)
        if check.ok is ok:
            return
        if not ok:
            log.warning("check.failed", check=check.name, detail=detail)
        elif check.ok is False:
            log.info("check.recovered", check=check.name, detail=detail)
        check.ok, check.since_ms = ok, self.clock.now_ms()


def _shown(ok: bool | None, detail: str, since_ms: int) -> dict[str, Any]:
    return {"ok": ok is True, "detail": detail, "since": rfc3339(since_ms)}
