"""A start command over HTTP: the server's CPU for each, against a bare handler of aiohttp."""

import argparse
import select
import socket

from benchmarks.measuring import interleaved, serving, table
from server.auth import mint_token
from tests.fakes.audience import SECRET

SERVERS = "benchmarks.start_servers"
PEERS = {"bare aiohttp": "aiohttp", "Tapedeck, memory": "memory", "Tapedeck, Postgres": "postgres"}
CONNECTIONS = 32
WARM_UP = 300
HOST = mint_token(SECRET, sub="host-1", meetings={"*": "HOST"})
BODY = b'{"metadata":{"room":"standup"}}'


class Callers:
    """Some connections, each with one request in flight; every request is for another meeting."""

    def __init__(self, port: int) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[connection.fileno()] = connection
            self._poll.register(connection.fileno(), select.EPOLLIN)
        self._number = 0

    def call(self, count: int) -> None:
        """So many starts, all of them answered."""
        left, waiting = count, 0
        for connection in self._sockets.values():
            self._send(connection)
            waiting += 1
        while waiting:
            for file, _ in self._poll.poll():
                answer = self._sockets[file].recv(65536)
                if not answer.startswith(b"HTTP/1.1 202"):
                    raise RuntimeError(answer.decode())
                left, waiting = left - 1, waiting - 1
                if left > waiting:
                    self._send(self._sockets[file])
                    waiting += 1

    def _send(self, connection: socket.socket) -> None:
        self._number += 1
        head = (
            f"POST /api/v1/meetings/b-{self._number}/recording/start HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {HOST}\r\n"
            f"Prefer: respond-async\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
        )
        connection.sendall(head.encode() + BODY)


def measure(peer: str, commands: int) -> float:
    """Microseconds of the server's CPU for each; the database's own is not in it."""
    with serving(SERVERS, peer) as server:
        callers = Callers(server.port)
        callers.call(WARM_UP)
        before = server.cpu_seconds()
        callers.call(commands)
        return (server.cpu_seconds() - before) / commands * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    found = interleaved(list(PEERS), given.repeats, lambda name: measure(PEERS[name], given.commands))
    table("A start command", "CPU µs each", found, "bare aiohttp")


if __name__ == "__main__":
    main()
