"""As whom Postgres runs: it refuses to run as root (recipe 3.10).

Not root: as the caller. Root: as `nobody`; where `nobody` cannot reach the binaries or the data (a clone in a folder of mode
0700), as a mapped user in a user namespace; where there are none, as `nobody` on a copy of the binaries.
"""

import asyncio
import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.embedded.child import Command, EngineFailed

NOBODY, NOGROUP = "nobody", ("nogroup", "nobody")
UNSHARE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
DIES_WITH_US = ("setpriv", "--pdeathsig", "INT", "--")
"""A new user namespace forgets what `prctl` arranged before it, so it is arranged again inside."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """How commands are started, and who must own what they write."""

    bin_dir: Path
    user: str | None = None
    group: str | None = None
    wrapper: tuple[str, ...] = ()

    def command(self, arguments: Sequence[str]) -> Command:
        """The command, run as this user."""
        return Command([*self.wrapper, *arguments], {"LC_ALL": "C"}, self.user, self.group)

    def own(self, path: Path) -> None:
        """Let this user enter and write a folder."""
        if self.user is not None:
            shutil.chown(path, self.user, self.group)

    def own_tree(self, path: Path) -> None:
        """The same for everything below, in case an earlier start ran as somebody else."""
        if self.user is None and os.geteuid() != 0:
            return
        uid = pwd.getpwnam(self.user).pw_uid if self.user is not None else 0
        if path.stat().st_uid == uid:
            return
        gid = pwd.getpwuid(uid).pw_gid
        for folder, _, files in os.walk(path):
            os.chown(folder, uid, gid)
            for file in files:
                os.chown(Path(folder) / file, uid, gid, follow_symlinks=False)


async def choose(postgres: Path, data_dir: Path) -> RunAs:
    """The first way that works here. Raises EngineFailed."""
    if os.geteuid() != 0:
        return RunAs(postgres.parent)
    nobody = RunAs(postgres.parent, NOBODY, _nogroup())
    if await _works(nobody, postgres, data_dir):
        return nobody
    mapped = RunAs(postgres.parent, wrapper=UNSHARE + DIES_WITH_US)
    if shutil.which(UNSHARE[0]) and await _works(mapped, postgres, data_dir):
        return mapped
    raise EngineFailed(
        f"Postgres does not run as root, and the user {NOBODY} cannot reach {postgres.parent} and {data_dir}:"
        " put both into folders that others may enter, run as another user, or set DATABASE_URL"
    )


def _nogroup() -> str:
    import grp

    known = {group.gr_name for group in grp.getgrall()}
    return next(name for name in NOGROUP if name in known)


async def _works(way: RunAs, postgres: Path, data_dir: Path) -> bool:
    """Whether it can run the binary, and reach the data directory."""
    return await _succeeds(way, [str(postgres), "--version"]) and await _succeeds(way, ["test", "-x", str(data_dir)])


async def _succeeds(way: RunAs, arguments: Sequence[str]) -> bool:
    command = way.command(arguments)
    try:
        process = await asyncio.create_subprocess_exec(
            *command.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            user=command.user,
            group=command.group,
            extra_groups=[] if command.user is not None else None,
        )
    except OSError:
        return False
    return await process.wait() == 0
