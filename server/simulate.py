"""`tapedeck simulate`: the Agora simulator by itself, for integrators and tests."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from clients.agora.simulator.app import build_simulator
from clients.agora.simulator.faults import UnknownFault
from clients.agora.simulator.settings import SimulatorSettings
from clients.storage.local import LocalStore
from server.environment import ConfigError


def simulate(
    storage: Annotated[Path, typer.Option(help="Folder that the recordings are written to.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8099,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(help="Folder of its sessions; default: below the storage.")] = None,
    app_id: Annotated[str | None, typer.Option(help="The App ID it knows; default: any.")] = None,
    customer_id: Annotated[str | None, typer.Option(help="The customer it knows; default: any.")] = None,
    customer_secret: Annotated[str | None, typer.Option(help="The customer's secret; default: any.")] = None,
    webhook_url: Annotated[str | None, typer.Option(help="Where notifications are posted; default: nowhere.")] = None,
    webhook_secret: Annotated[str, typer.Option(help="What notifications are signed with.")] = "",
    slice_seconds: Annotated[float, typer.Option(min=1, help="Length of a slice.")] = 15.0,
    max_recorders: Annotated[int, typer.Option(min=1, help="Sessions at once; beyond: code 406.")] = 50,
    requests_per_second: Annotated[float, typer.Option(min=1, help="Requests a second; beyond: 429.")] = 10.0,
    rules_per_second: Annotated[float, typer.Option(min=1, help="Calls about rules a second; beyond: 429.")] = 10.0,
    lists_per_second: Annotated[float, typer.Option(min=1, help="Looks at each list a second; beyond: 429.")] = 20.0,
    rule_delay_seconds: Annotated[float, typer.Option(min=0, help="Until a kicking rule takes effect.")] = 1.0,
    list_lag_seconds: Annotated[float, typer.Option(min=0, help="Until lists of members show a change.")] = 0.5,
    media: Annotated[str, typer.Option(help="What is recorded: tone, or an audio file, looped.")] = "tone",
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=P", help="A fault's probability, repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the faults repeat.")] = None,
    control_open: Annotated[bool, typer.Option("--control-open", help="Control calls from other hosts too.")] = False,
) -> None:
    """Run the Agora simulator by itself.

    It serves Agora's REST API over plain HTTP and writes real media below the storage folder. A Tapedeck uses it with
    AGORA_BASE_URL=http://127.0.0.1:8099 and TAPEDECK_STORAGE__PATH set to the same folder.

    \b
    tapedeck simulate --storage media
    tapedeck simulate --storage media --fault start.answer_lost=0.2 --seed 7
    """
    settings = SimulatorSettings(
        state_dir=(state or storage / ".simulator").absolute(),
        storage_root=storage.absolute(),
        app_id=app_id,
        customer_id=customer_id,
        customer_secret=customer_secret,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        slice_seconds=slice_seconds,
        max_recorders=max_recorders,
        requests_per_second=requests_per_second,
        rules_per_second=rules_per_second,
        lists_per_second=lists_per_second,
        rule_delay_seconds=rule_delay_seconds,
        list_lag_seconds=list_lag_seconds,
        media=media,
        faults=dict(_fault(text) for text in fault or ()),
        seed=seed,
        control_open=control_open,
    )
    if media != "tone" and not Path(media).is_file():
        raise ConfigError(f"--media {media}: there is no such file")
    if webhook_url is not None and not webhook_url.startswith(("http://", "https://")):
        raise ConfigError(f"--webhook-url {webhook_url}: begins with http:// or https://")
    storage.mkdir(parents=True, exist_ok=True)
    try:
        app = build_simulator(settings, LocalStore(settings.storage_root))
    except UnknownFault as error:
        raise ConfigError(f"--fault: {error}") from None
    asyncio.run(_serve(app, host, port))


def _fault(text: str) -> tuple[str, float]:
    name, _, probability = text.partition("=")
    try:
        return name, float(probability)
    except ValueError:
        raise ConfigError(f"--fault {text}: write NAME=P, such as start.answer_lost=0.5") from None


async def _serve(app: web.Application, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        address = runner.addresses[0]
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        print(f"Agora simulator on http://{name}:{address[1]}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
