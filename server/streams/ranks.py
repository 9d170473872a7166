"""Those who are live and have all that was published: the hot path of a broadcast.

Writing to a thousand sockets costs what the kernel takes and what memory is touched for each of them, so nothing is looked at
here but the transport (performance.md 1). Whoever needs a closer look is apart from them.
"""

import asyncio
from typing import Any, Generic

from server.streams.frames import Batch, Wire
from server.streams.position import P
from server.streams.subscriber import Subscriber


class Ranks(Generic[P]):
    """Subscribers in step, by their transport, for each wire form."""

    def __init__(self, unsent_bytes_max: int) -> None:
        self._unsent_bytes_max = unsent_bytes_max
        self._wires: dict[Wire, dict[asyncio.WriteTransport, Subscriber[P]]] = {wire: {} for wire in Wire}

    def add(self, subscriber: Subscriber[P]) -> None:
        """From here on it is written to with the others."""
        if subscriber.transport is not None:
            self._wires[subscriber.wire][subscriber.transport] = subscriber

    def remove(self, subscriber: Subscriber[P]) -> None:
        """It is not, any more."""
        if subscriber.transport is not None:
            self._wires[subscriber.wire].pop(subscriber.transport, None)

    def write(self, batch: Batch[P]) -> list[Subscriber[P]]:
        """The batch to all of them; returns those who deserve a closer look: gone, or too much unsent."""
        odd: list[Subscriber[P]] = []
        for wire, members in self._wires.items():
            if members:
                odd += [members[transport] for transport in self._write(members, batch.to(wire))]
        return odd

    def _write(self, transports: dict[asyncio.WriteTransport, Any], data: bytes) -> list[asyncio.WriteTransport]:
        odd, most = [], self._unsent_bytes_max
        for transport in transports:
            transport.write(data)
            unsent = transport.get_write_buffer_size()
            # A transport that is closing keeps nothing, so it is asked only then: one call less for most of them.
            if unsent > most or (not unsent and transport.is_closing()):
                odd.append(transport)
        return odd
