"""Temporary keys in the simulator: for four hours at least, renewed by update, and nothing is written once they have ended."""

from typing import Any

import pytest

from clients.agora.simulator import calls
from tests.fakes.studio import STORAGE, Clock, Receiver, Take
from tests.integration.conftest import Begin

Hook = tuple[Receiver, str]
HOURS = 60
"""An hour lasts a minute here: the sound of whole ones would have to be made."""


@pytest.fixture(autouse=True)
def short_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "KEYS_MS_MIN", 4 * HOURS * 1000)


def until(seconds: float) -> dict[str, Any]:
    return {**STORAGE, "stsToken": "t", "stsExpiration": int(seconds)}


async def renewed(take: Take, storage: dict[str, Any]) -> tuple[int, Any]:
    body = {"cname": take.cname, "uid": take.uid, "clientRequest": {"storageConfig": storage}}
    return await take.bench.ask("POST", f"{take.path}/update", body)


async def test_a_session_whose_keys_have_ended_writes_no_more(begin: Begin, receiver: Hook) -> None:
    (hook, url), clock = receiver, Clock()
    bench = await begin(now=clock, webhook_url=url, slice_seconds=float(HOURS))
    ends_at = clock() + 4 * HOURS + 60
    take = await bench.record(storageConfig=until(ends_at))
    clock.ahead = 4 * HOURS + 30
    await bench.ask("PUT", f"/_simulator/channels/{take.cname}", {"users": ["1"]})  # it looks at the clock
    await take.has_slices(4)
    clock.ahead = 6 * HOURS
    await bench.ask("PUT", f"/_simulator/channels/{take.cname}", {"users": ["1", "2"]})
    await hook.has(take.sid, 1, 41, 11)
    assert len(take.slices()) == 4
    error = next(event["payload"]["details"] for event in hook.events(take.sid) if event["eventType"] == 1)
    assert (error["module"], error["errorCode"]) == (1, 47)
    assert list(bench.root.rglob("*.mp4")) == []


async def test_a_session_with_fresh_keys_goes_on(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock, slice_seconds=float(HOURS))
    take = await bench.record(storageConfig=until(clock() + 4 * HOURS + 60))
    clock.ahead = 1 * HOURS
    assert (await renewed(take, until(clock() + 6 * HOURS)))[0] == 200
    clock.ahead = 6 * HOURS
    await bench.ask("PUT", f"/_simulator/channels/{take.cname}", {"users": ["1"]})
    await take.has_slices(5)
    assert (await take.stop())[0] == 200
    assert take.file(".mp4").stat().st_size > 0


async def test_keys_that_end_too_soon_are_refused(begin: Begin) -> None:
    clock = Clock()
    bench = await begin(now=clock)
    soon = until(clock() + 4 * HOURS - 60)
    status, told = await bench.begin(await bench.acquire(), storageConfig=soon)
    assert (status, told["code"]) == (400, 2)
    take = await bench.record(storageConfig=until(clock() + 5 * HOURS))
    status, told = await renewed(take, soon)
    assert (status, told["code"]) == (400, 2)
    assert "less than 4 hours" in told["reason"]


@pytest.mark.parametrize("vendor", [5, 6, 7, 8])
async def test_only_some_vendors_take_such_keys(begin: Begin, vendor: int) -> None:
    clock = Clock()
    bench = await begin(now=clock)
    status, told = await bench.begin(
        await bench.acquire(), storageConfig={**until(clock() + 5 * HOURS), "vendor": vendor}
    )
    assert (status, told["code"]) == (400, 2)
