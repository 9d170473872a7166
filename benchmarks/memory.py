"""What an idle subscriber costs: growth of the server's resident memory, against a bare handler of aiohttp."""

import argparse

from benchmarks.broadcast import PATH, SERVERS, TOKEN
from benchmarks.listeners import Listeners
from benchmarks.measuring import interleaved, serving, table

WARM_UP = 100
WEBSOCKET = {"aiohttp WebSocket": "aiohttp send_str", "Tapedeck": "tapedeck"}
SSE = {"aiohttp StreamResponse": "aiohttp sse", "Tapedeck": "tapedeck"}


def measure(peer: str, subscribers: int, *, websocket: bool) -> float:
    """Kilobytes for each of so many, after a few that make the server load what it needs."""
    with serving(SERVERS, peer) as server:
        listeners = Listeners(server.port, PATH, TOKEN, websocket=websocket)
        listeners.join(WARM_UP)
        before = server.memory_bytes()
        listeners.join(subscribers)
        return (server.memory_bytes() - before) / subscribers / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    for title, peers in (("WebSocket", WEBSOCKET), ("SSE", SSE)):
        websocket = title == "WebSocket"
        found = interleaved(
            list(peers),
            given.repeats,
            lambda name: measure(peers[name], given.subscribers, websocket=websocket),  # noqa: B023 (used at once)
        )
        table(f"{title}, {given.subscribers} idle subscribers", "kB each", found, next(iter(peers)))


if __name__ == "__main__":
    main()
