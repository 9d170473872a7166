"""Who is in the provider's channels besides recorders, and whom kicking rules keep out (channel management 1, 2)."""

from dataclasses import dataclass, field

PEOPLE = ("1001", "1002")


@dataclass(frozen=True, slots=True)
class Rule:
    """Keeps one uid out of one channel, from its strike to its end."""

    cname: str
    uid: str
    strikes_at_ms: int
    expires_at_ms: int


@dataclass(slots=True)
class Rules:
    """A rule puts out whom it meets when it strikes, and refuses whoever comes later."""

    all: list[Rule] = field(default_factory=list)

    def refuse(self, cname: str, uid: str, at_ms: int) -> bool:
        """Whether a uid may not join then."""
        return any(rule.strikes_at_ms <= at_ms < rule.expires_at_ms for rule in self._of(cname, uid))

    def strike_after(self, cname: str, uid: str, since_ms: int) -> int | None:
        """When one that has been in the channel since then is put out."""
        strikes = (rule.strikes_at_ms for rule in self._of(cname, uid) if rule.strikes_at_ms > since_ms)
        return min(strikes, default=None)

    def _of(self, cname: str, uid: str) -> list[Rule]:
        return [rule for rule in self.all if (rule.cname, rule.uid) == (cname, uid)]


@dataclass(slots=True)
class Rooms:
    """There is somebody in every channel until everybody leaves. The past is kept: lists show it."""

    _changes: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    """(since when, whether nobody is there), in order."""

    def set(self, cname: str, now_ms: int, *, empty: bool) -> None:
        if (self.empty_since(cname) is not None) != empty:
            self._changes.setdefault(cname, []).append((now_ms, empty))

    def empty_since(self, cname: str) -> int | None:
        """Since when nobody has been there; None while somebody is."""
        changes = self._changes.get(cname)
        return changes[-1][0] if changes and changes[-1][1] else None

    def people_at(self, cname: str, at_ms: int) -> tuple[str, ...]:
        """Who was there then."""
        empty = [nobody for since_ms, nobody in self._changes.get(cname, []) if since_ms <= at_ms]
        return () if empty and empty[-1] else PEOPLE
