"""The request for a stream as bytes, for clients that are no library's."""

_UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==",
)


def stream_request(path: str, token: str, *headers: str, websocket: bool) -> bytes:
    """For a WebSocket, or for Server-Sent Events."""
    upgrade = _UPGRADE if websocket else ()
    lines = (f"GET {path} HTTP/1.1", "Host: h", f"Authorization: Bearer {token}", *upgrade, *headers)
    return "\r\n".join([*lines, "", ""]).encode()
