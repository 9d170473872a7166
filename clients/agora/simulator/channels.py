"""Which people are in which channel, and were a moment ago (api.md 7)."""

from dataclasses import astuple, dataclass
from typing import Any

from clients.agora.simulator.state import State

PEOPLE = ("1001", "1002")
"""Two are in every channel until somebody says otherwise."""


@dataclass(slots=True)
class Stay:
    """Somebody's time in a channel, in Unix milliseconds; who is still there has no `left_at`."""

    uid: str
    joined_at: int
    left_at: int | None = None

    def covers(self, at_ms: int) -> bool:
        return self.joined_at <= at_ms and (self.left_at is None or at_ms < self.left_at)


class Channels:
    """The stays in every channel, kept on disk. Those that ended more than `memory_ms` ago are forgotten."""

    def __init__(self, state: State, memory_ms: int, now_ms: int) -> None:
        self._state = state
        self._memory_ms = memory_ms
        self._stays = {cname: [_read(kept) for kept in stays] for cname, stays in state.all("channels")}
        self._ever_since = now_ms - memory_ms

    def users(self, cname: str) -> list[str]:
        """Who is there now."""
        return [stay.uid for stay in self._of(cname) if stay.left_at is None]

    def seen(self, cname: str, at_ms: int) -> list[Stay]:
        """Who was there then."""
        return [stay for stay in self._of(cname) if stay.covers(at_ms)]

    def names(self) -> list[str]:
        """The channels that were put."""
        return list(self._stays)

    def put(self, cname: str, users: list[str], now_ms: int) -> None:
        """From now on these, and nobody else."""
        present = {stay.uid: stay for stay in self._of(cname) if stay.left_at is None}
        gone = [stay for stay in self._of(cname) if stay.left_at is not None or stay.uid not in users]
        for stay in gone:
            stay.left_at = now_ms if stay.left_at is None else stay.left_at
        stays = [present.get(uid) or Stay(uid, now_ms) for uid in dict.fromkeys(users)]
        stays += [stay for stay in gone if (stay.left_at or 0) > now_ms - self._memory_ms]
        self._stays[cname] = stays
        self._state.put("channels", cname, [astuple(stay) for stay in stays])

    def _of(self, cname: str) -> list[Stay]:
        found = self._stays.get(cname)
        return [Stay(uid, self._ever_since) for uid in PEOPLE] if found is None else found


def _read(kept: Any) -> Stay:
    """A stay, or the bare uid that was kept before there were stays."""
    return Stay(kept, 0) if isinstance(kept, str) else Stay(*kept)
