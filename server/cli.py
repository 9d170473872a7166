"""The command line: `tapedeck serve | token | recordings | preflight | verify | sweep | simulate | migrate`.

Commands import what is heavy when they run, so that `tapedeck token` answers at once. An error that the user can mend
is one line on stderr; the exit code is 2 for the configuration and the command line, 1 for what the system refuses.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from server.auth import Role, TokenError, mint_token, signing_secrets
from server.config import ConfigError, load_config
from server.console.recordings import Json, Token, Url, ask, verify
from server.console.recordings import app as recordings

PROGRAM = "tapedeck"
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings; default: $TAPEDECK_CONFIG, else ./config.toml."),
]


def _new_app() -> typer.Typer:
    return typer.Typer(
        help="A recording control plane for meetings on Agora.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


app = _new_app()
app.add_typer(recordings, name="recordings")


@app.command()
def serve(config: ConfigFile = None) -> None:
    """Run the server until it is told to stop (SIGTERM, Ctrl-C).

    Settings come from config.toml and the environment. Without AGORA_APP_ID and the rest it runs against the simulator,
    without DATABASE_URL and REDIS_URL on databases of its own in the data directory.

    \b
    tapedeck serve
    PORT=8080 TAPEDECK_DATA_DIR=/var/lib/tapedeck tapedeck serve --config /etc/tapedeck.toml
    """
    loaded = load_config(config, os.environ)
    from server.main import serve as run

    run(loaded)


@app.command()
def token(
    sub: Annotated[str, typer.Option(metavar="NAME", help="Who it stands for.")] = "developer",
    meeting: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A meeting it is for, repeatable; default: all (*).")
    ] = None,
    role: Annotated[Role, typer.Option(help="The role in each of these meetings.")] = Role.HOST,
    operator: Annotated[bool, typer.Option("--operator", help="Add the scope operator.")] = False,
    ttl: Annotated[int, typer.Option(metavar="SECONDS", min=1, help="Seconds until it expires.")] = 3600,
    config: ConfigFile = None,
) -> None:
    """Print a token and nothing else, signed with the server's secret.

    \b
    TOKEN=$(tapedeck token)
    tapedeck token --sub anna --meeting standup --role CO_HOST --ttl 600
    tapedeck token --operator
    """
    secrets = signing_secrets(load_config(config, os.environ))
    if not secrets:
        raise ConfigError("TAPEDECK_JWKS: tokens are signed elsewhere; `tapedeck token` needs TAPEDECK_JWT_SECRET")
    meetings = dict.fromkeys(meeting or ["*"], role.value)
    print(mint_token(secrets[0], sub=sub, meetings=meetings, operator=operator, ttl_seconds=ttl))


app.command()(verify)


@app.command()
def preflight(as_json: Json = False, url: Url = None, token: Token = None, config: ConfigFile = None) -> None:
    """Have a running server look at everything that recordings need; exit code 1 if something does not work.

    \b
    tapedeck preflight
    tapedeck preflight --url https://tapedeck.example.com --json | jq '.checks[] | select(.ok | not)'
    """
    from server.console.preflight import preflight as run

    if not ask(url, token, config, lambda api: run(api, as_json=as_json)):
        raise typer.Exit(1)


@app.command()
def sweep(
    delete: Annotated[
        bool,
        typer.Option("--delete", help="Remove what is old, was found by an earlier sweep too, and can only be ours."),
    ] = False,
    as_json: Json = False,
    url: Url = None,
    token: Token = None,
    config: ConfigFile = None,
) -> None:
    """Have a running server look for what belongs to nobody; exit code 1 if something could not be removed.

    \b
    tapedeck sweep
    tapedeck sweep --delete --json | jq '.items[] | select(.action == "deleted")'
    """
    from server.console.sweep import sweep as run

    if not ask(url, token, config, lambda api: run(api, delete=delete, as_json=as_json)):
        raise typer.Exit(1)


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def simulate(context: typer.Context) -> None:
    """Run the Agora simulator by itself."""
    from server.simulate import simulate as run

    # The options are those of the function, which other commands need not import.
    single = _new_app()
    single.command()(run)
    single(context.args, prog_name=f"{PROGRAM} simulate")


@app.command()
def migrate(config: ConfigFile = None) -> None:
    """Bring the database of DATABASE_URL to this version's schema.

    `serve` does so by itself, unless database.migrate_on_start is false. Several may run at once.

    \b
    DATABASE_URL=postgresql://user@host/tapedeck tapedeck migrate
    """
    url = load_config(config, os.environ).database.url
    if url is None:
        raise ConfigError("DATABASE_URL: is not set; the embedded database is migrated by `tapedeck serve`")
    from clients.postgres.migrate import upgrade

    upgrade(url.get_secret_value())


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with an exit code."""
    try:
        app(arguments, prog_name=PROGRAM)
    except (ConfigError, TokenError) as error:
        _fail(str(error), 2)
    except OSError as error:
        _fail(str(error), 1)


def _fail(message: str, code: int) -> None:
    print(f"{PROGRAM}: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
