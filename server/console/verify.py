"""`tapedeck verify`: holds a recording's files against the manifest that was written when it completed."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from server.console.api import Api
from server.console.tables import show_differences
from server.console.words import clean, size

SAME = "same"
Done = Callable[[int, int], None]
"""Told how many objects were looked at, of how many."""


async def verify(api: Api, recording_id: str, *, as_json: bool) -> bool:
    """Whether everything is as it was. Prints what is not."""
    with _progress() as progress:
        bar = progress.add_task("verifying", total=None)
        found = await _all(api, recording_id, lambda done, total: progress.update(bar, completed=done, total=total))
    good = all(item["finding"] == SAME for item in found)
    if as_json:
        shown = orjson.dumps({"ok": good, "items": found}, option=orjson.OPT_INDENT_2)
        sys.stdout.write(shown.decode() + "\n")
    else:
        _show(recording_id, found, good=good)
    return good


async def _all(api: Api, recording_id: str, done: Done) -> list[Any]:
    """Call after call, as a large recording takes longer than one may."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = await api.verify(recording_id, cursor)
        items += page["items"]
        done(len(items), page["total"])
        cursor = page["nextCursor"]
        if cursor is None:
            return items


def _show(recording_id: str, found: Sequence[Any], *, good: bool) -> None:
    total = size(sum(item["fileSize"] or 0 for item in found))
    if good:
        print(clean(f"{recording_id} is as it was: {len(found)} objects, {total}"))
        return
    others = [item for item in found if item["finding"] != SAME]
    show_differences(others)
    print(clean(f"{recording_id} is not as it was: {len(others)} of {len(found)} objects"))


def _progress() -> Progress:
    """On a terminal; elsewhere nothing. On stderr, so that what is printed can be piped."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
