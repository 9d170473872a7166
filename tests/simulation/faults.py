"""Faults at every port and in the world, drawn from one seed. A run's rates are drawn too, some of them zero, some of them one,
so that rare mixtures occur.

Each kind has dice of its own: a new kind of fault does not change when the others strike.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

OFTEN = (0.0, 0.0, 0.05, 0.2)
RARE = (0.0, 0.0, 0.01, 0.05)
CALLS: Mapping[str, tuple[float, ...]] = {
    "provider.request_lost": OFTEN,
    "provider.answer_lost": OFTEN,
    "provider.late": OFTEN,
    "provider.slow": OFTEN,
    "provider.busy": OFTEN,
    "provider.refused": (0.0, 0.0, 0.0, 0.02),
    "query.fails": (0.0, 0.0, 0.0, 0.3, 1.0),
    "stop.lingers": (0.0, 0.0, 0.3),
    "stop.fails": (0.0, 0.0, 0.0, 0.3),
    "rule.refused": (0.0, 0.0, 0.3, 0.8),
    "list.fails": (0.0, 0.0, 0.3, 0.8),
    "database.unavailable": RARE,
    "database.slow": RARE,
    "database.answer_lost": RARE,
    "database.commit_lost": RARE,
    "database.commit_unseen": RARE,
    "database.commit_late": RARE,
    "storage.unavailable": OFTEN,
    "webhook.lost": (0.0, 0.0, 0.05, 0.2, 1.0),
    "webhook.doubled": OFTEN,
    "webhook.late": OFTEN,
    "hint.lost": (0.0, 0.05, 0.5, 1.0),
    "node.crash": (0.0, 0.0, 0.002, 0.01),
}
"""How likely a fault strikes a call, one of these in each run."""
SESSIONS: Mapping[str, tuple[float, ...]] = {
    "session.mute": (0.0, 0.0, 0.2),
    "storage.late": (0.0, 0.3),
    "storage.missing": (0.0, 0.0, 0.2),
    "storage.backup": (0.0, 0.0, 0.3),
}
"""How likely a session of the recorder is of that kind."""
EVENTS: Mapping[str, tuple[float, ...]] = {
    "node.stall": (0.0, 0.0, 1 / 200, 1 / 60),
    "node.deploy": (0.0, 0.0, 1 / 300, 1 / 100),
    "database.cut": (0.0, 0.0, 1 / 200, 1 / 60),
    "provider.cut": (0.0, 0.0, 1 / 200, 1 / 60),
    "room.empty": (0.0, 0.0, 1 / 300),
    "session.failover": (0.0, 0.0, 1 / 200, 1 / 60),
    "session.death": (0.0, 0.0, 1 / 200, 1 / 60),
    "session.evicted": (0.0, 0.0, 1 / 200),
    "session.hidden": (0.0, 0.0, 1 / 200),
}
"""How often a second something befalls the world."""
BEYOND = ("session.astray",)
"""What the service says does not happen, and what no run can keep all promises under: only where a case names a rate."""
CONSEQUENCES = ("provider.outlived", "database.outlived", "node.renamed", "node.ghost", "node.ousted")
"""What follows from others: a call that arrives after its caller's death, a node that comes back under another name, or beside
one that only stood still, which then has to end."""
KINDS = (*CALLS, *SESSIONS, *EVENTS, *CONSEQUENCES)


@dataclass(slots=True)
class Faults:
    """The dice of one run. `fired` counts what happened."""

    seed: str
    rates: dict[str, float] = field(default_factory=dict)
    fired: Counter[str] = field(default_factory=Counter)
    on: bool = True
    _dice: dict[str, random.Random] = field(default_factory=dict)

    @classmethod
    def drawn(cls, seed: int, given: Mapping[str, float] = MappingProxyType({})) -> "Faults":
        """Rates for one run; those that are given are not drawn."""
        if unknown := sorted(given.keys() - {*CALLS, *SESSIONS, *EVENTS, *BEYOND}):
            raise ValueError(f"no such fault: {', '.join(unknown)}")
        faults = cls(str(seed))
        for kind, rates in {**CALLS, **SESSIONS, **EVENTS}.items():
            faults.rates[kind] = faults.dice(f"rate of {kind}").choice(rates)
        faults.rates.update(given)
        return faults

    def dice(self, name: str) -> random.Random:
        """The dice of that name: the same in every run of the seed, whatever the others are thrown for."""
        dice = self._dice.get(name)
        if dice is None:
            dice = self._dice[name] = random.Random(f"{self.seed} {name}")
        return dice

    def strikes(self, kind: str) -> bool:
        """Whether this fault happens now."""
        rate = self.rates.get(kind, 0.0)
        if not self.on or not rate or self.dice(kind).random() >= rate:
            return False
        self.fired[kind] += 1
        return True

    def happened(self, kind: str) -> None:
        """It did, by itself."""
        self.fired[kind] += 1
