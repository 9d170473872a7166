"""A session as it is kept on disk: a function of when it began, how far it was uploaded, and when and why it ended."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

PICTURE = ("width", "height", "fps", "bitrate")
"""What of `transcodingConfig` a change of the layout leaves alone (reference 5.2)."""
HIDDEN = ("secret", "salt")
UNSAFE = set("!@#$%^&*()+_.=[]{}~|,;:?<> ")
"""Characters of a channel name that become `-` in file names (reference 8.1)."""


@dataclass(slots=True)
class Session:
    """Times are Unix milliseconds. `slices`: (file name, seconds) of what was captured and uploaded, in order."""

    sid: str
    cname: str
    uid: str
    resource_id: str
    request: dict[str, Any]
    started_at: int
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
    """The storage has refused a slice (fault): nothing more is uploaded."""
    dies_at: int | None = None
    evicted_at: int | None = None
    """When faults strike it."""
    slices: list[tuple[str, float]] = field(default_factory=list)
    late: list[tuple[int, int, int]] = field(default_factory=list)
    """Slices that are not uploaded yet (fault): beginning, end, when they come."""
    sequence: int = 0
    progress: int = 0
    next_progress_at: int = 0
    empty_since: int | None = None

    @classmethod
    def read(cls, value: dict[str, Any]) -> "Session":
        lists = {name: [tuple(item) for item in value.get(name, [])] for name in ("slices", "late")}
        return cls(**{**value, **lists})

    def written(self) -> dict[str, Any]:
        return asdict(self)

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
        return f"{self.stem}.m3u8"

    @property
    def movie_name(self) -> str:
        return f"{self.stem}_0.mp4"

    def slice_name(self, at_ms: int) -> str:
        """With the UTC time of its beginning, 17 digits (reference 8.1)."""
        return f"{self.stem}_{utc17(at_ms)}.ts"

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
        if self.slices:
            return 5
        elapsed_ms = now_ms - self.started_at
        return 4 if elapsed_ms >= ready_ms else 1 + max(0, 3 * elapsed_ms // ready_ms)

    def files(self) -> list[dict[str, Any]]:
        """`fileList` of query, stop and event 31 in mix mode."""
        if not self.slices:
            return []
        names = [self.playlist_name, *([self.movie_name] if self.wants_mp4 and self.finished else [])]
        return [
            {
                "fileName": name,
                "trackType": self.track_type,
                "uid": "0",
                "mixedAllUser": True,
                "isPlayable": True,
                "sliceStartTime": self.started_at,
            }
            for name in names
        ]

    def file_list(self) -> dict[str, Any]:
        """A string for HLS alone, objects with MP4 (reference 4.2)."""
        if self.wants_mp4:
            return {"fileListMode": "json", "fileList": self.files()}
        return {"fileListMode": "string", "fileList": self.playlist_name if self.slices else ""}


def utc17(at_ms: int) -> str:
    """`YYYYMMDDHHMMSSmmm`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%d%H%M%S") + f"{at_ms % 1000:03d}"
