"""What clients may send, as strict models: they validate, and the OpenAPI document is made from them."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from actors.domain.commands import UpdateRecording
from actors.domain.model import Actor, Completeness, Layout, RecordingSpec, State, Status, Subscription, Video
from server.fields import (
    CHANNEL_CHARACTERS,
    IN_DIGITS,
    WHOLE,
    MeetingName,
    Metadata,
    Outputs,
    Selection,
    ShortText,
    Time,
    Uid,
    wrong,
)

BITS_PER_PIXEL = 1_130_000 / (1280 * 720 * 15)
"""Of Agora's recommendation for 720p at 15 frames a second, 1,130 kbit/s; other sizes are taken to need as much a pixel."""
BITRATE_MAX = 6500


def _picture_needs_video(schema: dict[str, Any]) -> None:
    """Says in the document what the validators of the body hold: without `audio_video` there is no picture to speak of."""
    everybody = {"type": "object", "properties": {"video": {"const": "all"}}}
    schema["if"] = {"properties": {"streams": {"const": "audio_video"}}, "required": ["streams"]}
    schema["else"] = {
        "properties": {
            "video": {"type": "null"},
            "layout": {"type": "null"},
            "subscribe": {"anyOf": [everybody, {"type": "null"}]},
        }
    }


class Body(BaseModel):
    """A JSON body: camelCase, no unknown field, no conversion."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


class VideoBody(Body):
    """The picture. Pixels, frames a second, kbit/s; what is left out is chosen for the rest."""

    width: Annotated[int, Field(ge=1, le=1920), WHOLE] = 1280
    """pixels; with the height 1920 x 1080 at most"""
    height: Annotated[int, Field(ge=1, le=1920), WHOLE] = 720
    """pixels"""
    fps: Annotated[Literal[1, 7, 10, 15, 24, 30, 60], WHOLE] = 15
    """frames a second"""
    bitrate: Annotated[int, Field(ge=1, le=BITRATE_MAX), WHOLE] | None = None
    """kbit/s; null: as Agora recommends for the rest"""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width * self.height > 1920 * 1080:
            raise wrong("has more than 1920 x 1080 pixels")
        return self

    def to_domain(self) -> Video:
        wanted = round(self.width * self.height * self.fps * BITS_PER_PIXEL / 1000)
        return Video(self.width, self.height, self.fps, self.bitrate or max(1, min(wanted, BITRATE_MAX)))


class LayoutBody(Body):
    """How the panes are arranged."""

    template: Literal["floating", "best_fit", "vertical"] = "best_fit"
    max_resolution_uid: Uid | None = None
    """who is shown large, with vertical"""
    background_color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#000000"

    def to_domain(self) -> Layout:
        return Layout(self.template, self.max_resolution_uid, self.background_color)


class SubscribeBody(Body):
    """Whose streams are recorded."""

    audio: Selection = Field(default="all", validate_default=True)
    """who is heard: all, or uids"""
    video: Selection = Field(default="all", validate_default=True)
    """who is seen: all, or uids; uids with audio_video only"""

    def to_domain(self) -> Subscription:
        audio = None if self.audio is None else tuple(self.audio)
        return Subscription(audio, None if self.video is None else tuple(self.video))


def _without_defaults(schema: dict[str, Any]) -> None:
    """For the document: what a change leaves out stays as it is."""
    for each in schema["properties"].values():
        each.pop("default", None)


class LayoutChange(LayoutBody):
    """The arrangement's fields that change; `maxResolutionUid` null: no pane is preferred any more."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def given(self) -> dict[str, Any]:
        """The fields of the domain's `Layout` that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class SubscribeChange(SubscribeBody):
    """The media whose subscription changes."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def given(self) -> dict[str, Any]:
        """The fields of the domain's `Subscription` that were sent."""
        wanted = self.to_domain()
        return {name: getattr(wanted, name) for name in self.model_fields_set}


class UpdateBody(Body):
    """What is to change of a live recording. Every field may be left out, and what is left out stays as it is."""

    layout: LayoutChange | None = None
    """of audio_video only"""
    subscribe: SubscribeChange | None = None
    """who is heard and seen from now on"""

    def to_command(self, by: Actor) -> UpdateRecording:
        return UpdateRecording(
            by=by,
            subscribe={} if self.subscribe is None else self.subscribe.given(),
            layout=None if self.layout is None else self.layout.given(),
        )


