"""Sessions that queries do not find for a while, be it longer than a move takes, though they record and can be stopped."""


class Veil:
    """What the provider's queries do not see (reference 4.3: "not found" proves nothing)."""

    def __init__(self) -> None:
        self._until_ms: dict[str, int] = {}

    def hide(self, sid: str, until_ms: int) -> None:
        self._until_ms[sid] = until_ms

    def hides(self, sid: str, now_ms: int) -> bool:
        return now_ms < self._until_ms.get(sid, 0)

    def lift(self) -> None:
        """Everything is found again."""
        self._until_ms.clear()
