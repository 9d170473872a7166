"""`tapedeck verify`, called as the entry point calls it, against a server that finds what it is told to."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.unit.server.commanded import answered_by, called_aside

pytestmark = pytest.mark.usefixtures("alone")

ID = "01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11"


def item(key: str, finding: str = "same", size: int | None = 10, detail: str | None = None) -> dict[str, Any]:
    return {"key": key, "fileSize": size, "finding": finding, "detail": detail}


class Server:
    def __init__(self) -> None:
        self.url = ""
        self.pages: list[Any] = []
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.rel_url}")
        page = self.pages.pop(0)
        return web.json_response(page, status=page.get("status", 200))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with answered_by(made.answer) as made.url:
        yield made


async def call(server: Server, *arguments: str) -> int:
    return await called_aside("verify", ID, "--url", server.url, *arguments)


async def test_all_is_well_page_after_page(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages = [
        {"items": [item("r/manifest.json"), item("r/a.ts")], "total": 3, "nextCursor": "2"},
        {"items": [item("r/b.ts", size=2_000_000)], "total": 3, "nextCursor": None},
    ]
    assert await call(server) == 0
    path = f"POST /api/v1/recordings/{ID}/verify"
    assert server.asked == [path, f"{path}?cursor=2"]
    out, err = capsys.readouterr()
    assert (out, err) == (f"{ID} is as it was: 3 objects, 2.0 MB\n", "")


async def test_what_is_not_as_it_was_is_a_table_and_an_exit_code(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.pages = [
        {
            "items": [
                item("r/manifest.json"),
                item("r/a.ts", "altered", 7, "it had 9 bytes"),
                item("r/b\x1b.ts", "missing", None),
                item("r/z.ts", "foreign"),
            ],
            "total": 4,
            "nextCursor": None,
        }
    ]
    assert await call(server) == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["FINDING", "SIZE", "KEY", "DETAIL"],
        ["altered", "7", "bytes", "r/a.ts", "it", "had", "9", "bytes"],
        ["missing", "-", "r/b\N{REPLACEMENT CHARACTER}.ts"],
        ["foreign", "10", "bytes", "r/z.ts"],
        [ID, "is", "not", "as", "it", "was:", "3", "of", "4", "objects"],
    ]


@pytest.mark.parametrize(("finding", "code"), [("same", 0), ("foreign", 1)])
async def test_json_has_everything(server: Server, capsys: pytest.CaptureFixture[str], finding: str, code: int) -> None:
    items = [item("r/manifest.json"), item("r/a.ts", finding)]
    server.pages = [{"items": items, "total": 2, "nextCursor": None}]
    assert await call(server, "--json") == code
    assert json.loads(capsys.readouterr().out) == {"ok": code == 0, "items": items}


async def test_a_refusal_is_one_line(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages = [{"status": 409, "code": "recording_not_ready", "detail": "its manifest is not written yet"}]
    assert await call(server) == 1
    assert capsys.readouterr().err == "tapedeck: its manifest is not written yet (recording_not_ready)\n"
