"""The body of a kicking rule: one uid out of one channel, and never anything wider (channel management 1.2).

A rule that loses its uid on the way throws everybody out of the channel, so the body is looked at once more as it is sent.
"""

from typing import Any

import orjson

UID_MAX = 2**32 - 1
SECONDS_MIN, SECONDS_MAX = 10, 86_430
JOIN = "join_channel"


def rule_body(app_id: str, channel: str, uid: str, seconds: int) -> dict[str, Any]:
    """Without `ip`, whose empty value is read in two ways. Raises ValueError for a channel or uid that names nobody."""
    if not channel:
        raise ValueError("a kicking rule without a channel is for all channels: it is not sent")
    return {
        "appid": app_id,
        "cname": channel,
        "uid": uid_number(uid),
        "time_in_seconds": min(max(seconds, SECONDS_MIN), SECONDS_MAX),
        "privileges": [JOIN],
    }


def uid_number(uid: str) -> int:
    """Raises ValueError unless it is the decimal number of one user, from 1 to 2**32 - 1."""
    if uid.isascii() and uid.isdigit() and len(uid) <= len(str(UID_MAX)) and 1 <= int(uid) <= UID_MAX:
        return int(uid)
    raise ValueError("a kicking rule needs a uid from 1 to 4294967295: it is not sent")


def names_one(raw: bytes) -> bool:
    """Whether the body, as it is sent, names one uid in one channel."""
    body = orjson.loads(raw)
    channel, uid = body.get("cname"), body.get("uid")
    return isinstance(channel, str) and bool(channel) and type(uid) is int and 1 <= uid <= UID_MAX
