"""`tapedeck recordings`, called as the entry point calls it, against a server that notes what it is asked."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from server.auth import Authenticator, load_or_create_secret, mint_token
from tests.unit.server.commanded import answered_by, called_aside

pytestmark = pytest.mark.usefixtures("alone")

ID = "01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11"
SECRET = "of-the-server-and-long-enough-for-it"


def recording(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{ID[:-2]}{number:02}", "meetingId": "standup", "state": "active", "createdAt": "2026-11-22T10:00:00.123Z",
        "duration": None, "fileSize": None, "error": None, "completeness": "unknown", "gaps": [], "agoraRecordingId": None,
        "startedBy": "anna", "startedAt": None, "stoppedAt": None, "completedAt": None, "endReason": None,
        "deadlineAt": None, "storageKey": None, "externalId": None, **changes,
    }  # fmt: skip


COMPLETED = recording(state="completed", completeness="complete", duration=3723.4, fileSize=88_400)
EVENTS = [
    {"type": "recording.starting", "data": {"startedBy": "anna"}},
    {"type": "recording.active", "data": {"startedAt": "2026-11-22T10:00:01.000Z", "evidence": "event 40"}},
    {"type": "recording.of_tomorrow", "data": {}},
    {"type": "recorder.opened", "data": {"of": "another version"}},
]


class Server:
    """Answers what it was told to; keeps what came."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.Request] = []
        self.pages: list[dict[str, Any]] = []
        self.recordings: list[dict[str, Any]] = []
        self.history: dict[str, list[dict[str, Any]]] = {"": []}
        self.refusal: tuple[int, Any] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.refusal is not None:
            return web.json_response(self.refusal[1], status=self.refusal[0])
        if request.path.endswith("/history") and not self.history:
            return web.json_response({"code": "forbidden", "detail": "not for you"}, status=403)
        if request.path.endswith("/history"):
            cursor = request.query.get("cursor", "")
            following = {"": "2"}.get(cursor) if len(self.history) > 1 else None
            return web.json_response({"items": self.history[cursor], "nextCursor": following})
        if request.path.endswith("/recordings"):
            return web.json_response(self.pages.pop(0))
        return web.json_response(self.recordings.pop(0) if len(self.recordings) > 1 else self.recordings[0])

    @property
    def asked(self) -> list[str]:
        return [str(request.rel_url) for request in self.requests]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with answered_by(made.answer) as made.url:
        yield made


async def call(*arguments: str) -> int:
    return await called_aside("recordings", *arguments)


async def test_filters_are_those_of_the_interface(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages = [{"items": [], "total": 0, "nextCursor": None}] * 2
    filters = (
        "--status=failed", "--status=deleted", "--state=active", "--external-id=a b", "--completeness=partial",
        "--from=2026-11-22T00:00:00+01:00", "--to=2026-11-23T00:00:00Z", "--overdue", "--limit=7",
    )  # fmt: skip
    assert await call("list", "--url", server.url, *filters) == 0
    assert await call("list", "--url", f"{server.url}/", "--meeting", "a/b") == 0
    everything, one = server.requests
    assert everything.path == "/api/v1/recordings"
    assert [*everything.query.items()] == [
        ("status", "failed"), ("status", "deleted"), ("state", "active"), ("externalId", "a b"),
        ("completeness", "partial"), ("from", "2026-11-22T00:00:00+01:00"), ("to", "2026-11-23T00:00:00Z"),
        ("overdue", "true"), ("limit", "7"),
    ]  # fmt: skip
    assert server.asked[1] == "/api/v1/meetings/a%2Fb/recordings?limit=50"
    assert one.method == "GET"
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "ID",
        "MEETING",
        "STATE",
        "CREATED",
        "DURATION",
        "SIZE",
        "NOTE",
    ]


