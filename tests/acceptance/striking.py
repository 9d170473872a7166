"""How each fault of the simulator's catalogue is made to strike once, in a recording that needs what it strikes.

One recording after the other is led to where its fault belongs; the fault is switched on, and off again as soon as it has
struck. What becomes of the recording afterwards goes on beside the next one.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.pair import Pair
from tests.waiting import eventually

FIRED_SECONDS = 15.0
CLEAR_SECONDS = {"acquire": 2.0, "start": 2.0, "stop": 2.0, "rule": 15.0, "users": 15.0}
"""So long, at most, the call that was struck is left to be made good before the next fault could strike it too."""
END_SECONDS = 120.0
AGAIN_SECONDS = 60.0
"""Until a recorder that was lost is replaced."""
EXPIRED = "start.code_433"
MOVIE, DENIED = "storage.mp4_missing", "storage.denied"
PICTURE = {"streams": "audio_video", "video": {"width": 64, "height": 64, "fps": 7}}


@dataclass
class Struck:
    """One fault, and the recording that it struck."""

    fault: str
    pair: Pair
    meeting: str
    recording_id: str = ""
    ended: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    """Where the way to the end broke off."""

    @property
    def call(self) -> str:
        return self.fault.partition(".")[0]

    async def strike(self) -> None:
        """Until it has struck."""
        match self.call:
            case "acquire" | "start" | "webhook" | "session":
                await self._while_on(self._start())
            case "query":
                await self._active()
                await self._while_on()
            case "update" | "updateLayout":
                await self._active(PICTURE)
                await self._while_on(self._change())
            case "stop":
                await self._active()
                await self._while_on(self._stop("respond-async"))
            case "storage":
                await self._active()
                await eventually(self._has_slice)
                await self._while_on(self._stop("respond-async") if self.fault == MOVIE else None)
                await self._left()
            case "rule" | "users":
                await self._evicted()
        await self._cleared()

    async def end(self) -> None:
        """Stop it when what was broken has been mended, and wait until it is over."""
        if self.call == "session":
            await self._mended()
        if self.call not in ("stop", "storage"):
            await eventually(self._is_recording, AGAIN_SECONDS)

        async def over() -> bool:
            await self._stop("wait=25")
            return bool(self.ended["status"] != "processing")

        await eventually(over, END_SECONDS)

    async def _left(self) -> None:
        """Stopped, and no slice of it is to come that the next fault could strike."""
        if self.fault == DENIED:
            await self._mended()
        await self._stop("respond-async")

        async def has() -> bool:
            return all(each["endedAt"] is not None for each in await self.pair.sessions(self.meeting))

        await eventually(has, FIRED_SECONDS)

    async def _start(self, body: Any = None) -> None:
        path = f"/api/v1/meetings/{self.meeting}/recording/start"
        status, recording, _ = await self.pair.host.call("POST", path, body, {"Prefer": "respond-async"})
        assert status in (201, 202), recording
        self.recording_id = recording["id"]

    async def _active(self, body: Any = None) -> None:
        await self._start(body)
        await eventually(self._is_recording, AGAIN_SECONDS)

    async def _change(self) -> None:
        path = f"/api/v1/meetings/{self.meeting}/recording"
        change = {"subscribe": {"audio": ["1"]}} if self.call == "update" else {"layout": {"template": "vertical"}}
        status, recording, _ = await self.pair.host.call("PATCH", path, change, {"Prefer": "respond-async"})
        assert status in (200, 202), recording

    async def _stop(self, prefer: str) -> None:
        path = f"/api/v1/recordings/{self.recording_id}/stop"
        status, self.ended, _ = await self.pair.host.call("POST", path, headers={"Prefer": prefer})
        assert status in (200, 202), self.ended

    async def _evicted(self) -> None:
        """A start whose answer is lost, whose notifications are lost, and whose resource is then said to have expired."""
        try:
            await self.pair.put_faults({"start.answer_lost": 1, "webhook.lost": 1})
            await self._start()
            await eventually(self._has_session, FIRED_SECONDS)
            expired = await self.pair.fired(EXPIRED)
            await self.pair.put_faults({EXPIRED: 1, "webhook.lost": 1, self.fault: 1})
            await self._fired(expired, EXPIRED)
            await self.pair.put_faults({"webhook.lost": 1, self.fault: 1})
            await self._fired(0)
        finally:
            await self.pair.put_faults({})

    async def _while_on(self, doing: Coroutine[Any, Any, None] | None = None) -> None:
        before = await self.pair.fired(self.fault)
        await self.pair.put_faults({self.fault: 1})
        try:
            if doing is not None:
                await doing
            await self._fired(before)
        finally:
            await self.pair.put_faults({})

    async def _fired(self, before: int, fault: str | None = None) -> None:
        async def has() -> bool:
            return await self.pair.fired(fault or self.fault) > before

        try:
            await eventually(has, FIRED_SECONDS)
        except AssertionError:
            raise AssertionError(f"{fault or self.fault} did not strike") from None

    async def _cleared(self) -> None:
        """Wait until the call that was struck has been made good, so that the next fault finds a call of its own."""
        look = self._is_over if self.call == "stop" else self._is_recording
        if self.call in CLEAR_SECONDS:
            with suppress(AssertionError):
                await eventually(look, CLEAR_SECONDS[self.call])

    async def _is_recording(self) -> bool:
        return (await self.pair.host.recording(self.recording_id))["state"] == "active"

    async def _is_over(self) -> bool:
        return bool((await self.pair.host.recording(self.recording_id))["state"] not in ("active", "stopping"))

    async def _has_slice(self) -> bool:
        return any(each["files"] for each in await self.pair.sessions(self.meeting))

    async def _has_session(self) -> bool:
        return bool(await self.pair.sessions(self.meeting))

    async def _mended(self) -> None:
        """The session has moved, or another has taken its place, and that one captures."""
        first, *_ = await self.pair.sessions(self.meeting)

        async def has() -> bool:
            *_, last = await self.pair.sessions(self.meeting)
            return (last["sid"], last["uid"]) != (first["sid"], first["uid"]) and last["status"] in (4, 5)

        await eventually(has, AGAIN_SECONDS)


async def strike_all(pair: Pair, faults: list[str]) -> list[Struck]:
    """Each in turn, in a meeting of its own."""
    struck = [Struck(fault, pair, f"under-{fault.replace('.', '-')}") for fault in faults]
    ends = []
    for one in struck:
        await _noting(one, one.strike())
        ends.append(asyncio.create_task(_noting(one, one.end())))
    await asyncio.gather(*ends)
    return struck


async def _noting(one: Struck, way: Coroutine[Any, Any, None]) -> None:
    try:
        await way
    except AssertionError as error:
        one.wrong.append(str(error))
