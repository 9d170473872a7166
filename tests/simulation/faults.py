"""Faults at every port, drawn from one seed. A run's rates are drawn too, some of them zero, so that rare mixtures occur."""

import random
from collections import Counter
from dataclasses import dataclass, field

KINDS = (
    "provider.request_lost",
    "provider.answer_lost",
    "provider.late",
    "provider.slow",
    "provider.busy",
    "database.unavailable",
    "database.outcome_unknown",
    "storage.unavailable",
    "webhook.lost",
    "webhook.doubled",
    "webhook.late",
    "node.crash",
)


@dataclass(slots=True)
class Faults:
    """The dice of one run. `fired` counts what happened."""

    rng: random.Random
    rates: dict[str, float] = field(default_factory=dict)
    fired: Counter[str] = field(default_factory=Counter)
    on: bool = True

    @classmethod
    def drawn(cls, rng: random.Random) -> "Faults":
        """Rates for one run: each kind is absent in half of the runs."""
        rates = {kind: rng.choice((0.0, 0.0, 0.05, 0.2)) for kind in KINDS}
        rates["node.crash"] = rng.choice((0.0, 0.002, 0.01))
        return cls(rng, rates)

    def strikes(self, kind: str) -> bool:
        """Whether this fault happens now."""
        if not self.on or self.rng.random() >= self.rates.get(kind, 0.0):
            return False
        self.fired[kind] += 1
        return True
