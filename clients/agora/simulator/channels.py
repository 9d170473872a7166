"""Who is in which channel (api.md 7)."""

from clients.agora.simulator.state import State

PEOPLE = ("1001", "1002")
"""Two are in every channel until somebody says otherwise."""


class Channels:
    """The uids in every channel, kept on disk."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._users: dict[str, list[str]] = dict(state.all("channels"))

    def users(self, cname: str) -> list[str]:
        return self._users.get(cname, list(PEOPLE))

    def put(self, cname: str, users: list[str]) -> None:
        """From now on these, and nobody else."""
        self._users[cname] = users
        self._state.put("channels", cname, users)
