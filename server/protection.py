"""What answers tell a browser about themselves, so that it does nothing with them that was not meant (api.md 5).

Nobody may frame an answer, guess its type, or learn from it where a link led. Pages run and load what this server itself
serves, and nothing that stands in them as text. The media are what other origins may embed: their URLs are signed.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import hdrs, web

POLICY = "Content-Security-Policy"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_EMBEDDED = "/media/"


def protect(app: web.Application) -> None:
    """Adds the headers to every answer; a page that sets a policy of its own keeps it."""
    app.on_response_prepare.append(_add_headers)


def page_policy(media_origins: Collection[str] = ()) -> str:
    """A content security policy: everything from this server, no inline script or style; media from `media_origins` too."""
    media = " ".join(["'self'", "blob:", *media_origins])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"media-src {media}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def origin_of(url: str) -> str:
    """The scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    # A signal and not a middleware: streams and files send their headers before their handlers return.
    headers = response.headers
    headers.update(_ALWAYS)
    embedded = request.path.startswith(_EMBEDDED)
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if embedded else "same-origin"
    if response.content_type == "text/html":
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault(POLICY, page_policy())
        headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")
