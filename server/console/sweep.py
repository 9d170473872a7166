"""`tapedeck sweep`: what belongs to nobody, told as it is found, with a bar that shows how far the look is."""

import sys
from contextlib import aclosing
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from server.console.api import Api
from server.console.tables import print_json, show_findings

FAILED = "failed"


async def sweep(api: Api, *, delete: bool, as_json: bool) -> bool:
    """Have it done, and tell of it. False if something could not be removed."""
    items: list[Any] = []
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("recordings"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("sweeping", total=None)
        async with aclosing(api.sweep(delete=delete)) as lines:
            async for line in lines:
                if "item" in line:
                    items.append(line["item"])
                elif "progress" in line:
                    done = line["progress"]
                    told = f"sweeping, {done['objects']} objects"
                    bar.update(task, description=told, completed=done["recordings"], total=done["recordingsTotal"])
    if as_json:
        print_json({"items": items})
    else:
        show_findings(items)
        print(f"{len(items)} found", file=sys.stderr)
    return all(item["action"] != FAILED for item in items)
