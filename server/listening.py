"""Where the server listens. Bound before anything is started, so that a taken port is found at once."""

import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from server.config import Config
from server.middleware import runner_options
from server.settings import HttpSettings

SHUTDOWN_SECONDS = 2.0
"""What a handler is given at the end; aiohttp's default is a minute."""
BACKLOG = 1024
OTHER_FILES = 1000
"""Open files beside the streams: databases, provider, media, other requests."""

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses that stand for all of a host, and how it reaches itself then."""


def allow_files(wanted: int) -> None:
    """A stream is an open file, and most systems allow 1024 until one asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(config: Config) -> socket.socket:
    """Raises OSError for a port that is taken. No SO_REUSEPORT: it would hide that."""
    host, port = config.server.host, config.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}; set PORT or HOST to something free") from None
    return listener


def address_of(listener: socket.socket) -> tuple[str, int]:
    """Host and port."""
    host, port = listener.getsockname()[:2]
    return host, port


def loopback(address: tuple[str, int]) -> str:
    """How this host reaches itself, whatever the server listens on."""
    host = EVERYWHERE.get(address[0], address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def node_name(config: Config, address: tuple[str, int]) -> str:
    """What this server is called among those that share its database. Two of one name oust each other, so what listens on every
    address is called by its host's name; an embedded database has one server at a time, whatever port it took."""
    if config.node.url is not None:
        return config.node.url.rstrip("/")
    if config.database_mode == "embedded":
        return "embedded"
    host, port = address
    return f"http://{loopback((socket.gethostname() if host in EVERYWHERE else host, port))}"


@asynccontextmanager
async def listening(app: web.Application, listener: socket.socket, http: HttpSettings) -> AsyncIterator[None]:
    """The application answers there until the end of the block."""
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS, **runner_options(http))
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()
