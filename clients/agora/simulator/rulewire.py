"""What the calls about kicking rules take (channel management 1.2, 1.3). Whatever is wrong is a 400 with a message."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from clients.agora.simulator.wire import CHANNEL, Refused, Wire, is_uid

SECONDS_DEFAULT = 3_600.0
SECONDS_MIN, SECONDS_MAX = 10.0, 86_430.0
MINUTES_MIN, MINUTES_MAX = 1.0, 1_440.0

Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AppId = Annotated[str, StringConstraints(min_length=1)]


class Timed(Wire):
    """How long a rule stands: `time` in minutes, or `time_in_seconds`, which wins."""

    appid: AppId
    time: Length | None = None
    time_in_seconds: Length | None = None

    @property
    def seconds(self) -> float:
        """Within the bounds of the service; 0 says that no rule stays."""
        if self.time_in_seconds is not None:
            return _clamped(self.time_in_seconds, SECONDS_MIN, SECONDS_MAX)
        if self.time is not None:
            return 60 * _clamped(self.time, MINUTES_MIN, MINUTES_MAX)
        return SECONDS_DEFAULT


class NewRule(Timed):
    """The service documents four filters: `ip`, `cname`, `uid`, and `cname` with `uid`. Others are refused here."""

    cname: str | None = None
    uid: str | None = None
    ip: str | None = None
    privileges: Annotated[list[Literal["join_channel", "publish_audio", "publish_video"]], Field(min_length=1)]

    @field_validator("cname")
    @classmethod
    def _channel(cls, value: str | None) -> str | None:
        if value is not None and CHANNEL.fullmatch(value) is None:
            raise ValueError("no channel has that name")
        return value

    @field_validator("uid", mode="before")
    @classmethod
    def _uid(cls, value: Any) -> str | None:
        """A number; clients that send it as text exist. 0 is none, as the worst reading has it."""
        if value is None or (value == 0 and value is not False):
            return None
        if isinstance(value, bool) or not isinstance(value, int | str) or not is_uid(str(value)):
            raise ValueError("a uid is a number from 1 to 4294967295")
        return str(value)

    @field_validator("ip")
    @classmethod
    def _ip(cls, value: str | None) -> str | None:
        """Samples of the service send an empty text for none."""
        if value == "0":
            raise ValueError("an ip is never 0")
        return value or None

    @model_validator(mode="after")
    def _documented(self) -> "NewRule":
        if (self.ip is None) == (self.cname is None and self.uid is None):
            raise ValueError("give ip, or cname, or uid, or cname and uid")
        return self


class ChangedRule(Timed):
    id: int


class EndedRule(Wire):
    appid: AppId
    id: int


Body = TypeVar("Body", bound=Wire)


def read(model: type[Body], body: Any) -> Body:
    """Raises Refused with the first field that is wrong."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Refused(400, None, f"invalid {field}" if field else first["msg"]) from None


def _clamped(length: float, least: float, most: float) -> float:
    return 0.0 if length == 0 else min(max(length, least), most)