async def test_a_list_is_aligned_text_without_colour(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    error = {"code": "no_media", "message": "nothing\x1b[31m came", "retryable": False}
    items = [COMPLETED, recording(2, state="failed", meetingId="a" * 64, error=error)]
    server.pages = [{"items": items, "total": 9, "nextCursor": "next"}]
    assert await call("list", "--url", server.url) == 0
    out, err = capsys.readouterr()
    header, first, second = out.splitlines()
    assert first.split() == [f"{ID[:-2]}01", "standup", "completed", "2026-11-22", "10:00:00Z", "1:02:03", "88.4", "kB"]
    assert second.endswith("nothing\N{REPLACEMENT CHARACTER}[31m came (no_media)")
    assert "a" * 64 in second
    assert header.index("STATE") == first.index("completed") == second.index("failed")
    assert "\x1b" not in out
    assert err == "2 of 9 shown; --all shows every one\n"


async def test_all_follows_the_cursors(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages = [
        {"items": [recording(1)], "total": 3, "limit": 1, "nextCursor": "c-1"},
        {"items": [recording(2)], "total": 3, "limit": 1, "nextCursor": "c-2"},
        {"items": [recording(3)], "total": 3, "limit": 1, "nextCursor": None},
    ]
    assert await call("list", "--url", server.url, "--all", "--limit", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [item["id"][-2:] for item in told["items"]] == ["01", "02", "03"]
    assert (told["total"], told["nextCursor"]) == (3, None)
    assert [request.query.get("cursor") for request in server.requests] == [None, "c-1", "c-2"]


async def test_a_recording_is_shown_with_its_story(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.recordings = [COMPLETED]
    times = [{"time": f"2026-11-22T10:00:0{number}.123Z", **event} for number, event in enumerate(EVENTS)]
    server.history = {"": times[:1], "2": times[1:]}
    assert await call("show", ID, "--url", server.url) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["state", "completed,", "complete"] in [line.split() for line in lines]
    assert [line.split("  ")[-1].strip() for line in lines[-4:]] == [
        "was asked for by anna",
        "records, since 2026-11-22T10:00:01.000Z [event 40]",
        "recording.of_tomorrow",
        "recorder.opened",
    ]
    assert lines[-4].startswith("2026-11-22 10:00:00.123Z  recording.starting")
    assert await call("show", ID, "--url", server.url, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"recording": COMPLETED, "history": times}


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (COMPLETED, "is completed, complete: 1:02:03, 88.4 kB"),
        (
            {
                **COMPLETED,
                "completeness": "partial",
                "gaps": [{"from": "2026-11-22T10:00:00.000Z", "to": "2026-11-22T10:01:00.000Z", "reason": "lost"}],
            },
            "is completed, partial: 1:02:03, 88.4 kB; "
            "partial: lost from 2026-11-22T10:00:00.000Z to 2026-11-22T10:01:00.000Z",
        ),
        (
            recording(state="failed", error={"code": "no_media", "message": "Nothing came.", "retryable": False}),
            "is failed: Nothing came. (no_media)",
        ),
        (
            recording(state="processing"),
            f"is processing, and ends by itself; see: tapedeck recordings show {ID[:-2]}01",
        ),
    ],
)
async def test_a_stop_says_what_came_of_it(
    server: Server, capsys: pytest.CaptureFixture[str], end: Any, told: str
) -> None:
    server.recordings = [end]
    assert await call("stop", ID, "--url", server.url, "--wait", "20") == 0
    assert capsys.readouterr().out == f"{ID[:-2]}01 {told}\n"
    (request,) = server.requests
    assert (request.method, request.path, request.headers["Prefer"]) == (
        "POST", f"/api/v1/recordings/{ID}/stop", "wait=20",
    )  # fmt: skip


async def test_a_stop_waits_on_when_the_server_does_not(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.recordings = [recording(state="stopping"), recording(state="processing"), COMPLETED]
    assert await call("stop", ID, "--url", server.url, "--wait", "300", "--json") == 0
    assert [request.headers["Prefer"] for request in server.requests] == ["wait=25"] * 3
    assert json.loads(capsys.readouterr().out) == COMPLETED


async def test_a_stop_need_not_wait(server: Server) -> None:
    server.recordings = [recording(state="stopping")]
    assert await call("stop", ID, "--url", server.url, "--wait", "0") == 0
    assert [request.headers["Prefer"] for request in server.requests] == ["respond-async"]


async def test_the_token_is_given_or_an_operators(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages = [{"items": [], "total": 0, "nextCursor": None}] * 3
    given = mint_token(SECRET, sub="anna", meetings={"standup": "HOST"})
    await call("list", "--url", server.url)
    await call("list", "--url", server.url, "--token", given)
    monkeypatch.setenv("TAPEDECK_TOKEN", "of the environment")
    await call("list", "--url", server.url)
    minted, *others = [request.headers["Authorization"].removeprefix("Bearer ") for request in server.requests]
    assert others == [given, "of the environment"]
    secret = load_or_create_secret(tmp_path / "data")
    principal = Authenticator([secret], leeway_seconds=0, cache_max=1).authenticate(minted)
    assert (principal.is_operator, principal.meetings) == (True, {})


async def test_the_server_is_the_local_one(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.pages = [{"items": [], "total": 0, "nextCursor": None}]
    monkeypatch.setenv("PORT", server.url.rpartition(":")[2])
    monkeypatch.setenv("TAPEDECK_PUBLIC_URL", "https://tapedeck.invalid")
    assert await call("list") == 0
    assert len(server.requests) == 1


PROBLEM = {"code": "not_found", "detail": "there is no\nsuch recording", "status": 404}


@pytest.mark.parametrize(
    ("refusal", "line"),
    [
        ((404, PROBLEM), "tapedeck: there is no\N{REPLACEMENT CHARACTER}such recording (not_found)\n"),
        ((401, {**PROBLEM, "code": "unauthenticated"}), "(unauthenticated); see --token\n"),
        ((502, ["proxy"]), "does not answer as Tapedeck does; see --url\n"),
        ((200, ["what"]), "does not answer as Tapedeck does; see --url\n"),
        ((302, PROBLEM), "does not answer as Tapedeck does; see --url\n"),
    ],
)
@pytest.mark.parametrize("command", ["show", "stop"])
async def test_a_refusal_is_one_line(
    server: Server, capsys: pytest.CaptureFixture[str], refusal: tuple[int, Any], line: str, command: str
) -> None:
    server.refusal = refusal
    assert await call(command, ID, "--url", server.url) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.endswith(line)


async def test_a_history_that_the_token_may_not_see_is_left_out(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.recordings = [COMPLETED]
    server.history = {}
    assert await call("show", ID, "--url", server.url) == 0
    assert capsys.readouterr().out.rstrip().splitlines()[-1].split() == ["size", "88.4", "kB"]


async def test_a_server_that_is_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert await call("list", "--url", "http://127.0.0.1:1") == 1
    assert capsys.readouterr().err == "tapedeck: http://127.0.0.1:1 cannot be reached: Connection refused; see --url\n"


async def test_a_name_that_nobody_knows_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert await call("list", "--url", "http://tapedeck.invalid") == 1
    said = capsys.readouterr().err
    assert said == "tapedeck: http://tapedeck.invalid cannot be reached: its name is not known; see --url\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["frob"], ["list", "--url", "ftp://host"], ["list", "--state", "done"], ["list", "--limit", "101"], ["show"],
     ["stop", ID, "--wait", "-1"]],
)  # fmt: skip
async def test_a_bad_command_line_ends_with_2(arguments: list[str]) -> None:
    assert await call(*arguments) == 2


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["stop"]])
async def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert await call(*command, "--help") == 0
    out = capsys.readouterr().out
    assert "Usage: tapedeck recordings" in out
    assert not command or f"  tapedeck recordings {command[0]} " in out
