"""How tasks of ours are ended when they use libraries of others."""

import asyncio

PATIENCE_SECONDS = 1.0


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel them until they are over; what they raise is dropped.

    Once is not enough: up to Python 3.11 `asyncio.wait_for`, by which redis-py writes, drops a cancellation that comes as its
    work is done. A loop that is told only once would go on for ever, and whoever awaits its end with it.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=PATIENCE_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
