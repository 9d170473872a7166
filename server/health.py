"""Whether this server can do its work: ready, degraded (it can, with something missing) or unready; and what to do about it.

`/readyz` and the preflight tell of the same looks.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from actors.ports import Clock
from server.checks import Check, Trouble
from server.render import rfc3339
from server.settings import HealthSettings

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Health:
    """All checks. `mode` is what `/readyz` says of what runs; one who is `leaving` is unready.

    `on_check` is told of every look: the check's name, whether it was passed, and the seconds that it took.
    """

    mode: dict[str, str]
    clock: Clock
    settings: HealthSettings
    on_check: Callable[[str, bool, float], None]
    checks: list[Check] = field(default_factory=list)
    left_at_ms: int | None = None

    async def report(self) -> dict[str, Any]:
        """The body of `/readyz`. All looks that are due are taken at once; none is waited for longer than
        `health.timeout_seconds`."""
        for check in self.checks:
            if check.looking is None and self._is_due(check):
                self._begin(check)
        await asyncio.gather(*(self._wait(check, self.settings.timeout_seconds) for check in self.checks))
        found = {check.name: check.told for check in self._needed}
        if self.left_at_ms is not None:
            detail, since = "is leaving, and takes no more commands", rfc3339(self.left_at_ms)
            found["server"] = {"ok": False, "detail": detail, "since": since}
        return {
            "status": self._status(),
            "ready": self._status() != "unready",
            "mode": self.mode,
            "checks": found,
        }

    async def preflight(self) -> dict[str, Any]:
        """What a look at everything finds that begins now, with what to do. Warnings do not count."""
        await asyncio.gather(*(self._look_anew(check) for check in self.checks))
        return {"ok": all(check.ok for check in self._needed), "checks": [check.advised for check in self.checks]}

    def suspect(self, name: str) -> None:
        """Somebody met trouble with that part: look at it at once, if it is believed to work."""
        for check in self.checks:
            if check.name == name and check.ok and check.looking is None:
                self._begin(check)

    def trouble_with(self, name: str) -> str | None:
        """Why that part does not work, by the last look."""
        return next((check.detail for check in self.checks if check.name == name and check.ok is False), None)

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

    @property
    def _needed(self) -> list[Check]:
        return [check for check in self.checks if not check.warns]

    def _status(self) -> str:
        if self.left_at_ms is not None or any(check.vital and not check.ok for check in self.checks):
            return "unready"
        return "ready" if all(check.ok for check in self._needed) else "degraded"

    def _is_due(self, check: Check) -> bool:
        if not check.costs or check.ok is None:
            return True
        seconds = self.settings.costly_interval_seconds if check.ok else self.settings.interval_seconds
        return self.clock.now_ms() - check.looked_at_ms >= seconds * 1000

    async def _look_anew(self, check: Check) -> None:
        """A look that is under way may have seen how it was before: it is waited for, and another one taken."""
        await self._wait(check, self._patience(check))
        if check.looking is None:
            self._begin(check)
        await self._wait(check, self._patience(check))

    def _patience(self, check: Check) -> float:
        return self.settings.costly_timeout_seconds if check.costs else self.settings.timeout_seconds

    async def _wait(self, check: Check, seconds: float) -> None:
        if check.looking is not None:
            await asyncio.wait({check.looking}, timeout=seconds)

    def _begin(self, check: Check) -> None:
        """A look that hangs is left alone: what it waits for may not even take notice that it was given up."""
        loop, seconds = asyncio.get_running_loop(), self._patience(check)
        late = loop.call_later(seconds, self._note, check, False, f"no answer within {seconds:g} s", "", seconds)
        check.looked_at_ms = self.clock.now_ms()
        check.looking = asyncio.create_task(self._look_at(check), name=f"check {check.name}")
        check.looking.add_done_callback(lambda _: late.cancel())

    async def _look_at(self, check: Check) -> None:
        loop = asyncio.get_running_loop()
        note, began = partial(self._note, check), loop.time()
        try:
            detail = await check.look()
            note(True, detail, "", loop.time() - began)
        except Trouble as trouble:
            note(False, str(trouble), trouble.advice, loop.time() - began)
        except Exception as error:  # whatever a broken part makes of it; its words may hold an address
            note(False, f"does not work: {type(error).__name__}", "", loop.time() - began)
        finally:
            check.looking = None

    def _note(self, check: Check, ok: bool, detail: str, todo: str, seconds: float) -> None:
        check.detail, check.todo = detail, todo
        self.on_check(check.name, ok, seconds)
        if check.ok is ok:
            return
        if not ok:
            log.warning("check.failed", check=check.name, detail=detail)
        elif check.ok is False:
            log.info("check.recovered", check=check.name, detail=detail)
        check.ok, check.since_ms = ok, self.clock.now_ms()
