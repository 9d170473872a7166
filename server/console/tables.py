"""Tables for people on a terminal; aligned columns without colour for everything else."""

import sys
from collections.abc import Sequence
from typing import Any, Literal

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.console.words import clean, length, moment, outcome, size

WIDE = 10_000
"""Columns of what is no terminal: nothing is cut there."""
NARROW = 140
"""On a terminal with fewer columns lines are folded, as an id that is cut is of no use."""
COLOURS = {"active": "bold red", "failed": "red", "aborted": "red", "completed": "green", "deleted": "dim"}
FAILED = ("FAILED", "bold red")
RESULTS = {"warning": ("warning", "yellow")}
WIDTHS = {"ID": 36, "MEETING": 8, "STATE": 10, "CREATED": 20, "DURATION": 8, "SIZE": 8, "NOTE": 8}


def show_recordings(recordings: Sequence[Any]) -> None:
    """A line for each."""
    console = _console()
    table = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    for header, width in WIDTHS.items():
        justify: Literal["left", "right"] = "right" if header in ("DURATION", "SIZE") else "left"
        table.add_column(header, no_wrap=True, min_width=width if console.is_terminal else None, justify=justify)
    for recording in recordings:
        table.add_row(*_cells(recording))
    _print(console, table)


def show_findings(items: Sequence[Any]) -> None:
    """A line for each, of a sweep."""
    console = _console()
    table = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("KIND", "KEY", "FIRST SEEN", "OBJECTS", "SIZE", "ACTION"):
        table.add_column(header, no_wrap=True, justify="right" if header in ("OBJECTS", "SIZE") else "left")
    for item in items:
        told = (item["kind"], item["key"], moment(item["firstSeenAt"]), item["objects"], size(item["bytes"]))
        table.add_row(*(Text(clean(value)) for value in (*told, item["action"])))
    _print(console, table)


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Names and values below one another."""
    console = _console()
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value in facts:
        table.add_row(Text(name, "bold"), Text(value))
    _print(console, table)


def show_differences(items: Sequence[Any]) -> None:
    """What a verification found of objects that are not as they were."""
    console = _console()
    table = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("FINDING", "SIZE", "KEY", "DETAIL"):
        table.add_column(header, no_wrap=True, justify="right" if header == "SIZE" else "left")
    for item in items:
        facts = (clean(item["finding"]), size(item["fileSize"]), clean(item["key"]), clean(item["detail"] or ""))
        table.add_row(*(Text(fact) for fact in facts))
    _print(console, table)


def show_checks(checks: Sequence[Any]) -> None:
    """A line for each: its name, the result, what was found."""
    console = _console()
    table = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("CHECK", "RESULT", "FOUND"):
        table.add_column(header, no_wrap=header != "FOUND")
    for check in checks:
        word, colour = ("ok", "green") if check["ok"] else RESULTS.get(check["severity"], FAILED)
        table.add_row(Text(clean(check["name"])), Text(word, colour), Text(clean(check["detail"])))
    _print(console, table)


def print_json(value: Any) -> None:
    """As the interface has it, for programs."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def _cells(recording: Any) -> list[Text]:
    state = recording["state"]
    return [
        Text(clean(recording["id"])),
        Text(clean(recording["meetingId"])),
        Text(clean(state), COLOURS.get(state, "yellow")),
        Text(moment(recording["createdAt"])),
        Text(length(recording["duration"])),
        Text(size(recording["fileSize"])),
        Text(outcome(recording)),
    ]


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        return Console(highlight=False, width=WIDE, no_color=True)
    # With a height too, as the library else takes a dumb terminal for one of 80 columns.
    return Console(highlight=False, width=max(console.width, NARROW), height=console.height)


def _print(console: Console, table: Table) -> None:
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
