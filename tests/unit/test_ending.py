"""Tasks that will not hear that they are to end."""

import asyncio

import pytest

from clients import ending
from clients.ending import end


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "PATIENCE_SECONDS", 0.001)


async def forever() -> None:
    await asyncio.Event().wait()


async def deaf(times: int) -> None:
    """Drops so many cancellations, as `asyncio.wait_for` may up to Python 3.11."""
    for _ in range(times):
        try:
            await forever()
        except asyncio.CancelledError:
            continue
    await forever()


async def failing() -> None:
    try:
        await forever()
    finally:
        raise OSError("the connection is gone")


async def test_one_that_drops_its_cancellation_is_told_again() -> None:
    tasks = [asyncio.create_task(work) for work in (deaf(3), forever(), failing())]
    await asyncio.sleep(0)
    await asyncio.wait_for(end(*tasks), 10)
    assert [task.done() for task in tasks] == [True, True, True]


async def test_nothing_to_end() -> None:
    await end()
