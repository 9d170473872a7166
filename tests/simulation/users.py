"""The users of one meeting, each of whom wants an answer: whoever gets none asks another node, with the same key."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.domain.commands import (
    DeleteRecording,
    Refused,
    StartRecording,
    StopRecording,
    UpdateRecording,
    UserCommand,
)
from actors.domain.ids import MeetingId
from actors.domain.model import Actor, ActorKind, Layout, Phase, RecordingSpec
from actors.errors import ActorError, CommandFailed
from actors.mailbox import Answer, CommandKey
from actors.ports import JournalUnavailable
from tests.simulation.promises import HOST, Broken

if TYPE_CHECKING:
    from tests.simulation.world import World

USER = Actor(ActorKind.USER, HOST)
PATIENCE_SECONDS = 30.0
ACTIONS = ("start", "start", "stop", "update", "update", "delete")


class Users:
    """They start and stop, change and delete, at random."""

    def __init__(self, world: "World", meeting: MeetingId) -> None:
        self.meeting = meeting
        self._world = world
        self._dice = world.faults.dice(f"users of {meeting}")
        self._keys = 0

    async def use(self) -> None:
        """Until the world cancels it."""
        while True:
            await asyncio.sleep(self._dice.choice((0.1, 2, 30, 120)) * self._dice.random())
            await self.act(self._dice.choice(ACTIONS))

    async def act(self, action: str) -> None:
        match action:
            case "start":
                await self.start()
            case "stop":
                await self.stop(self._dice.randint(1, 4))
            case "update":
                await self._ask(self._update, None, 2)
            case "delete":
                await self._delete()

    async def start(self, tries: int = 4) -> bool:
        """Whether there was an answer: that one is made, or is there already. A repeated start must be answered with the same."""
        key = self._key("start")
        spec = self._spec()
        answer = await self._ask(lambda: self._start(spec), key, self._dice.randint(1, tries))
        if answer is not None and self._dice.random() < 0.3:
            await asyncio.sleep(self._dice.uniform(0, 60))
            await self._ask(lambda: self._start(spec), key, 1)
        return answer is not None

    async def stop(self, tries: int) -> bool:
        """Whether it was promised that nothing is live any more. A repeated stop must not end the next recording."""
        key = self._key("stop") if self._dice.random() < 0.5 else None
        answer = await self._ask(lambda: StopRecording(by=USER), key, tries)
        if answer is not None and key is not None and self._world.faults.on and self._dice.random() < 0.3:
            self._world.spawn(self._stop_again(key))
        return answer is not None

    async def _stop_again(self, key: CommandKey) -> None:
        await asyncio.sleep(self._dice.uniform(0, 120))
        await self._ask(lambda: StopRecording(by=USER), key, 1)

    async def _delete(self) -> None:
        settled = [item for item in self._world.database.recordings_of(self.meeting) if item.phase is Phase.COMPLETED]
        if settled:
            recording_id = settled[0].recording_id
            await self._ask(lambda: DeleteRecording(recording_id=recording_id, by=USER), None, 2)

    async def _ask(self, command: Callable[[], UserCommand], key: CommandKey | None, tries: int) -> Answer | None:
        """The answer, from whichever node; None if there was none after so many tries."""
        for _ in range(tries):
            node = self._world.some_node(self._dice)
            if node is not None:
                sent = command()
                task = node.spawn(node.system.ask(self.meeting, sent, key))
                await asyncio.wait({task, node.gone}, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if task.done() and self._is_answer(task):
                    self._note(sent, key, task.result())
                    return task.result()
            await asyncio.sleep(self._dice.uniform(0.5, 3))
        return None

    def _is_answer(self, task: "asyncio.Task[Answer]") -> bool:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, CommandFailed):
            self._world.breaks(Broken(f"a command in {self.meeting} made its actor fail"))
        elif error is not None and not isinstance(error, ActorError | JournalUnavailable):
            self._world.breaks(Broken(f"a user of {self.meeting} was told {type(error).__name__}: {error}"))
        return error is None and not task.cancelled()

    def _note(self, sent: UserCommand, key: CommandKey | None, answer: Answer) -> None:
        promises = self._world.promises
        if isinstance(answer.reply, Refused):
            return
        if isinstance(sent, StartRecording):
            assert key is not None
            promises.start_was_answered(self.meeting, key.command_id, answer)
        elif isinstance(sent, StopRecording):
            promises.stop_was_answered(self.meeting, key and key.command_id, answer)

    def _key(self, what: str) -> CommandKey:
        self._keys += 1
        return CommandKey(f"{what}-{self._keys}", "h")

    def _spec(self) -> RecordingSpec:
        return RecordingSpec(
            channel_name=self.meeting,
            streams="audio_video",
            layout=Layout(),
            outputs=self._dice.choice((("hls",), ("hls", "mp4"))),
            max_duration_seconds=self._dice.choice((60, 300, 14400)),
            max_idle_seconds=self._dice.choice((30, 300)),
        )

    def _start(self, spec: RecordingSpec) -> StartRecording:
        """Each request draws an id of its own, as the edge does; it counts only if a recording is made."""
        recording_id = self._world.recording_id()
        prefix = ("tapedeck", recording_id.replace("-", ""))
        return StartRecording(recording_id=recording_id, prefix=prefix, spec=spec, by=USER)

    def _update(self) -> UpdateRecording:
        layout = {"template": self._dice.choice(("best_fit", "floating", "vertical"))}
        return UpdateRecording(
            by=USER,
            subscribe={self._dice.choice(("audio", "video")): self._dice.choice((None, ("1",), ("1", "2")))},
            layout=layout if self._dice.random() < 0.5 else None,
        )
