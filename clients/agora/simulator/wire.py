"""What the calls take: types, ranges and spelling as the reference has them. Whatever is wrong is code 2 with a reason."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

UID = re.compile(r"[1-9][0-9]{0,9}")
UID_MAX = 2**32 - 1
CHANNEL = re.compile(r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,64}")
PREFIX_LENGTH_MAX = 128
PIXELS_MAX = 1920 * 1080
EVERYBODY = "#allstream#"
SALTED = (7, 8)
"""Modes of encryption that need a salt (reference 3.2)."""
ANY_S3 = 11
WITH_STS = (1, 2, 3)
"""Vendors that temporary keys are taken for (reference 3.5)."""
REGIONS_MAX = {1: 28, 2: 27, 3: 19, 4: 9, 5: 0, 6: 0, 7: 15, 8: 7, ANY_S3: 0}
"""The highest number of a region that each storage vendor has (reference 3.5)."""

Seconds = Annotated[int, Field(ge=5, le=2_592_000)]
Uids = Annotated[list[str], Field(max_length=32)]
Share = Annotated[float, Field(ge=0, le=1)]


class Wire(BaseModel):
    """Unknown fields are let through, wrong types are not: the service is no stricter."""

    model_config = ConfigDict(strict=True, extra="allow")


class AcquireRequest(Wire):
    """`startParameter` is not looked into: what is wrong in it fails the start (reference 2)."""

    scene: Literal[0, 1, 2] = 0
    resourceExpiredHour: Annotated[int, Field(ge=1, le=720)] = 72
    region: Literal["CN", "AP", "EU", "NA"] | None = None
    excludeResourceIds: list[str] = []
    startParameter: dict[str, Any] | None = None


class Pane(Wire):
    """Where a layout of one's own puts a stream, as shares of the canvas."""

    uid: str | None = None
    x_axis: Share
    y_axis: Share
    width: Share
    height: Share
    alpha: Share = 1.0
    render_mode: Literal[0, 1] = 0


class LayoutRequest(Wire):
    """How the panes are arranged: in start, and as the whole of updateLayout (reference 3.6, 5.2)."""

    mixedVideoLayout: Literal[0, 1, 2, 3] = 0
    maxResolutionUid: str | None = None
    backgroundColor: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#000000"
    layoutConfig: Annotated[list[Pane], Field(max_length=17)] = []

    @model_validator(mode="after")
    def _uids(self) -> Self:
        if self.maxResolutionUid is not None and not is_uid(self.maxResolutionUid):
            raise ValueError("maxResolutionUid is no uid")
        return self


class Transcoding(LayoutRequest):
    width: Annotated[int, Field(ge=1, le=1920)] = 360
    height: Annotated[int, Field(ge=1, le=1920)] = 640
    fps: Annotated[int, Field(ge=1, le=60)] = 15
    bitrate: Annotated[int, Field(ge=1, le=6500)] = 500

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width * self.height > PIXELS_MAX:
            raise ValueError("more than 1920 x 1080 pixels")
        return self


class AudioList(Wire):
    """Whose sound is wanted, or not wanted. The deny-list has two spellings, and both are taken (reference 3.2)."""

    subscribeAudioUids: Uids | None = None
    unsubscribeAudioUids: Annotated[
        Uids | None, Field(validation_alias=AliasChoices("unsubscribeAudioUids", "unSubscribeAudioUids"))
    ] = None

    @model_validator(mode="after")
    def _audio(self) -> Self:
        _check_lists("audio", self.subscribeAudioUids, self.unsubscribeAudioUids)
        return self


class VideoList(Wire):
    """The same for pictures."""

    subscribeVideoUids: Uids | None = None
    unsubscribeVideoUids: Annotated[
        Uids | None, Field(validation_alias=AliasChoices("unsubscribeVideoUids", "unSubscribeVideoUids"))
    ] = None

    @model_validator(mode="after")
    def _video(self) -> Self:
        _check_lists("video", self.subscribeVideoUids, self.unsubscribeVideoUids)
        return self


