"""The requests that came, for whoever tests against the simulator: on disk before they are answered, the last 10,000."""

from typing import Any

from clients.agora.simulator.state import State

KEPT = 10_000
PRUNED_EVERY = 500


class RequestLog:
    """Entries of `at` (Unix seconds), `call`, `path`, `status` and `fault`; `status` None: not answered, or never."""

    def __init__(self, state: State) -> None:
        self._state = state
        last = state.newest("requests", 1)
        self._number = last[0]["number"] if last else 0

    def begin(self, at: float, call: str, path: str) -> dict[str, Any]:
        """Note a request that has come."""
        self._number += 1
        entry = {"number": self._number, "at": at, "call": call, "path": path, "status": None, "fault": None}
        self._keep(entry)
        if self._number % PRUNED_EVERY == 0:
            self._state.prune("requests", KEPT)
        return entry

    def end(self, entry: dict[str, Any], status: int | None, fault: str | None) -> None:
        """Note what became of it: the status of its answer, or None where the connection was cut."""
        entry.update(status=status, fault=fault)
        self._keep(entry)

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Newest first."""
        found = self._state.newest("requests", min(limit, KEPT))
        return [{name: value for name, value in entry.items() if name != "number"} for entry in found]

    def _keep(self, entry: dict[str, Any]) -> None:
        self._state.put("requests", str(entry["number"]), entry)
