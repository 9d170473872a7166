"""What the calls take: types, ranges and spelling as the reference has them. Whatever is wrong is code 2 with a reason."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

UID = re.compile(r"[1-9][0-9]{0,9}")
UID_MAX = 2**32 - 1
CHANNEL = re.compile(r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,64}")
PREFIX_LENGTH_MAX = 128
PIXELS_MAX = 1920 * 1080

Seconds = Annotated[int, Field(ge=5, le=2_592_000)]
Uids = Annotated[list[str], Field(max_length=32)]


class Wire(BaseModel):
    """Unknown fields are let through, wrong types are not: the service is no stricter."""

    model_config = ConfigDict(strict=True, extra="allow")


class AcquireRequest(Wire):
    scene: Literal[0, 1, 2] = 0
    resourceExpiredHour: Annotated[int, Field(ge=1, le=720)] = 72


class Transcoding(Wire):
    width: Annotated[int, Field(ge=1, le=1920)] = 360
    height: Annotated[int, Field(ge=1, le=1920)] = 640
    fps: Annotated[int, Field(ge=1, le=60)] = 15
    bitrate: Annotated[int, Field(ge=1, le=6500)] = 500
    mixedVideoLayout: Literal[0, 1, 2, 3] = 0
    backgroundColor: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#000000"

    @model_validator(mode="after")
    def _fits(self) -> "Transcoding":
        if self.width * self.height > PIXELS_MAX:
            raise ValueError("more than 1920 x 1080 pixels")
        return self


class RecordingConfig(Wire):
    channelType: Literal[0, 1]
    streamTypes: Literal[0, 1, 2] = 2
    audioProfile: Literal[0, 1, 2] = 0
    maxIdleTime: Seconds = 30
    subscribeAudioUids: Uids | None = None
    subscribeVideoUids: Uids | None = None
    transcodingConfig: Transcoding | None = None

    @model_validator(mode="after")
    def _lists(self) -> "RecordingConfig":
        if self.streamTypes == 0 and self.subscribeVideoUids is not None:
            raise ValueError("a video list with streamTypes 0")
        if self.streamTypes == 1 and self.subscribeAudioUids is not None:
            raise ValueError("an audio list with streamTypes 1")
        for uid in (*(self.subscribeAudioUids or ()), *(self.subscribeVideoUids or ())):
            if uid != "#allstream#" and not is_uid(uid):
                raise ValueError("a uid of a subscription list cannot be converted to uint32")
        return self


class FileConfig(Wire):
    avFileType: list[Literal["hls", "mp4"]] = ["hls"]

    @model_validator(mode="after")
    def _known(self) -> "FileConfig":
        if self.avFileType not in (["hls"], ["hls", "mp4"]):
            raise ValueError("avFileType is hls, or hls and mp4")
        return self


class StorageConfig(Wire):
    vendor: Annotated[int, Field(ge=0, le=11)]
    region: Annotated[int, Field(ge=0)]
    bucket: Annotated[str, Field(min_length=1)]
    accessKey: Annotated[str, Field(min_length=1)]
    secretKey: Annotated[str, Field(min_length=1)]
    fileNamePrefix: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$")]] = []

    @model_validator(mode="after")
    def _short(self) -> "StorageConfig":
        if len("".join(f"{segment}/" for segment in self.fileNamePrefix)) > PREFIX_LENGTH_MAX:
            raise ValueError("fileNamePrefix is too long")
        return self


class StartRequest(Wire):
    token: str | None = None
    recordingConfig: RecordingConfig
    recordingFileConfig: FileConfig = FileConfig()
    storageConfig: StorageConfig


class LayoutRequest(Wire):
    mixedVideoLayout: Literal[0, 1, 2, 3] = 0
    backgroundColor: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#000000"


class UpdateRequest(Wire):
    streamSubscribe: dict[str, Any] | None = None
    storageConfig: StorageConfig | None = None


class StopRequest(Wire):
    async_stop: bool = False


class Refused(Exception):
    """A refusal of the service: HTTP status, code, reason."""

    def __init__(self, status: int, code: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason


def is_uid(text: str) -> bool:
    """A decimal number from 1 to 4294967295."""
    return UID.fullmatch(text) is not None and int(text) <= UID_MAX


def names_of(body: Any, call: str) -> tuple[str, str, dict[str, Any]]:
    """`cname`, `uid` and `clientRequest`. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused(400, 2, f"{call}: the body is not an object")
    cname, uid, request = body.get("cname"), body.get("uid"), body.get("clientRequest")
    if not isinstance(cname, str) or CHANNEL.fullmatch(cname) is None:
        raise Refused(400, 401 if call == "Acquire" else 2, "invalid_channel_name")
    if not isinstance(uid, str) or not is_uid(uid):
        raise Refused(400, 2, f"{call}: invalid uid value!")
    if not isinstance(request, dict):
        raise Refused(400, 2, f"{call}: clientRequest is missing!")
    return cname, uid, request


def checked(model: type[Wire], request: dict[str, Any], call: str) -> None:
    """Raises Refused with the first field that is wrong."""
    try:
        model.model_validate(request)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "clientRequest"
        raise Refused(400, 2, f"{call}: invalid {field} value! {first['msg']}") from None
