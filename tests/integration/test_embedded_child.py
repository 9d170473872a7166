"""A child process that does not do as it should, and the one that keeps it running."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from clients import ending
from clients.embedded import child
from clients.embedded.child import Child, Command, EngineFailed
from tests.acceptance.processes import alive
from tests.waiting import eventually

FOREVER = "exec sleep 600"
STUBBORN = "trap '' TERM; touch ready; while :; do sleep 0.05; done"
NewChild = Callable[..., Child]


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "RESTART_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(child, "STOP_SECONDS", 0.3)


@pytest.fixture
def restarts() -> list[str]:
    return []


@pytest.fixture
def new_child(tmp_path: Path, restarts: list[str]) -> NewChild:
    """`new_child(script, script, ...)`: each start runs the next script, the last one for ever. It is ready when `ready`."""

    def make(*scripts: str, ready: Callable[[], bool] = lambda: True) -> Child:
        rest: Iterator[str] = iter(scripts)

        def command() -> Command:
            return Command(["sh", "-c", f"cd {tmp_path}; {next(rest, scripts[-1])}"])

        async def is_ready() -> bool:
            return ready()

        return Child("probe", command, is_ready, tmp_path / "log", restarts.append, signal.SIGTERM)

    return make


async def test_a_stubborn_one_is_killed(new_child: NewChild, tmp_path: Path) -> None:
    stubborn = new_child(STUBBORN, ready=(tmp_path / "ready").exists)
    await stubborn.start(10)
    pid = stubborn.pid
    assert pid is not None
    await stubborn.stop()
    assert not alive(pid)


async def test_one_that_ends_at_once_is_not_waited_for(new_child: NewChild) -> None:
    with pytest.raises(EngineFailed, match="probe did not start: first \\| second"):
        await new_child("echo first; echo second; exit 1", ready=lambda: False).start(600)


async def test_one_that_has_nothing_to_say(new_child: NewChild) -> None:
    with pytest.raises(EngineFailed, match="it said nothing"):
        await new_child("exit 1", ready=lambda: False).start(600)


async def test_one_that_never_answers_is_ended(new_child: NewChild) -> None:
    silent = new_child(FOREVER, ready=lambda: False)
    with pytest.raises(EngineFailed):
        await silent.start(0.1)
    assert silent.pid is not None
    assert not alive(silent.pid)


async def test_a_question_that_fails_is_asked_again(new_child: NewChild) -> None:
    answers = iter([OSError("not yet"), None])

    def ready() -> bool:
        answer = next(answers)
        if answer is not None:
            raise answer
        return True

    slow = new_child(FOREVER, ready=ready)
    await slow.start(10)
    await slow.stop()


async def test_a_start_that_fails_again_is_tried_again(
    new_child: NewChild, restarts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "ready").touch()
    weak = new_child(
        "while [ -e ready ]; do sleep 0.02; done",
        "exit 1",
        f"touch back; {FOREVER}",
        ready=lambda: any((tmp_path / name).exists() for name in ("ready", "back")),
    )
    await weak.start(10)
    first = weak.pid
    (tmp_path / "ready").unlink()

    async def back() -> bool:
        return (tmp_path / "back").exists()

    await eventually(back)
    assert weak.pid != first
    assert restarts == ["probe"]
    last = weak.pid
    assert last is not None
    await weak.stop()
    assert not alive(last)


async def test_what_cannot_be_run_again_is_tried_until_it_can(
    new_child: NewChild, restarts: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    healthy = new_child("while [ ! -e end ]; do sleep 0.02; done", FOREVER)
    await healthy.start(10)
    spawn = Command.spawn
    refusals = iter([True, True])

    async def refusing(*args: object, **options: object) -> asyncio.subprocess.Process:
        if next(refusals, False):
            raise OSError("no more processes")
        return await spawn(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Command, "spawn", refusing)
    first = healthy.pid
    (tmp_path / "end").touch()

    async def another() -> bool:
        return healthy.pid != first

    await eventually(another)
    assert restarts == ["probe"]
    await healthy.stop()


async def test_a_stop_is_heard_though_the_question_drops_it(
    new_child: NewChild, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ending, "PATIENCE_SECONDS", 0.01)
    weak = new_child("while [ ! -e end ]; do sleep 0.02; done", FOREVER)
    await weak.start(10)
    asked = asyncio.Event()

    async def deaf() -> bool:
        asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return True

    monkeypatch.setattr(weak, "_ready", deaf)
    (tmp_path / "end").touch()
    await asyncio.wait_for(asked.wait(), 10)
    await asyncio.wait_for(weak.stop(), 10)
    assert weak.pid is not None
    assert not alive(weak.pid)
