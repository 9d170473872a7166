"""What the streams tell about themselves; the server replaces it by Prometheus metrics."""


class StreamObserver:
    """Counts nothing by default. `transport` is `websocket` or `sse`."""

    def subscribers(self, transport: str, change: int) -> None:
        """Somebody joined (1) or left (-1)."""

    def slow_close(self, transport: str) -> None:
        """A subscriber was cut off because it read too slowly."""

    def refused(self, reason: str) -> None:
        """Somebody was not let in: `draining`, or no room at the `node`, for the `principal`, for more `unsent`."""

    def unsent(self, count: int) -> None:
        """So many bytes wait to be sent to all subscribers together."""

    def encoded(self) -> None:
        """An event was rendered to JSON."""

    def framed(self, transport: str) -> None:
        """An event was framed for a wire form."""
