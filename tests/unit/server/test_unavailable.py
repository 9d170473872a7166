"""What a command is told when the server cannot carry it out: nothing was stored, or it is said that nobody knows."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from actors.domain.policy import Policy
from actors.ports import Append, JournalUnavailable, OutcomeUnknown
from actors.system import ActorSystem, SystemSettings
from server.config import Config
from tests.unit.server.calls import Calls
from tests.unit.server.conftest import Serve

START = "/meetings/m/recording/start"
WAITING_MAX = 4


@pytest.fixture
async def calls(serve: Serve) -> AsyncIterator[Calls]:
    """A server whose meetings hold few commands at a time."""
    made = Calls(Config())
    made.system = ActorSystem(
        made.ports, Policy(settle_ms=0), SystemSettings(mailbox_messages_max=WAITING_MAX), made.lease
    )
    made.edge = await serve(made.add_to)
    yield made
    await made.system.drain(1)


def failing(calls: Calls, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], Exception]) -> None:
    """From now on every commit fails."""

    async def commit(_: Append) -> None:
        raise failure()

    monkeypatch.setattr(calls.journal, "commit", commit)


async def assert_nothing_is_stored(calls: Calls) -> None:
    assert (await calls.call("GET", "/meetings/m/recordings"))[1]["total"] == 0


async def test_without_a_database_nothing_was_stored(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(calls, monkeypatch, lambda: JournalUnavailable("away"))
    status, problem, headers = await calls.call("POST", START)
    assert (status, problem["code"], problem["retryable"]) == (503, "database_unavailable", True)
    assert "outcome" not in problem
    assert int(headers["Retry-After"]) > 0
    await assert_nothing_is_stored(calls)


async def test_what_nobody_knows_is_said(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(calls, monkeypatch, lambda: OutcomeUnknown("cut"))
    status, problem, headers = await calls.call("POST", START)
    assert (status, problem["code"], problem["outcome"]) == (503, "database_unavailable", "unknown")
    assert int(headers["Retry-After"]) > 0


async def test_a_defect_says_nothing_of_itself_and_may_quarantine_its_meeting(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(calls, monkeypatch, lambda: ValueError("inner workings"))
    answers = await asyncio.gather(*(calls.call("POST", START) for _ in range(WAITING_MAX)))
    found = {problem["code"]: (status, problem["retryable"], headers) for status, problem, headers in answers}
    assert set(found) == {"internal", "meeting_quarantined"}
    assert "inner workings" not in str([problem for _, problem, _ in answers])
    assert found["internal"][:2] == (500, True)
    assert "Retry-After" not in found["internal"][2]
    assert found["meeting_quarantined"][:2] == (503, True)
    assert int(found["meeting_quarantined"][2]["Retry-After"]) > 0
    monkeypatch.undo()
    assert (await calls.call("POST", "/meetings/other/recording/start"))[0] == 201
    await assert_nothing_is_stored(calls)


async def test_a_full_mailbox_refuses(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, door, commit = asyncio.Event(), asyncio.Event(), calls.journal.commit

    async def wait(append: Append) -> None:
        inside.set()
        await door.wait()
        await commit(append)

    monkeypatch.setattr(calls.journal, "commit", wait)
    first = asyncio.create_task(calls.call("POST", START))
    await inside.wait()
    others = [asyncio.create_task(calls.call("POST", START)) for _ in range(WAITING_MAX + 1)]
    done, waiting = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
    status, problem, headers = done.pop().result()
    assert (status, problem["code"], problem["retryable"]) == (503, "overloaded", True)
    assert int(headers["Retry-After"]) > 0
    door.set()
    assert (await first)[0] == 201
    await asyncio.wait(waiting)


async def test_a_server_that_leaves_takes_no_command(calls: Calls) -> None:
    await calls.system.drain(1)
    for path in (START, "/meetings/m/recording/stop", "/meetings/m/end"):
        status, problem, headers = await calls.call("POST", path)
        assert (status, problem["code"], problem["retryable"]) == (503, "draining", True)
        assert int(headers["Retry-After"]) > 0