class RecordingConfig(AudioList, VideoList):
    channelType: Literal[0, 1]
    streamTypes: Literal[0, 1, 2] = 2
    decryptionMode: Annotated[int, Field(ge=0, le=8)] = 0
    secret: str | None = None
    salt: str | None = None
    audioProfile: Literal[0, 1, 2] = 0
    videoStreamType: Literal[0, 1] = 0
    maxIdleTime: Seconds = 30
    privateParams: str | None = None
    transcodingConfig: Transcoding | None = None

    @model_validator(mode="after")
    def _media(self) -> Self:
        if self.streamTypes == 0 and (self.subscribeVideoUids, self.unsubscribeVideoUids) != (None, None):
            raise ValueError("a video list with streamTypes 0")
        if self.streamTypes == 1 and (self.subscribeAudioUids, self.unsubscribeAudioUids) != (None, None):
            raise ValueError("an audio list with streamTypes 1")
        return self

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.decryptionMode and not self.secret:
            raise ValueError("decryptionMode needs a secret")
        if self.decryptionMode in SALTED and not self.salt:
            raise ValueError("this decryptionMode needs a salt")
        return self


class FileConfig(Wire):
    avFileType: list[Literal["hls", "mp4"]] = ["hls"]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.avFileType not in (["hls"], ["hls", "mp4"]):
            raise ValueError("avFileType is hls, or hls and mp4")
        return self


class ExtensionParams(Wire):
    sse: Literal["kms", "aes256"] | None = None
    tag: str | None = None
    endpoint: str | None = None


class StorageConfig(Wire):
    vendor: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 11]
    region: Annotated[int, Field(ge=0)]
    bucket: Annotated[str, Field(min_length=1)]
    accessKey: Annotated[str, Field(min_length=1)]
    secretKey: Annotated[str, Field(min_length=1)]
    stsToken: str | None = None
    stsExpiration: Annotated[int, Field(ge=1)] | None = None
    fileNamePrefix: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$")]] = []
    extensionParams: ExtensionParams | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.region > REGIONS_MAX.get(self.vendor, self.region):
            raise ValueError(f"vendor {self.vendor} has no region {self.region}")
        if (self.stsToken is None) != (self.stsExpiration is None):
            raise ValueError("stsToken and stsExpiration belong together")
        if self.stsToken is not None and self.vendor not in WITH_STS:
            raise ValueError(f"vendor {self.vendor} takes no temporary keys")
        if self.vendor == ANY_S3 and not (self.extensionParams and self.extensionParams.endpoint):
            raise ValueError(f"vendor {ANY_S3} needs extensionParams.endpoint")
        return self

    @model_validator(mode="after")
    def _short(self) -> Self:
        if len("".join(f"{segment}/" for segment in self.fileNamePrefix)) > PREFIX_LENGTH_MAX:
            raise ValueError("fileNamePrefix is too long")
        return self


class StartRequest(Wire):
    token: str | None = None
    recordingConfig: RecordingConfig
    recordingFileConfig: FileConfig = FileConfig()
    storageConfig: StorageConfig
    snapshotConfig: None = None
    """Of individual mode alone, as the next is of web mode (reference 3.1)."""
    extensionServiceConfig: None = None


class StreamSubscribe(Wire):
    audioUidList: AudioList | None = None
    videoUidList: VideoList | None = None


class UpdateRequest(Wire):
    streamSubscribe: StreamSubscribe | None = None
    storageConfig: StorageConfig | None = None


class StopRequest(Wire):
    async_stop: bool = False


class Refused(Exception):
    """A refusal of the service: HTTP status, code, reason. Channel management has no codes: None."""

    def __init__(self, status: int, code: int | None, reason: str) -> None:
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason


def is_uid(text: str) -> bool:
    """A decimal number from 1 to 4294967295."""
    return UID.fullmatch(text) is not None and int(text) <= UID_MAX


def _check_lists(medium: str, wanted: list[str] | None, unwanted: list[str] | None) -> None:
    if wanted is not None and unwanted is not None:
        raise ValueError(f"an allow-list and a deny-list for {medium}")
    for uid in (*(wanted or ()), *(unwanted or ())):
        if uid != EVERYBODY and not is_uid(uid):
            raise ValueError("a uid inside the list cannot be converted to uint32")


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
