"""Whatever may come over the wire, for property tests: bytes, JSON of any shape, and the provider's words with anything in them."""

from typing import Any

from hypothesis import strategies as st

from clients.agora.observing import Unobserved

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40).filter(lambda text: text.isprintable() or "\0" in text)
)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
ANY_BYTES = st.binary(max_size=200) | st.sampled_from(
    (b"", b"<html>502</html>", b"[" * 3000, b'{"a":' * 2000, b"\xef\xbb\xbf{}")
)


class Odd(Unobserved):
    """An observer that keeps the kinds of what made no sense."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def odd(self, call: str, kind: str) -> None:
        self.kinds.append(kind)


def words(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, whatever is in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, ANY_JSON))


ENVELOPES = st.fixed_dictionaries(
    {"noticeId": st.just("n")},
    optional={
        "eventType": ANY_JSON,
        "notifyMs": ANY_JSON,
        "payload": words("sid", "uid", "cname", "sequence", "sendts", "details") | ANY_JSON,
    },
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "code": st.integers(-5, 2000) | ANY_JSON,
        "sid": st.just("38f8e3cfdc474cd56fc1ceba380d7e1a") | ANY_JSON,
        "resourceId": ANY_JSON,
        "reason": ANY_JSON,
        "message": ANY_JSON,
        "status": st.just("success") | ANY_JSON,
        "id": ANY_JSON,
        "success": st.just(True) | ANY_JSON,
        "serverResponse": words("status", "fileList", "sliceStartTime", "uploadingStatus") | ANY_JSON,
        "data": words("channel_exist", "mode", "users", "broadcasters", "audience", "audience_total") | ANY_JSON,
    },
)
