"""How this node stands, by its own clock: whether it may call out, and whether it may have actors.

Good manners, not safety: what is safe is refused by the database's epochs and by the provider's keys (recipe 3.2). Time counts
from when the last renewal that succeeded was sent, so this node's lease is never longer here than it is in the database.
"""

import asyncio
import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """Seconds, each more than the one before: between renewals, without one until no call goes out, until the actors end, and
    until the database lets others have the meetings. `retry_seconds`: until a renewal that failed is tried again."""

    renew_seconds: float = 3.0
    silent_seconds: float = 5.0
    let_go_seconds: float = 8.0
    lease_seconds: float = 10.0
    retry_seconds: float = 1.0


class Lease:
    """What `Heartbeat` renews and the actor system looks at."""

    def __init__(self, settings: LeaseSettings) -> None:
        self._settings = settings
        self._sent_at = -math.inf
        self._renewal = asyncio.Event()

    @property
    def age_seconds(self) -> float:
        """Seconds since the last renewal that succeeded was sent; infinite without one."""
        return asyncio.get_running_loop().time() - self._sent_at

    @property
    def held(self) -> bool:
        """Whether meetings may be claimed, and have actors."""
        return self.age_seconds < self._settings.let_go_seconds

    def renewed(self, sent_at: float) -> None:
        """`sent_at`: when the renewal was sent, by the loop's time."""
        self._sent_at = sent_at
        self._renewal.set()
        self._renewal = asyncio.Event()

    def lose(self) -> None:
        """There is none any more, whatever the clock says."""
        self._sent_at = -math.inf

    async def calm(self) -> None:
        """Returns when calls may go out: at once in good times, else with the next renewal."""
        while self.age_seconds >= self._settings.silent_seconds:
            await self._renewal.wait()
