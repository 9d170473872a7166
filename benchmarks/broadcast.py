"""One event to a thousand subscribers: the server's CPU for each delivery, against the floor and against the libraries' ways."""

import argparse

from benchmarks.listeners import Listeners
from benchmarks.measuring import interleaved, serving, table
from server.auth import mint_token
from tests.fakes.audience import SECRET

SERVERS = "benchmarks.broadcast_servers"
PATH = "/api/v1/meetings/m-1/events"
TOKEN = mint_token(SECRET, sub="crowd", meetings={"*": "PARTICIPANT"})
WEBSOCKET = {"raw transport.write": "raw websocket", "Tapedeck": "tapedeck", "aiohttp send_str": "aiohttp send_str"}
SSE = {"raw transport.write": "raw sse", "Tapedeck": "tapedeck", "aiohttp-sse send": "aiohttp-sse send"}


def measure(peer: str, subscribers: int, messages: int, *, websocket: bool) -> float:
    """Microseconds of the server's CPU for each delivery, one event in flight at a time."""
    with serving(SERVERS, peer) as server:
        listeners = Listeners(server.port, PATH, TOKEN, websocket=websocket)
        listeners.join(subscribers)
        server.tell("publish")
        event_bytes = listeners.settle()
        before = server.cpu_seconds()
        for _ in range(messages):
            server.tell("publish")
            listeners.read(event_bytes)
        return (server.cpu_seconds() - before) / (messages * subscribers) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    for title, peers in (("WebSocket", WEBSOCKET), ("SSE", SSE)):
        websocket = title == "WebSocket"
        found = interleaved(
            list(peers),
            given.repeats,
            lambda name: measure(peers[name], given.subscribers, given.messages, websocket=websocket),  # noqa: B023 (used at once)
        )
        table(f"{title}, {given.subscribers} subscribers", "CPU µs a delivery", found, "raw transport.write")


if __name__ == "__main__":
    main()
