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

NOBODY = "nobody"
UNSHARE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
DIES_WITH_US = ("setpriv", "--pdeathsig", "INT", "--")
"""A new user namespace forgets what `prctl` arranged before it, so it is arranged again inside."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """How commands are started, and who must own what they write."""

    bin_dir: Path
    user: tuple[int, int] | None = None
    wrapper: tuple[str, ...] = ()

    def command(self, arguments: Sequence[str]) -> Command:
        """The command, run as this user."""
        return Command([*self.wrapper, *arguments], {"LC_ALL": "C"}, self.user)

    def own(self, path: Path) -> None:
        """Let this user enter and write a folder."""
        if self.user is not None:
            os.chown(path, *self.user)

    def own_tree(self, path: Path) -> None:
        """The same for everything below, in case an earlier start ran as somebody else."""
        if os.geteuid() != 0:
            return
        uid, gid = self.user or (0, 0)
        if path.stat().st_uid == uid:
            return
        for folder, _, files in os.walk(path):
            os.chown(folder, uid, gid)
            for file in files:
                os.chown(Path(folder) / file, uid, gid, follow_symlinks=False)


async def choose(postgres: Path, data_dir: Path) -> RunAs:
    """The first way that works here. Raises EngineFailed."""
    if os.geteuid() != 0:
        return RunAs(postgres.parent)
    entry = pwd.getpwnam(NOBODY)
    nobody = RunAs(postgres.parent, (entry.pw_uid, entry.pw_gid))
    if await _works(nobody, postgres, data_dir):
        return nobody
    mapped = RunAs(postgres.parent, wrapper=UNSHARE + DIES_WITH_US)
    if shutil.which(UNSHARE[0]) and await _works(mapped, postgres, data_dir):
        return mapped
    raise EngineFailed(
        f"Postgres does not run as root, and the user {NOBODY} cannot reach {postgres.parent} and {data_dir}:"
        " put both into folders that others may enter, run as another user, or set DATABASE_URL"
    )


async def _works(way: RunAs, postgres: Path, data_dir: Path) -> bool:
    """Whether it can run the binary, and reach the data directory."""
    return await _succeeds(way, [str(postgres), "--version"]) and await _succeeds(way, ["test", "-x", str(data_dir)])


async def _succeeds(way: RunAs, arguments: Sequence[str]) -> bool:
    quiet = asyncio.subprocess.DEVNULL
    try:
        process = await way.command(arguments).spawn(stdout=quiet, stderr=quiet)
    except OSError:
        return False
    return await process.wait() == 0
