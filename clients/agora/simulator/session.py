"""A session as it is kept on disk: a function of when it began, how far it was uploaded, and when and why it ended."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from clients.agora.simulator.leg import Leg

PICTURE = ("width", "height", "fps", "bitrate")
"""What of `transcodingConfig` a change of the layout leaves alone (reference 5.2)."""
HIDDEN = ("secret", "salt")
UNSAFE = set("!@#$%^&*()+_.=[]{}~|,;:?<> ")
"""Characters of a channel name that become `-` in file names (reference 8.1)."""


@dataclass(slots=True)
class Session:
    """Times are Unix milliseconds. `uid` is whom it was started as, and what its caller calls it."""

    sid: str
    cname: str
    uid: str
    resource_id: str
    request: dict[str, Any]
    started_at: int
    app_id: str = ""
    slice_ms: int = 15_000
    """How long a slice is: as it was at the start, whatever is set later."""
    ended_at: int | None = None
    exit_reason: str | None = None
    reported_ready: bool = False
    reported_list: bool = False
    reported_left: bool = False
    """Which notifications have been queued."""
    finished: bool = False
    """The recorder is gone and every file is up."""
    dead: bool = False
    """Gone without a word (fault): nothing is uploaded or reported any more."""
    mute: bool = False
    """It never comes up (fault)."""
    backuped: bool = False
    """Some slice went to the backup cloud (fault)."""
    denied: bool = False
    """The storage has refused a slice (fault, or its keys have ended): nothing more is uploaded."""
    dies_at: int | None = None
    evicted_at: int | None = None
    """When faults strike it."""
    move: tuple[int, int, str] | None = None
    """When a fault takes its machine, when the next one joins, and as whom."""
    legs: list[Leg] = field(default_factory=list)
    """One for each machine so far."""
    late: list[tuple[int, int, int]] = field(default_factory=list)
    """Slices that are not uploaded yet (fault): beginning, end, when they come."""
    sequence: int = 0
    progress: int = 0
    next_progress_at: int = 0
    empty_since: int | None = None

    def __post_init__(self) -> None:
        if not self.legs:
            self.legs.append(Leg(self.uid, self.started_at))

    @classmethod
    def read(cls, value: dict[str, Any]) -> "Session":
        """As it was written, also before there were moves."""
        first = {"uid": value["uid"], "since": value["started_at"], "slices": value.pop("slices", [])}
        value["legs"] = [_leg(kept) for kept in value.get("legs") or [first]]
        value["late"] = [tuple(item) for item in value.get("late", [])]
        value["move"] = tuple(value["move"]) if value.get("move") else None
        return cls(**value)

    def written(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def leg(self) -> Leg:
        """The one that captures now."""
        return self.legs[-1]

    @property
    def recorder_uid(self) -> str:
        """As whom the recorder is in the channel now."""
        return self.leg.uid

    @property
    def captured(self) -> bool:
        """Whether there is anything."""
        return any(leg.slices for leg in self.legs)

    def leg_at(self, at_ms: int) -> Leg:
        """The one that captured a slice which began then."""
        return next((leg for leg in reversed(self.legs) if leg.since <= at_ms), self.legs[0])

    def present_at(self, at_ms: int) -> Leg | None:
        """The one that was in the channel then."""
        leg = self.leg_at(at_ms)
        ends = [end for end in (leg.lost_at, self.ended_at) if end is not None]
        return leg if leg.since <= at_ms < min(ends, default=at_ms + 1) else None

    def moves(self) -> None:
        """Its machine is lost; the next one, with another uid and other files, joins a little later (reference 7.5)."""
        assert self.move is not None
        self.leg.lost_at, since, uid = self.move
        self.legs.append(Leg(uid, since, mark=f"bak{len(self.legs) - 1}_"))
        self.move = None
        self.reported_ready = self.reported_list = False

    def is_moving(self, at_ms: int) -> bool:
        """Whether it is between two machines."""
        return at_ms < self.leg.since and len(self.legs) > 1

    @property
    def prefix(self) -> str:
        """The folder of its files, with its slash."""
        segments = self.request["storageConfig"].get("fileNamePrefix") or []
        return "".join(f"{segment}/" for segment in segments)

    @property
    def stem(self) -> str:
        """`<sid>_<cname>`, with the channel's unusual characters replaced."""
        return f"{self.sid}_{''.join('-' if char in UNSAFE else char for char in self.cname)}"

    @property
    def playlist_name(self) -> str:
        return self._playlist_of(self.leg)

    def _playlist_of(self, leg: Leg) -> str:
        return f"{leg.mark}{self.stem}.m3u8"

    @property
    def movie_name(self) -> str:
        return f"{self.leg.mark}{self.stem}_0.mp4"

    def slice_name(self, at_ms: int) -> str:
        """With the UTC time of its beginning, 17 digits (reference 8.1)."""
        return f"{self.leg_at(at_ms).mark}{self.stem}_{utc17(at_ms)}.ts"

    @property
    def wants_mp4(self) -> bool:
        return "mp4" in self._file_config.get("avFileType", ["hls"])

    @property
    def _file_config(self) -> dict[str, Any]:
        return self.request.get("recordingFileConfig") or {}

    @property
    def recording(self) -> dict[str, Any]:
        return self.request.get("recordingConfig") or {}

    @property
    def settings(self) -> dict[str, Any]:
        """How it records now, by the start and the updates since, without what must stay secret."""
        shown = {name: value for name, value in self.recording.items() if name not in HIDDEN}
        return {"recordingConfig": shown, "recordingFileConfig": self._file_config}

    def subscribe(self, wanted: dict[str, Any]) -> None:
        """Replace the lists of the media that are named (reference 5.1)."""
        config = self.recording
        for medium in ("audio", "video"):
            lists = wanted.get(f"{medium}UidList")
            if lists is not None:
                old = f"subscribe{medium}uids"
                config = {name: value for name, value in config.items() if not name.lower().endswith(old)}
                config |= lists
        self.request = {**self.request, "recordingConfig": config}

    def rekey(self, storage: dict[str, Any]) -> None:
        """Write with these settings from now on (reference 5.1)."""
        self.request = {**self.request, "storageConfig": storage}

    def keys_ended(self, at_ms: int) -> bool:
        """Whether its keys were temporary, and held no longer by then."""
        ends_at = self.request["storageConfig"].get("stsExpiration")
        return ends_at is not None and at_ms >= ends_at * 1000

    def arrange(self, layout: dict[str, Any]) -> None:
        """Overwrite the whole arrangement: what is left out is as if it had never been said (reference 5.2)."""
        picture = self.recording.get("transcodingConfig") or {}
        kept = {name: value for name, value in picture.items() if name in PICTURE}
        self.request = {**self.request, "recordingConfig": {**self.recording, "transcodingConfig": {**kept, **layout}}}

    @property
    def max_idle_ms(self) -> int:
        """30 s unless it is said (reference 3.2)."""
        return int(self.recording.get("maxIdleTime", 30)) * 1000

    @property
    def has_video(self) -> bool:
        return bool(self.recording.get("streamTypes", 2) != 0)

    @property
    def track_type(self) -> str:
        return "audio_and_video" if self.has_video else "audio"

    @property
    def correct_extinf(self) -> bool:
        """Whether `privateParams` asks for the comma that HLS wants (reference 3.2)."""
        return '"correctEXTINF":true' in str(self.recording.get("privateParams", "")).replace(" ", "")

    def status(self, now_ms: int, ready_ms: int) -> int:
        """0-8 or 20 (reference 4.1)."""
        if self.ended_at is not None:
            return 7 if self.finished else 6
        if self.mute:
            return 3
        if self.leg.slices:
            return 5
        elapsed_ms = now_ms - self.leg.since
        return 4 if elapsed_ms >= ready_ms else 1 + max(0, 3 * elapsed_ms // ready_ms)

    def files(self) -> list[dict[str, Any]]:
        """`fileList` of query, stop and event 31 in mix mode."""
        begun = [leg for leg in self.legs if leg.slices]
        names = [(self._playlist_of(leg), leg.since) for leg in begun]
        if self.leg.slices and self.wants_mp4 and self.finished:
            names.append((self.movie_name, self.leg.since))
        return [
            {
                "fileName": name,
                "trackType": self.track_type,
                "uid": "0",
                "mixedAllUser": True,
                "isPlayable": True,
                "sliceStartTime": since,
            }
            for name, since in names
        ]

    @property
    def newest_playlist(self) -> str:
        """The name of the one that was uploaded last, or nothing."""
        begun = [leg for leg in self.legs if leg.slices]
        return self._playlist_of(begun[-1]) if begun else ""

    def file_list(self) -> dict[str, Any]:
        """A string for HLS alone, objects with MP4 (reference 4.2)."""
        if self.wants_mp4:
            return {"fileListMode": "json", "fileList": self.files()}
        return {"fileListMode": "string", "fileList": self.newest_playlist}


def _leg(kept: dict[str, Any]) -> Leg:
    return Leg(**{**kept, "slices": [tuple(item) for item in kept["slices"]]})


def utc17(at_ms: int) -> str:
    """`YYYYMMDDHHMMSSmmm`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%d%H%M%S") + f"{at_ms % 1000:03d}"
