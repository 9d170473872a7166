"""Callers who wait for a recording to get somewhere: a start for its sid, a stop for the end."""

import asyncio
from collections.abc import Callable, Sequence

from actors.domain.ids import RecordingId
from actors.domain.model import Recording

Until = Callable[[Recording], bool]


class Watchers:
    """The waiting callers of one meeting. They are told after each commit, and hold nothing up."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[tuple[RecordingId, Until, asyncio.Future[Recording]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, recording_id: RecordingId, until: Until) -> asyncio.Future[Recording]:
        """A future of the recording as of the first commit in which `until` holds."""
        future: asyncio.Future[Recording] = asyncio.get_running_loop().create_future()
        self._waiting.append((recording_id, until, future))
        return future

    def remove(self, future: asyncio.Future[Recording]) -> None:
        """Forget a caller who has left."""
        self._waiting = [entry for entry in self._waiting if entry[2] is not future]

    def notify(self, recordings: Sequence[Recording]) -> None:
        """Tell whoever waited for this."""
        for recording in recordings:
            for recording_id, until, future in self._waiting:
                if recording_id == recording.recording_id and not future.done() and until(recording):
                    future.set_result(recording)

    def release(self) -> None:
        """Nobody need wait longer: each gets what there is now, as if the time were over."""
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(TimeoutError())
