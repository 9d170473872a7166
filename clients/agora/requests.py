"""The bodies that are sent: recording, file and storage settings in the provider's words (reference 2, 3, 5, 6)."""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.domain.model import Layout, RecordingSpec, Subscription, Video

CHANNEL_TYPES = {"communication": 0, "live_broadcasting": 1}
STREAM_TYPES = {"audio": 0, "audio_video": 2}
LAYOUTS = {"floating": 0, "best_fit": 1, "vertical": 2}
ALL_STREAMS = "#allstream#"
AUDIO_PROFILE = 0
"""48 kHz, mono, about 48 kbit/s: speech (reference 3.2)."""
PREFIX_LENGTH_MAX = 128
DEFAULT_VIDEO = Video(width=1280, height=720, fps=15, bitrate=1130)
"""720p at 15 frames a second (api.md 1), with Agora's recommended 1,130 kbit/s for it."""

S3_REGIONS = {
    "us-east-1": 0,
    "us-east-2": 1,
    "us-west-1": 2,
    "us-west-2": 3,
    "eu-west-1": 4,
    "eu-west-2": 5,
    "eu-west-3": 6,
    "eu-central-1": 7,
    "ap-southeast-1": 8,
    "ap-southeast-2": 9,
    "ap-northeast-1": 10,
    "ap-northeast-2": 11,
    "sa-east-1": 12,
    "ca-central-1": 13,
    "ap-south-1": 14,
    "cn-north-1": 15,
    "cn-northwest-1": 16,
    "us-gov-west-1": 17,
    "af-south-1": 18,
    "ap-east-1": 19,
    "ap-northeast-3": 20,
    "eu-north-1": 21,
    "me-south-1": 22,
    "us-gov-east-1": 23,
    "ap-southeast-3": 24,
    "eu-south-1": 25,
    "il-central-1": 28,
}
"""Agora's number of each S3 region (reference 3.5)."""


SSE = {"AES256": "aes256", "aws:kms": "kms"}
"""Amazon's names of encryptions, and Agora's (reference 3.5)."""


class StorageTarget(Protocol):
    """Where the recorder writes."""

    async def keys_end_at_ms(self) -> int | None:
        """Have keys that last long enough for a recorder: when these end. None: never.

        Raises StorageDenied, StorageUnavailable.
        """
        ...

    def config(self, prefix: tuple[str, ...]) -> dict[str, Any]:
        """`storageConfig` (reference 3.5)."""
        ...


