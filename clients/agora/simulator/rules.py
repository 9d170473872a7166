"""Kicking rules and where they are kept: whom they keep out of which channel, and how long (channel management 1)."""

from dataclasses import asdict, dataclass
from typing import Any

from clients.agora.simulator.state import State

JOIN = "join_channel"
"""The one privilege whose loss puts somebody out; the others concern what people publish."""


@dataclass(slots=True)
class Rule:
    """Times are Unix milliseconds. A `cname` or `uid` of None is any; a rule for an `ip` meets nobody, as nobody has one here."""

    id: int
    app_id: str
    cname: str | None
    uid: str | None
    ip: str | None
    privileges: list[str]
    created_at: int
    updated_at: int
    strikes_at: int
    """When whom it matches is put out, and joins begin to be refused."""
    expires_at: int
    """Not after `created_at`: it puts out once, and refuses nothing."""
    struck: bool = False

    def matches(self, app_id: str | None, cname: str, uid: str) -> bool:
        """Whether it concerns a uid in a channel. People are in it under every App ID: None."""
        return (
            JOIN in self.privileges
            and self.ip is None
            and app_id in (None, self.app_id)
            and self.cname in (None, cname)
            and self.uid in (None, uid)
        )

    def refuses_at(self, at_ms: int) -> bool:
        """Whether joins are refused then."""
        return self.strikes_at <= at_ms < self.expires_at


class Rules:
    """All rules, kept on disk until they have both struck and expired."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rules = {rule.id: rule for rule in (Rule(**value) for _, value in state.all("rules"))}

    def next_id(self) -> int:
        """Ascending, also across the end of rules and of the simulator."""
        number: int = (self._state.get("meta", "rule_id") or 0) + 1
        self._state.put("meta", "rule_id", number)
        return number

    def keep(self, rule: Rule) -> None:
        """Have a rule on disk as it is now."""
        self._rules[rule.id] = rule
        self._state.put("rules", str(rule.id), asdict(rule))

    def remove(self, rule: Rule) -> None:
        del self._rules[rule.id]
        self._state.remove("rules", str(rule.id))

    def sweep(self, now_ms: int) -> None:
        """Forget the rules that are over."""
        for rule in list(self._rules.values()):
            if rule.struck and rule.expires_at <= now_ms:
                self.remove(rule)

    def standing(self, app_id: str, now_ms: int) -> list[Rule]:
        """The rules of an App ID that have not expired, in the order of their making."""
        return [rule for rule in self._rules.values() if rule.app_id == app_id and rule.expires_at > now_ms]

    def refuse(self, app_id: str | None, cname: str, uid: str, now_ms: int) -> bool:
        """Whether a uid may not join a channel now."""
        return any(rule.refuses_at(now_ms) and rule.matches(app_id, cname, uid) for rule in self._rules.values())

    def due(self, now_ms: int) -> list[Rule]:
        """The rules whose moment has come, oldest first."""
        return sorted((rule for rule in self._waiting() if rule.strikes_at <= now_ms), key=lambda rule: rule.strikes_at)

    def next_strike(self) -> int | None:
        return min((rule.strikes_at for rule in self._waiting()), default=None)

    def _waiting(self) -> list[Rule]:
        return [rule for rule in self._rules.values() if not rule.struck]


def shown(rule: Rule) -> dict[str, Any]:
    """A rule as the list has it, but for its times."""
    return {
        "id": rule.id,
        "appid": rule.app_id,
        "uid": None if rule.uid is None else int(rule.uid),
        "opid": rule.id,
        "cname": rule.cname,
        "ip": rule.ip,
        "privileges": rule.privileges,
    }
