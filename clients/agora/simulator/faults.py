"""The catalogue of faults (api.md 7), and the seeded dice that draw them."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

CALLS = ("acquire", "start", "query", "update", "updateLayout", "stop", "rule", "users")
KINDS = (
    "request_lost",
    "answer_lost",
    "late",
    "slow",
    "http_429",
    "http_500",
    "http_502_html",
    "http_503",
    "code_65",
    "garbage",
)
SPECIAL = (
    "start.code_7",
    "start.code_53",
    "start.code_433",
    "query.http_404",
    "stop.code_49",
    "stop.code_50",
    "stop.code_435",
    "webhook.lost",
    "webhook.doubled",
    "webhook.late",
    "webhook.reordered",
    "webhook.bad_signature",
    "session.failover",
    "session.dies",
    "session.evicted",
    "session.never_active",
    "storage.mp4_missing",
)
OF_SLICES = (
    "storage.denied",
    "storage.backup",
    "storage.backup_forever",
    "storage.slice_missing",
    "storage.slice_late",
)
"""Drawn for each slice."""
NAMES = (*(f"{call}.{kind}" for call in CALLS for kind in KINDS), *SPECIAL, *OF_SLICES)


class UnknownFault(ValueError):
    """There is no fault of that name, or its probability is none."""


def check_rates(rates: Mapping[str, float]) -> None:
    """Raises UnknownFault, with the list of names if that is what is wrong."""
    for name, rate in rates.items():
        if name not in NAMES:
            raise UnknownFault(f"there is no fault {name}; there are {', '.join(NAMES)}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise UnknownFault(f"the probability of {name} is a number from 0 to 1")


class Faults:
    """`rates` is what is switched on; `fired` counts what has struck, and `struck` is told of each."""

    def __init__(
        self, rates: Mapping[str, float], seed: int | None, struck: Callable[[str], None] | None = None
    ) -> None:
        self.seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        self._struck = struck
        self._dice: dict[str, random.Random] = {}
        self.rates: dict[str, float] = {}
        self.fired: Counter[str] = Counter()
        self.replace(rates)

    def replace(self, rates: Mapping[str, float]) -> None:
        """Switch to these faults. Raises UnknownFault, and then nothing has changed."""
        check_rates(rates)
        self.rates = dict(rates)

    def strikes(self, name: str) -> bool:
        """Whether it happens now."""
        rate = self.rates.get(name, 0.0)
        if not rate or self.dice(name).random() >= rate:
            return False
        self.fired[name] += 1
        if self._struck is not None:
            self._struck(name)
        return True

    def dice(self, name: str) -> random.Random:
        """Each fault has its own, so that what it does to the n-th request depends on the seed and on n alone."""
        if name not in self._dice:
            self._dice[name] = random.Random(f"{self.seed}/{name}")  # noqa: S311 (repeatable on purpose)
        return self._dice[name]

    def of_call(self, call: str) -> str | None:
        """The fault that strikes this request, if one does: the first of the catalogue that is drawn."""
        return self._first(name for name in NAMES if name.startswith(f"{call}."))

    def of_slice(self) -> str | None:
        """The fault that strikes this slice, if one does."""
        return self._first(OF_SLICES)

    def _first(self, names: Iterable[str]) -> str | None:
        return next((name for name in names if self.strikes(name)), None)
