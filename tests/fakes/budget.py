"""A budget for tests that are about something else."""


class Unlimited:
    """There is always a place. `calls` and `holds` are what was asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.holds: list[float] = []

    async def slot(self, call: str) -> None:
        self.calls.append(call)

    def hold(self, seconds: float) -> None:
        self.holds.append(seconds)
