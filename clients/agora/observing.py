"""What the client tells of the requests that go out, for the metrics."""

from typing import Protocol


class CallObserver(Protocol):
    """In seconds; `call` is the name in the path, `rule`, `users`, or `ncs_ip` for the senders of notifications."""

    def waited(self, call: str, seconds: float) -> None:
        """A request waited so long for its place in the budget."""
        ...

    def waiting(self, change: int) -> None:
        """So many requests more wait for their place."""
        ...

    def answered(self, call: str, outcome: str, seconds: float) -> None:
        """A request went out, and this is what became of it."""
        ...

    def domain(self, name: str, *, is_open: bool) -> None:
        """Calls go to this domain, or are kept away from it."""
        ...

    def odd(self, call: str, kind: str) -> None:
        """An answer, or a `webhook`, made no sense."""
        ...


class Unobserved:
    """A `CallObserver` that counts nothing."""

    def waited(self, call: str, seconds: float) -> None: ...

    def waiting(self, change: int) -> None: ...

    def answered(self, call: str, outcome: str, seconds: float) -> None: ...

    def domain(self, name: str, *, is_open: bool) -> None: ...

    def odd(self, call: str, kind: str) -> None: ...


UNOBSERVED = Unobserved()
