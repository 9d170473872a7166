"""`tapedeck recordings list | show | stop | attach` and `tapedeck verify`: what operators do by hand.

What is heavy is imported when a command runs.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from actors.domain.model import Completeness, State, Status
from server.auth import mint_token, signing_secrets
from server.config import ConfigError, load_config
from server.environment import TOKEN_VARIABLE

if TYPE_CHECKING:
    from server.console.api import Api

T = TypeVar("T")
SUB = "tapedeck-cli"
"""Who a token stands for that is made for a command: it shows as `stoppedBy`."""

Url = Annotated[
    str | None, typer.Option(metavar="URL", help="Where the server is; default: on this host, at HOST and PORT.")
]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="JWT",
        envvar=TOKEN_VARIABLE,
        help="The token to send; default: an operator's, signed with this host's secret.",
    ),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings, as for `tapedeck serve`.")]
Json = Annotated[bool, typer.Option("--json", help="Print the JSON of the interface.")]
RecordingId = Annotated[str, typer.Argument(metavar="ID", help="The recording.")]

app = typer.Typer(
    help="List, show and stop the recordings of a running server.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_recordings(
    status: Annotated[list[Status] | None, typer.Option(help="Only these, repeatable.")] = None,
    state: Annotated[list[State] | None, typer.Option(help="Only these, repeatable.")] = None,
    meeting: Annotated[str | None, typer.Option(metavar="ID", help="Only this meeting's.")] = None,
    external_id: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with this externalId.")] = None,
    completeness: Annotated[Completeness | None, typer.Option(help="Only these.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Created then or later; RFC 3339.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="Created before; RFC 3339.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose deadline has passed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="So many at most; with --all, in a page.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="All of them, page after page.")] = False,
    as_json: Json = False,
    url: Url = None,
    token: Token = None,
    config: ConfigFile = None,
) -> None:
    """List recordings, newest first.

    \b
    tapedeck recordings list --state active --state stopping
    tapedeck recordings list --status failed --from 2026-11-22T00:00:00Z --all
    tapedeck recordings list --overdue --json | jq -r '.items[].id'
    """
    given: dict[str, list[str | None]] = {
        "status": [each.value for each in status or ()],
        "state": [each.value for each in state or ()],
        "externalId": [external_id],
        "completeness": [completeness.value if completeness else None],
        "from": [from_],
        "to": [to],
        "overdue": ["true" if overdue else None],
        "limit": [str(limit)],
    }
    query = [(name, value) for name, values in given.items() for value in values if value is not None]
    from server.console.actions import list_all

    ask(url, token, config, lambda api: list_all(api, meeting, query, every=every, as_json=as_json))


@app.command()
def show(
    recording_id: RecordingId, as_json: Json = False, url: Url = None, token: Token = None, config: ConfigFile = None
) -> None:
    """Show a recording and tell its history, each step with its evidence.

    \b
    tapedeck recordings show 01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11
    """
    from server.console.actions import show as run

    ask(url, token, config, lambda api: run(api, recording_id, as_json=as_json))


@app.command()
def stop(
    recording_id: RecordingId,
    wait: Annotated[int, typer.Option(metavar="SECONDS", min=0, max=86400, help="How long to wait for its end.")] = 60,
    as_json: Json = False,
    url: Url = None,
    token: Token = None,
    config: ConfigFile = None,
) -> None:
    """Stop a recording, wait for its end and say what came of it.

    \b
    tapedeck recordings stop 01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11 --wait 300
    """
    from server.console.actions import stop as run

    ask(url, token, config, lambda api: run(api, recording_id, wait, as_json=as_json))


@app.command()
def attach(
    recording_id: RecordingId,
    source: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="A file of this host, or where the server fetches it.")
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What it is called beside the recording; default: as it is.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
    token: Token = None,
    config: ConfigFile = None,
) -> None:
    """Add media that was recovered elsewhere to a recording that is over, which is then proven again.

    \b
    tapedeck recordings attach 01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11 38f8e3cf_standup_20261122100000323.ts
    tapedeck recordings attach 01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11 https://backup.example.com/38f8e3cf_standup_0.mp4
    """
    from server.console.attach import attach as run

    ask(url, token, config, lambda api: run(api, recording_id, source, name, as_json=as_json))


def verify(
    recording_id: RecordingId, as_json: Json = False, url: Url = None, token: Token = None, config: ConfigFile = None
) -> None:
    """Hold every file of a recording against its manifest: presence, size, SHA-256; and name what is not of it.

    The exit code is 1 if anything is not as it was.

    \b
    tapedeck verify 01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11
    tapedeck verify 01993a5e-7c4e-7d6a-b1d1-0f5a2f9c1e11 --json | jq '.items[] | select(.finding != "same")'
    """
    from server.console.verify import verify as run

    if not ask(url, token, config, lambda api: run(api, recording_id, as_json=as_json)):
        raise typer.Exit(1)


def ask(url: str | None, token: str | None, config: Path | None, work: Callable[["Api"], Awaitable[T]]) -> T:
    """Have `work` done with the interface of a running server. Raises CallFailed, ConfigError."""
    from server.console.api import Api

    async def within() -> T:
        async with Api(url or load_config(config, os.environ).local_url, token or _operator_token(config)) as api:
            return await work(api)

    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise typer.BadParameter("begins with http:// or https://", param_hint="--url")
    return asyncio.run(within())


def _operator_token(config: Path | None) -> str:
    secrets = signing_secrets(load_config(config, os.environ))
    if not secrets:
        raise ConfigError("tokens are signed elsewhere: give one with --token or TAPEDECK_TOKEN")
    return mint_token(secrets[0], sub=SUB, meetings={}, operator=True)