@dataclass(frozen=True, slots=True)
class S3Target:
    """The customer's bucket: Amazon's, or with `endpoint` any server that speaks S3 (vendor 11).

    `session_token`: the keys are temporary, and end at `ends_at_ms`. Only Amazon's own may be written with such (reference 3.5).
    """

    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    endpoint: str | None = None
    region_id: int | None = None
    encryption: str | None = None
    session_token: str | None = field(default=None, repr=False)
    ends_at_ms: int | None = None

    async def keys_end_at_ms(self) -> int | None:
        return self.ends_at_ms

    def config(self, prefix: tuple[str, ...]) -> dict[str, Any]:
        """Raises ValueError for a region that Agora does not know, or a prefix that it does not take."""
        common: dict[str, Any] = {
            "bucket": self.bucket,
            "accessKey": self.access_key,
            "secretKey": self.secret_key,
            "fileNamePrefix": checked_prefix(prefix),
        }
        if self.endpoint is not None:
            host = self.endpoint.removeprefix("https://")  # a host is what Agora asks for
            return {"vendor": 11, "region": 0, **common, "extensionParams": {"endpoint": host}}
        if self.session_token is not None and self.ends_at_ms is not None:
            common |= {"stsToken": self.session_token, "stsExpiration": self.ends_at_ms // 1000}
        kept = {"extensionParams": {"sse": SSE[self.encryption]}} if self.encryption is not None else {}
        return {"vendor": 1, "region": region_number(self.region, self.region_id), **common, **kept}


def region_number(region: str, told: int | None) -> int:
    """Agora's number of a region. One that is told stands where Agora has come to know a region since.

    Raises ValueError if the two contradict each other, or nobody knows the region.
    """
    number = S3_REGIONS.get(region, told)
    if number is None:
        raise ValueError(f"Agora knows no S3 region {region}; it knows {', '.join(sorted(S3_REGIONS))}")
    if told not in (None, number):
        raise ValueError(f"Agora's number of the S3 region {region} is {number}, not {told}")
    return number


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """For the simulator, which writes the keys of any vendor but 11 as files (api.md 7): the names are placeholders."""

    async def keys_end_at_ms(self) -> int | None:
        return None

    def config(self, prefix: tuple[str, ...]) -> dict[str, Any]:
        names = {"bucket": "local", "accessKey": "local", "secretKey": "local"}
        return {"vendor": 1, "region": 0, **names, "fileNamePrefix": checked_prefix(prefix)}


def checked_prefix(prefix: tuple[str, ...]) -> list[str]:
    """`fileNamePrefix`: segments of letters and digits, 128 characters with their slashes (reference 3.5)."""
    if not all(re.fullmatch(r"[A-Za-z0-9]+", segment) for segment in prefix):
        raise ValueError("segments of a prefix hold letters and digits only")
    if len("/".join(prefix)) + 1 > PREFIX_LENGTH_MAX:
        raise ValueError(f"the prefix is longer than {PREFIX_LENGTH_MAX} characters")
    return list(prefix)


def acquire_body(cname: str, uid: str) -> dict[str, Any]:
    """A real-time recording (`scene` 0); its resource stays usable for stop and query for 72 hours, the default."""
    return {"cname": cname, "uid": uid, "clientRequest": {"scene": 0}}


def start_body(cname: str, uid: str, spec: RecordingSpec, storage: dict[str, Any], token: str | None) -> dict[str, Any]:
    """`maxIdleTime` is always set: its default of 30 s ends a meeting's recording in a short pause (reference 11.1)."""
    request: dict[str, Any] = {
        "recordingConfig": recording_config(spec),
        "recordingFileConfig": {"avFileType": list(spec.outputs)},
        "storageConfig": storage,
    }
    if token is not None:
        request["token"] = token
    return {"cname": cname, "uid": uid, "clientRequest": request}


def recording_config(spec: RecordingSpec) -> dict[str, Any]:
    """`recordingConfig` in mix mode (reference 3.2)."""
    video = spec.streams == "audio_video"
    config: dict[str, Any] = {
        "channelType": CHANNEL_TYPES[spec.channel_type],
        "streamTypes": STREAM_TYPES[spec.streams],
        "audioProfile": AUDIO_PROFILE,
        "maxIdleTime": spec.max_idle_seconds,
        **subscription(spec.subscribe.audio, spec.subscribe.video, video=video),
    }
    if video:
        config["transcodingConfig"] = _transcoding(spec.video or DEFAULT_VIDEO, spec.layout)
    return config


def subscription(
    audio: tuple[str, ...] | None, video_uids: tuple[str, ...] | None, *, video: bool
) -> dict[str, list[str]]:
    """Allow-lists. One list alone would leave the other medium unrecorded, and audio takes no video list (reference 3.2)."""
    if audio is None and video_uids is None:
        return {}
    lists = {"subscribeAudioUids": _uids(audio)}
    if video:
        lists["subscribeVideoUids"] = _uids(video_uids)
    return lists


def subscription_body(cname: str, uid: str, streams: str, subscribe: Subscription) -> dict[str, Any]:
    """Both lists, always: it is not known whether a medium that is left out keeps its own (reference 5.1)."""
    lists = {"audioUidList": {"subscribeAudioUids": _uids(subscribe.audio)}}
    if streams == "audio_video":
        lists["videoUidList"] = {"subscribeVideoUids": _uids(subscribe.video)}
    return {"cname": cname, "uid": uid, "clientRequest": {"streamSubscribe": lists}}


def storage_body(cname: str, uid: str, storage: dict[str, Any]) -> dict[str, Any]:
    """A complete `storageConfig`, since nothing of the old one is kept (reference 5.1)."""
    return {"cname": cname, "uid": uid, "clientRequest": {"storageConfig": storage}}


def layout_body(cname: str, uid: str, layout: Layout) -> dict[str, Any]:
    return {"cname": cname, "uid": uid, "clientRequest": layout_request(layout)}


def layout_request(layout: Layout | None) -> dict[str, Any]:
    """The arrangement of the panes. An update overwrites everything, so all of it is always said (reference 5.2)."""
    wanted = layout or Layout()
    request: dict[str, Any] = {
        "mixedVideoLayout": LAYOUTS[wanted.template],
        "backgroundColor": wanted.background_color,
    }
    if wanted.max_resolution_uid is not None:
        request["maxResolutionUid"] = wanted.max_resolution_uid
    return request


def _uids(wanted: tuple[str, ...] | None) -> list[str]:
    return [ALL_STREAMS] if wanted is None else list(wanted)


def _transcoding(video: Video, layout: Layout | None) -> dict[str, Any]:
    picture = {"width": video.width, "height": video.height, "fps": video.fps, "bitrate": video.bitrate}
    return {**picture, **layout_request(layout)}
