"""Forks servers from a process that has loaded everything: `python -m tests.acceptance.mother`.

Loading takes a server far longer than most of its lives in tests. There is no loop and no thread before the fork, and what
is forked runs the same entry as a user's process, on its own environment, log and signals, and ends as the interpreter does.

By its input, a socket, it is handed other sockets. Each asks for one life by a line of JSON; it is told the process's number,
and how it ended when it has.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import NamedTuple

LOADED = (
    "server.cli",
    "server.main",
    "server.simulate",
    "clients.postgres.migrations.apply",
    "tests.acceptance.crashing",
)


class Life(NamedTuple):
    """What a new process is to be: a function that takes arguments, as `module:function`."""

    entry: str
    arguments: Sequence[str]
    environment: dict[str, str]
    log: str


def main() -> None:
    """Comes back in the processes that are born, once each of them lives as it was told."""
    for module in LOADED:
        import_module(module)
    with socket.socket(fileno=os.dup(0)) as requests:
        connection = _next(requests)
    if connection is not None:
        life = _born(connection)
        os.environ.clear()
        os.environ.update(life.environment)
        sys.argv[1:] = life.arguments
        resolve_name(life.entry)(life.arguments)


def _next(requests: socket.socket) -> socket.socket | None:
    """In each process that is forked: who asks for a life. In this one None, when nobody is there any more to ask."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    while handed := socket.recv_fds(requests, 1, 1)[1]:
        connection = socket.socket(fileno=handed[0])
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return connection
        connection.close()
    return None


def _born(connection: socket.socket) -> Life:
    """Comes back in the new process; its parent stays, to tell of its end."""
    with connection, connection.makefile("rw") as asked:
        life = Life(**json.loads(asked.readline()))
        with Path(os.devnull).open("rb") as nothing, Path(life.log).open("ab") as log:
            child = os.fork()
            if child == 0:
                for number, file in enumerate((nothing, log, log)):
                    os.dup2(file.fileno(), number)
                return life
        print(child, file=asked, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=asked, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
