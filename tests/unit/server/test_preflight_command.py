"""`tapedeck preflight`, called as the entry point calls it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.unit.server.commanded import answered_by, called_aside

pytestmark = pytest.mark.usefixtures("alone")

SINCE = "2026-11-22T10:00:00.000Z"


def check(name: str, detail: str, advice: str | None = None, severity: str = "error") -> dict[str, Any]:
    return {
        "name": name, "ok": advice is None, "detail": detail, "since": SINCE, "severity": severity, "advice": advice,
    }  # fmt: skip


WELL = check("database", "answers")
WARNING = check("storage_public_access", "public access is not blocked", "Block it.", "warning")
BAD = check("storage", "the recorder's\x1b[31m keys cannot write", "Let them write.")


class Server:
    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str, bool]] = []
        self.report: dict[str, Any] = {}

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, str(request.rel_url), "Authorization" in request.headers))
        return web.json_response(self.report)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with answered_by(made.answer) as made.url:
        yield made


async def call(*arguments: str) -> int:
    return await called_aside("preflight", *arguments)


async def test_all_is_well(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.report = {"ok": True, "checks": [WELL, WARNING]}
    assert await call("--url", server.url) == 0
    assert server.asked == [("POST", "/api/v1/preflight", True)]
    assert capsys.readouterr().out.splitlines() == [
        "CHECK                  RESULT   FOUND",
        "database               ok       answers",
        "storage_public_access  warning  public access is not blocked",
        "",
        "storage_public_access: Block it.",
    ]


async def test_something_fails(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.report = {"ok": False, "checks": [BAD, WELL]}
    assert await call("--url", server.url) == 1
    assert capsys.readouterr().out.splitlines() == [
        "CHECK     RESULT  FOUND",
        "storage   FAILED  the recorder's\N{REPLACEMENT CHARACTER}[31m keys cannot write",
        "database  ok      answers",
        "",
        "storage: Let them write.",
    ]


async def test_programs_get_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.report = {"ok": False, "checks": [BAD]}
    assert await call("--url", server.url, "--json") == 1
    assert json.loads(capsys.readouterr().out) == server.report


async def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert await call("--url", "http://127.0.0.1:1") == 1
    assert "cannot be reached" in capsys.readouterr().err
