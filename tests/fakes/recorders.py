"""The provider's recorders as the fake keeps them: resources, sessions, and the machines that a session was on."""

from dataclasses import dataclass, field

from actors.domain.model import Layout, Subscription


@dataclass(slots=True)
class Resource:
    """Single-use: for one session of one uid (reference 2)."""

    cname: str
    uid: str
    acquired_at_ms: int
    session: "Session | None" = None


@dataclass(slots=True)
class Leg:
    """A session on one machine. `mark` begins the names of its files after a move (reference 8.1)."""

    uid: str
    since_ms: int
    mark: str = ""
    lost_at_ms: int | None = None
    ready: bool = False


@dataclass(slots=True)
class Session:
    """A recorder in a channel, from its start to its exit. `uid`: whom it was started as."""

    sid: str
    cname: str
    uid: str
    prefix: tuple[str, ...]
    mp4: bool
    live: bool
    """Whether it is of the live profile."""
    max_idle_ms: int
    started_at_ms: int
    subscribe: Subscription
    layout: Layout | None
    next_progress_ms: int
    legs: list[Leg] = field(default_factory=list)
    move: tuple[int, str] | None = None
    """While it is between two machines: when it goes on, and as whom."""
    ended_at_ms: int | None = None
    refused: bool = False
    """It was not let into the channel: there never was a worker."""
    dead: bool = False
    """Gone without a word."""
    mute: bool = False
    """It never comes up."""
    sequence: int = 0

    def __post_init__(self) -> None:
        self.legs.append(Leg(self.uid, self.started_at_ms))

    @property
    def leg(self) -> Leg:
        """The one that captures now, or did last."""
        return self.legs[-1]

    @property
    def ready(self) -> bool:
        """Whether anything was captured."""
        return any(leg.ready for leg in self.legs)

    @property
    def recorder_uid(self) -> str:
        """As whom it is in the channel now, or comes back."""
        return self.leg.uid if self.move is None else self.move[1]

    def present_at(self, at_ms: int) -> str | None:
        """As whom it was in the channel then, if it was."""
        for leg in self.legs:
            ends = [end for end in (leg.lost_at_ms, self.ended_at_ms) if end is not None]
            if leg.since_ms <= at_ms < min(ends, default=at_ms + 1):
                return leg.uid
        return None
