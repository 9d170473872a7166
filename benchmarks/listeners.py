"""Many subscribers in one epoll loop. They count bytes and look at nothing, so that the load is not what is measured."""

import select
import socket
import time

from tests.fakes.handshake import stream_request

PATIENCE_SECONDS = 60.0
QUIET_SECONDS = 0.3


class Listeners:
    """Open connections to a server, all of which have had an answer."""

    def __init__(self, port: int, path: str, token: str, *, websocket: bool) -> None:
        self._request = stream_request(path, token, websocket=websocket)
        self._port = port
        self._sockets: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        self._buffer = bytearray(262144)

    def join(self, count: int) -> None:
        """So many more; returns when they have read all that they are told at first."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self._port))
            connection.sendall(self._request)
            self._sockets[connection.fileno()] = connection
            self._poll.register(connection.fileno(), select.EPOLLIN)
        self.settle()

    def settle(self) -> int:
        """Reads until it is quiet; returns the number of bytes."""
        total, last = 0, time.monotonic()
        while time.monotonic() - last < QUIET_SECONDS:
            if count := self._read():
                total, last = total + count, time.monotonic()
        return total

    def read(self, count: int) -> None:
        """So many bytes, over all connections."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while count > 0:
            count -= self._read()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} bytes did not come")

    def _read(self) -> int:
        total = 0
        for file, _ in self._poll.poll(0.05, 1024):
            count = self._sockets[file].recv_into(self._buffer)
            if not count:
                raise ConnectionResetError("the server has hung up")
            total += count
        return total
