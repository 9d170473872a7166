"""As whom Postgres runs: it refuses to run as root (recipe 3.10).

Not root: as the caller. Root: as `nobody`; where `nobody` cannot reach the binaries or the data (a clone in a folder of mode
0700), as a mapped user in a user namespace; where there are none (most containers), as `nobody` with leave to pass.
"""

import asyncio
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.embedded.child import Command, EngineFailed

NOBODY = "nobody"
UNSHARE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
DIES_WITH_US = ("setpriv", "--pdeathsig", "INT")
"""Whoever changes the user or its namespace forgets what `prctl` arranged before, so it is arranged again afterwards."""
PASSING = ("--securebits", "+no_setuid_fixup", "--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
"""Keeps the one capability that passes closed folders. Without that secure bit access(2), which initdb asks, ignores it."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """How commands are started, and who must own what they write."""

    bin_dir: Path
    uid: int = 0
    gid: int = 0
    """Who owns the files; 0 is root, or the caller who is not root."""
    wrapper: tuple[str, ...] = ()
    """A program that changes the user; without one the child does so itself."""

    def command(self, arguments: Sequence[str]) -> Command:
        """The command, run as this user."""
        user = (self.uid, self.gid) if self.uid and not self.wrapper else None
        return Command([*self.wrapper, *arguments], {"LC_ALL": "C"}, user)

    def own(self, path: Path) -> None:
        """Let this user enter and write a folder."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def own_tree(self, path: Path) -> None:
        """The same for everything below, in case an earlier start ran as somebody else."""
        if os.geteuid() != 0 or path.stat().st_uid == self.uid:
            return
        for folder, _, files in os.walk(path, topdown=False):  # the top comes last, as the sign that all is done
            os.chown(folder, self.uid, self.gid)
            for file in files:
                os.chown(Path(folder) / file, self.uid, self.gid, follow_symlinks=False)


async def choose(program: Path, data_dir: Path) -> RunAs:
    """The first way that works here. Raises EngineFailed."""
    if os.geteuid() != 0:
        return RunAs(program.parent)
    for way in _ways_of_root(program.parent):
        if await _works(way, program, data_dir):
            return way
    raise EngineFailed(
        f"Postgres does not run as root, and the user {NOBODY} cannot reach {program.parent} and {data_dir}:"
        " put both into folders that others may enter, run as another user, or set DATABASE_URL"
    )


def _ways_of_root(bin_dir: Path) -> Sequence[RunAs]:
    """From the one with the fewest rights."""
    entry = pwd.getpwnam(NOBODY)
    uid, gid = entry.pw_uid, entry.pw_gid
    becomes = ("--reuid", str(uid), "--regid", str(gid), "--clear-groups")
    return (
        RunAs(bin_dir, uid, gid),
        RunAs(bin_dir, wrapper=(*UNSHARE, *DIES_WITH_US, "--")),
        RunAs(bin_dir, uid, gid, wrapper=(*DIES_WITH_US, *becomes, *PASSING, "--")),
    )


async def _works(way: RunAs, program: Path, data_dir: Path) -> bool:
    """Whether it can run the binary, and reach the data directory."""
    return await _succeeds(way, [str(program), "--version"]) and await _succeeds(way, ["test", "-x", str(data_dir)])


async def _succeeds(way: RunAs, arguments: Sequence[str]) -> bool:
    quiet = asyncio.subprocess.DEVNULL
    try:
        process = await way.command(arguments).spawn(stdout=quiet, stderr=quiet)
    except OSError:
        return False
    return await process.wait() == 0
