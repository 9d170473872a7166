"""A thousand subscribers in a process of their own, so that they take no time from the node that they listen to.

`python -m tests.fakes.crowd PORT TOKEN PATH COUNT` joins with as many, every second one over a WebSocket. It says `joined` when
all have their snapshot, takes the last cursor from its input, reads until everybody has that, and prints for each kind
how many different things its members were told, and the numbers of the events that one of them saw.
"""

import json
import re
import select
import socket
import sys
import time
import zlib
from collections.abc import Callable

from tests.fakes.handshake import stream_request

PATIENCE_SECONDS = 60.0


class Member:
    """One subscriber. It keeps a checksum of what came after the snapshot, and the first of each kind keeps it all."""

    def __init__(self, port: int, path: str, token: str, *, websocket: bool, keeps: bool) -> None:
        self.websocket = websocket
        self.keeps = keeps
        self.joined = False
        self.checksum = 0
        self.kept = bytearray()
        self.tail = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(stream_request(path, token, websocket=websocket))

    def read(self) -> None:
        """What has arrived. Raises ConnectionError at the end of the stream."""
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionResetError("sent away")
        self.tail = self.tail[-400:] + data
        if not self.joined:
            self.joined = b"recording.snapshot" in self.tail and self.tail.endswith(
                b"}" if self.websocket else b"\n\n\r\n"
            )
            return
        self.checksum = zlib.crc32(data, self.checksum)
        if self.keeps:
            self.kept += data
        self.tail = self.tail[-400:]

    def has(self, cursor: bytes) -> bool:
        """Whether the event with that cursor is the last that it was told."""
        return cursor in self.tail


class Crowd:
    """All of them."""

    def __init__(self, port: int, path: str, token: str, count: int) -> None:
        self.members = [Member(port, path, token, websocket=index % 2 == 0, keeps=index < 2) for index in range(count)]
        self._by_file = {member.socket.fileno(): member for member in self.members}
        self._poll = select.epoll()
        for file in self._by_file:
            self._poll.register(file, select.EPOLLIN)

    def join(self) -> None:
        """Until all have their snapshot."""
        self._read(lambda: all(member.joined for member in self.members))

    def follow(self) -> None:
        """Until all have the event whose cursor comes from the input; who pauses until then would be a slow reader."""
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)
        self._read(lambda: self._last != b"" and all(member.has(self._last) for member in self.members))

    _last = b""

    def _read(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError
            for file, _ in self._poll.poll(0.05):
                if file in self._by_file:
                    self._by_file[file].read()
                else:
                    self._last = sys.stdin.readline().strip().encode()
                    self._poll.unregister(file)

    def report(self, *, websocket: bool) -> dict[str, object]:
        """What the members of one kind were told."""
        members = [member for member in self.members if member.websocket is websocket]
        numbers = re.findall(rb'"sequence":(\d+)', members[0].kept)
        return {
            "members": len(members),
            "different": len({member.checksum for member in members}),
            "sequences": [int(number) for number in numbers],
        }


def main() -> None:
    port, token, path, count = sys.argv[1:]
    crowd = Crowd(int(port), path, token, int(count))
    crowd.join()
    print("joined", flush=True)
    crowd.follow()
    print(json.dumps([crowd.report(websocket=True), crowd.report(websocket=False)]), flush=True)


if __name__ == "__main__":
    main()
