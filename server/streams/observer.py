"""What the streams tell about themselves; the server replaces it by Prometheus metrics."""


class StreamObserver:
    """Counts nothing by default. `transport` is `websocket` or `sse`."""

    def subscribers(self, transport: str, change: int) -> None:
        """Somebody joined (1) or left (-1)."""

    def slow_close(self, transport: str) -> None:
        """A subscriber was cut off because it read too slowly."""

    def encoded(self) -> None:
        """An event was rendered to JSON."""

    def framed(self, transport: str) -> None:
        """An event was framed for a wire form."""
