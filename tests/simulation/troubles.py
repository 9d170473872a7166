"""What befalls the world of a run: nodes stand still and are replaced, lines are cut, rooms empty, notifications go astray."""

import asyncio
from typing import TYPE_CHECKING

from actors.domain.commands import Notice
from tests.fakes.recorders import Session

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

STALL_SECONDS = (0.5, 120.0)
"""Up to several leases."""
GHOSTS = 0.2
"""How often one that stands still is taken for dead, and another is begun under its name."""
STEADY_MS = 180_000
"""So long after a move a session stays where it is."""
CUT_SECONDS = (1.0, 120.0)
EMPTY_SECONDS = (5.0, 400.0)
HIDDEN_SECONDS = (30.0, 300.0)
"""Up to several times as long as a move takes."""
ASTRAY_MS = (300_000, 420_000)
"""By then a recorder that is between two machines is believed gone."""
ONCE = ("session.failover", "session.hidden", "session.astray")
"""Two of these in a row would look like an end, to everybody (reference 4.3)."""
ROUND_SECONDS = 2.0
POSTS_MAX = 4
"""So often a notification is sent that is not answered (reference 9.1)."""
POST_SECONDS = 10.0


class Troubles:
    """Each kind of event has a task that lets it happen."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._dice = world.faults.dice("troubles")

    async def brew(self, kind: str) -> None:
        """Let it happen at its rate, until the faults are over."""
        rate, dice = self._world.faults.rates.get(kind, 0.0), self._world.faults.dice(kind)
        while rate:
            await asyncio.sleep(dice.expovariate(rate))
            if not self._world.faults.on:
                return
            self._world.faults.happened(kind)
            await self._befall(kind)

    async def _befall(self, kind: str) -> None:
        if kind == "room.empty":
            await self._empty_a_room()
            return
        if kind.startswith("session."):
            self._disturb_a_session(kind)
            return
        node = self._world.some_node(self._dice)
        if node is None:
            return
        self._world.wire.tell(f"{node} {kind}")
        if kind == "node.stall":
            await self._stall(node)
        elif kind == "node.deploy":
            await asyncio.shield(self._world.spawn(node.drain()))  # once begun it ends, though the faults be over
        else:
            await self._cut(node, kind.partition(".")[0])

    async def _stall(self, node: "Node") -> None:
        node.process.freeze()
        if self._dice.random() < GHOSTS:
            self._world.faults.happened("node.ghost")
            self._world.boot(node.name)
        await asyncio.sleep(self._dice.uniform(*STALL_SECONDS))
        node.process.thaw()
        self._world.wire.tell(f"{node} goes on")

    def _disturb_a_session(self, kind: str) -> None:
        agora, now_ms = self._world.agora, self._world.now_ms()
        agora.advance(now_ms)
        running = [session for room in self._world.meetings for session in agora.running(room)]
        if kind in ONCE:
            running = [session for session in running if self._is_steady(session, now_ms)]
        if not running:
            return
        session = self._dice.choice(running)
        self._world.wire.tell(f"{session.cname} {session.recorder_uid} {kind}")
        disturb = {
            "session.failover": agora.failover,
            "session.death": agora.die,
            "session.evicted": agora.evict,
            "session.hidden": self._hide,
            "session.astray": self._lead_astray,
        }
        disturb[kind](session.sid, now_ms)

    def _hide(self, sid: str, now_ms: int) -> None:
        self._world.veil.hide(sid, now_ms + round(self._dice.uniform(*HIDDEN_SECONDS) * 1000))

    def _lead_astray(self, sid: str, now_ms: int) -> None:
        self._world.astray.add(sid)
        self._world.agora.failover(sid, now_ms, ASTRAY_MS)

    def _is_steady(self, session: Session, now_ms: int) -> bool:
        """Whether it is to be found, and has been for a while."""
        if session.move is not None or self._world.veil.hides(session.sid, now_ms - STEADY_MS):
            return False
        return len(session.legs) == 1 or now_ms - session.leg.since_ms > STEADY_MS

    async def _cut(self, node: "Node", end: str) -> None:
        node.line.cut.add(end)
        await asyncio.sleep(self._dice.uniform(*CUT_SECONDS))
        node.line.cut.discard(end)

    async def _empty_a_room(self) -> None:
        room = self._dice.choice(self._world.meetings)
        self._world.emptied.add(room)
        self._world.agora.vacate(room)
        await asyncio.sleep(self._dice.uniform(*EMPTY_SECONDS))
        self._world.agora.occupy(room)


class Postman:
    """Brings the provider's notifications to some node: once, twice, late or never."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._dice = world.faults.dice("postman")

    async def deliver(self) -> None:
        """For ever."""
        agora = self._world.agora
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            agora.advance(self._world.now_ms())
            for notice in agora.take_notices(self._world.now_ms()):
                for delay_ms, said in self._world.shelf.noticed(notice):
                    self._send(said, delay_ms / 1000)

    def _send(self, notice: Notice, delay: float) -> None:
        faults = self._world.faults
        if faults.strikes("webhook.lost"):
            self._world.wire.note(f"webhook {notice.event_type} of {notice.uid} lost")
            return
        for _ in range(2 if faults.strikes("webhook.doubled") else 1):
            pause = self._dice.uniform(1, 30) if faults.strikes("webhook.late") else self._dice.uniform(0, 0.5)
            self._world.spawn(self._post(notice, delay + pause))

    async def _post(self, notice: Notice, pause: float) -> None:
        for _ in range(POSTS_MAX):
            await asyncio.sleep(pause)
            node = self._world.some_node(self._dice)
            if node is not None:
                task = node.spawn(node.receive(notice))
                await asyncio.wait({task, node.gone}, timeout=POST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if task.done() and not task.cancelled() and task.result():
                    return
            pause = 5.0