class StartBody(Body):
    """Start's body; every field may be left out."""

    model_config = ConfigDict(json_schema_extra=_picture_needs_video)

    channel_name: Annotated[str, Field(pattern=CHANNEL_CHARACTERS)] | None = None
    """Agora's channel; null: the meeting's id, which then has 63 characters at most"""
    channel_type: Literal["communication", "live_broadcasting"] | None = None
    """Agora's channel profile; null: the setting `agora.channel_type`"""
    streams: Literal["audio", "audio_video"] = "audio"
    """what is recorded"""
    outputs: Outputs = ["hls", "mp4"]
    """what is made of it; HLS always is"""
    video: VideoBody | None = None
    """with audio_video only"""
    layout: LayoutBody | None = None
    """with audio_video only"""
    subscribe: SubscribeBody | None = None
    """null: everybody"""
    max_duration: Annotated[int, Field(ge=60, le=82800), WHOLE] | None = None
    """seconds; null: the setting `recording.max_duration_seconds`"""
    max_idle_time: Annotated[int, Field(ge=5, le=86400), WHOLE] | None = None
    """seconds with nobody in the channel that end it; null: the setting `recording.max_idle_seconds`"""
    external_id: ShortText | None = None
    """the application's own id, which lists can be filtered by"""
    metadata: Metadata = {}
    """anything of the application's, 4096 bytes as JSON at most"""
    on_behalf_of: ShortText | None = None
    """who is to stand in startedBy; from service tokens only, those with a role in `*`"""

    @field_validator("video", "layout")
    @classmethod
    def _has_a_picture(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("streams") == "audio":
            raise wrong("goes with streams audio_video only")
        return value

    @field_validator("subscribe")
    @classmethod
    def _is_seen(cls, value: SubscribeBody | None, info: ValidationInfo) -> SubscribeBody | None:
        if value is not None and value.video is not None and info.data.get("streams") == "audio":
            raise wrong("video goes with streams audio_video only")
        return value

    def to_spec(self, meeting_id: str, channel_type: str, max_duration: int, max_idle: int) -> RecordingSpec:
        """The domain's request; the arguments are the defaults of what was left out."""
        video = self.video or (VideoBody() if self.streams == "audio_video" else None)
        layout = self.layout or (LayoutBody() if self.streams == "audio_video" else None)
        return RecordingSpec(
            channel_name=self.channel_name or meeting_id,
            channel_type=self.channel_type or channel_type,
            streams=self.streams,
            outputs=tuple(self.outputs),
            video=video.to_domain() if video is not None else None,
            layout=layout.to_domain() if layout is not None else None,
            subscribe=self.subscribe.to_domain() if self.subscribe is not None else Subscription(),
            max_duration_seconds=self.max_duration or max_duration,
            max_idle_seconds=self.max_idle_time or max_idle,
            external_id=self.external_id,
            metadata=self.metadata,
        )


class StopBody(Body):
    """The body of stop and end."""

    on_behalf_of: ShortText | None = None
    """who is to stand in stoppedBy; from service tokens only, those with a role in `*`"""


class AttachBody(Body):
    """Where the file is that is to be added; or the file itself is the body, with its own type."""

    url: Annotated[str, Field(min_length=1, max_length=4096)]
    """http or https, at a public address"""


class Query(BaseModel):
    """A query: camelCase, no unknown parameter."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class ListParameters(Query):
    """The query of a list. `cursor` and `offset` exclude each other; times are Unix milliseconds here."""

    status: list[Literal["processing", "completed", "failed", "deleted"]] = []
    state: list[State] = []
    external_id: Annotated[
        ShortText | None, Field(description="HOST, CO_HOST and operators only; whoever is not shown it gets a 403")
    ] = None
    completeness: Completeness | None = None
    from_: Annotated[Time | None, Field(alias="from", description="created at that time or later")] = None
    to: Annotated[Time | None, Field(description="created before that time")] = None
    updated_since: Annotated[Time | None, Field(description="changed at that time or later")] = None
    overdue: Annotated[
        Literal["true", "false"], Field(description="true: only what is not over though its deadlineAt has passed")
    ] = "false"
    include: Annotated[
        Literal["playback"] | None,
        Field(description="adds `playback` to each item; for roles that may play only, else a 403"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=100), IN_DIGITS] = 50
    offset: Annotated[int, Field(ge=0, le=10**9), IN_DIGITS] = 0
    cursor: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.cursor is not None and "offset" in self.model_fields_set:
            raise wrong("cursor and offset exclude each other")
        return self

    @property
    def statuses(self) -> tuple[Status, ...]:
        return tuple(Status(status) for status in self.status)


class OperatorListParameters(ListParameters):
    """The operators' list may be narrowed to a meeting."""

    meeting_id: MeetingName | None = None


class HistoryParameters(Query):
    """The query of a history."""

    limit: Annotated[int, Field(ge=1, le=500), IN_DIGITS] = 100
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")] | None = None


class VerifyParameters(Query):
    """The query of a verification."""

    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")] | None = None


class SweepParameters(Query):
    """The query of a sweep."""

    delete: Annotated[
        Literal["true", "false"],
        Field(description="true: what is old and was found by an earlier sweep too is removed; else it is only told"),
    ] = "false"


class PlaybackParameters(Query):
    """The query of playback. Seconds; the largest value is a setting."""

    expires_in: Annotated[int, Field(ge=60), IN_DIGITS] | None = None


FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")


class AttachParameters(Query):
    """What an added file is to be called; the last part of its URL when that is left out."""

    name: Annotated[str, Field(pattern=f"^{FILE_NAME.pattern}$")] | None = None


class NoParameters(Query):
    """A call that takes no query."""
