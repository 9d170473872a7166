"""Subscribers of the shipped hub: each node has one, and each meeting somebody who listens to whichever node is up.

A listener comes back with its cursor when its node is gone. It must be told every public event of its meeting, in order,
none twice, although hints get lost.
"""

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actors.domain.events import JournalEvent
from actors.domain.ids import MeetingId
from actors.domain.model import Meeting
from actors.reading import Feed, Snapshot
from server.hub import Hub
from server.settings import StreamSettings
from server.streams.frames import Wire
from server.streams.press import Render
from server.streams.subscriber import Terms
from tests.simulation.promises import Broken
from tests.simulation.wire import Line, Trip

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

POSITIONS_SECONDS = (25.0, 40.0)
RENDER = Render(
    lambda event, _: {"type": "event", "sequence": event.sequence},
    lambda snapshot, _: {"type": "snapshot", "sequence": snapshot.sequence},
)


class FeedCable:
    """ports.Feed, as far as the stream of a meeting needs it."""

    identity = "simulation"

    def __init__(self, line: Line, feed: Feed, lost: type[Exception]) -> None:
        self._line, self._feed, self._lost = line, feed, lost

    async def snapshot(self, meeting_id: MeetingId) -> Snapshot:
        return await self._look("snapshot", lambda: self._feed.snapshot(meeting_id))

    async def after(self, meeting_id: MeetingId, sequence: int, limit: int) -> list[JournalEvent]:
        return await self._look("after", lambda: self._feed.after(meeting_id, sequence, limit))

    async def sequences(self, meeting_ids: Sequence[MeetingId]) -> Mapping[MeetingId, int]:
        return await self._look("sequences", lambda: self._feed.sequences(meeting_ids))

    async def _look(self, name: str, do: Any) -> Any:
        if "database" in self._line.cut or self._line.wire.faults.strikes("database.unavailable"):
            raise self._lost(name)
        return await self._line.look(Trip("database", name, do, self._lost, False, 0.0))


class Edge:
    """What a node has for its listeners."""

    def __init__(self, world: "World", feed: FeedCable) -> None:
        self.hub = Hub(feed, StreamSettings(), RENDER, world, monotonic=asyncio.get_running_loop().time)
        self._dice = world.faults.dice("positions")

    def hint(self, state: Meeting, events: Sequence[JournalEvent]) -> None:
        self.hub.hint(state, events)

    async def watch(self) -> None:
        """What the hub's own timer does, at times that are drawn from the seed."""
        while True:
            await asyncio.sleep(self._dice.uniform(*POSITIONS_SECONDS))
            await self.hub.check_positions()

    async def serve(self, meeting: MeetingId, cursor: str | None, pipe: "Pipe") -> None:
        """The stream's route."""
        subscriber = self.hub.subscribe(meeting, Terms(Wire.SSE_PLAIN, cursor, math.inf))
        try:
            await self.hub.open(subscriber)
            self.hub.attach(subscriber, pipe, pipe)  # type: ignore[arg-type]
            await self.hub.follow(subscriber)
            await subscriber.wait()
        finally:
            self.hub.leave(subscriber)


class Pipe:
    """A transport to a listener who reads at once."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._closed = False

    def write(self, data: bytes) -> None:
        if not self._closed:
            self._listener.take(data.decode())

    async def drain(self) -> None:
        return

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True

    abort = close


class Listener:
    """Somebody who wants to know all that happens in a meeting."""

    def __init__(self, world: "World", meeting: MeetingId) -> None:
        self.meeting = meeting
        self.last = 0
        self._world = world
        self._dice = world.faults.dice(f"listener of {meeting}")
        self._cursor: str | None = None

    async def listen(self) -> None:
        """For ever, to one node after the other."""
        while True:
            node = self._world.some_node(self._dice)
            if node is not None:
                await self._follow(node)
            await asyncio.sleep(self._dice.uniform(0.5, 3))

    async def _follow(self, node: "Node") -> None:
        pipe = Pipe(self)
        task = node.spawn(node.edge.serve(self.meeting, self._cursor, pipe))
        await asyncio.wait({task, node.gone}, return_when=asyncio.FIRST_COMPLETED)
        pipe.close()

    def take(self, text: str) -> None:
        """What has come, in whole events."""
        for piece in text.split("\n\n"):
            fields = dict(line.partition(": ")[::2] for line in piece.splitlines() if ": " in line)
            if "data" in fields:
                self._hear(json.loads(fields["data"]))
                self._cursor = fields.get("id", self._cursor)

    def _hear(self, said: Mapping[str, Any]) -> None:
        sequence = said.get("sequence")
        if said["type"] == "event" and sequence != self.last + 1:
            self._world.breaks(Broken(f"a listener of {self.meeting} was told {sequence} after {self.last}"))
        if said["type"] not in ("event", "snapshot"):
            self._world.breaks(Broken(f"a listener of {self.meeting} was told {said['type']}"))
        elif sequence is not None:
            self.last = sequence
