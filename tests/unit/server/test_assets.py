"""The files of the page: known ones only, of the right type, and only sent to whoever does not have them."""

import re
from pathlib import Path

import pytest

from server.protection import POLICY
from server.routes.assets import FOLDERS, AssetRoutes
from tests.unit.server.conftest import Edge, Serve

FILES = sorted(path.name for folder in FOLDERS for path in folder.iterdir() if path.name != "index.html")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@pytest.fixture
async def edge(serve: Serve) -> Edge:
    return await serve(AssetRoutes("https://tapedeck.example/under", "https://b.s3.amazonaws.com/").add_to)


@pytest.mark.parametrize("name", FILES)
async def test_each_file_has_its_type_and_is_asked_for_again(edge: Edge, name: str) -> None:
    async with edge.client.get(f"/assets/{name}") as response:
        assert (response.status, response.charset) == (200, "utf-8")
        assert response.content_type == TYPES[Path(name).suffix]
        assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/assets/page.css"])
async def test_who_has_it_is_not_sent_it_again(edge: Edge, path: str) -> None:
    async with edge.client.get(path) as response:
        etag = response.headers["ETag"]
    async with edge.client.get(path, headers={"If-None-Match": etag}) as response:
        assert (response.status, response.headers["ETag"], await response.read()) == (304, etag, b"")
    async with edge.client.get(path, headers={"If-None-Match": '"other"'}) as response:
        assert response.status == 200


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2Fapp.py", "%2e%2e%2f%2e%2e%2fapp.py", "page.css%00"])
async def test_nothing_else_is_served(edge: Edge, name: str) -> None:
    answer = await edge.raw(f"GET /assets/{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))


async def test_the_page_plays_what_begins_like_signed_urls(edge: Edge) -> None:
    async with edge.client.get("/") as response:
        assert response.content_type == "text/html"
        assert "media-src 'self' blob: https://tapedeck.example https://b.s3.amazonaws.com;" in response.headers[POLICY]
        assert "require-trusted-types-for 'script'" in response.headers[POLICY]


def test_pages_hold_no_inline_code_and_name_no_foreign_host() -> None:
    for path in (path for folder in FOLDERS for path in folder.iterdir()):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"https?://(?!www\.w3\.org/)", text), path.name
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), path.name
        if path.suffix == ".html":
            assert not re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), path.name
