"""What a code means, as a page for people: where `type` of a problem leads (api.md 2)."""

from xml.etree.ElementTree import Element

from server.documents.html import Child, element, link, page, table
from server.errors import ERRORS, ErrorCode

RESERVED = "Nothing answers with it yet."


def error_page(code: str) -> str:
    """The page of one code. Raises KeyError for a code that is not in the list."""
    error = ERRORS[code]
    return page(
        code,
        element("h1", error.title),
        element("p", element("code", code), f", status {error.status}"),
        element("p", f"{error.explanation} {RESERVED}" if error.reserved else error.explanation),
        element("h2", "What to do"),
        element("p", element("strong", f"{error.action.value.capitalize()}."), f" {error.advice}"),
        element("p", repetition(error)),
        element("p", link("/docs#errors", "All codes"), " · ", link("/docs", "The interface")),
    )


def error_table() -> Element:
    """All codes with what to do, as a part of a page."""
    return table(["Code", "Status", "It means", "What to do"], [_row(code, error) for code, error in ERRORS.items()])


def repetition(error: ErrorCode) -> str:
    """Whether a repeat helps, and when."""
    if not error.retryable:
        return "A repeat of the same request does not help."
    if error.retry_after_seconds is None:
        return "A repeat may help."
    return f"A repeat may help: Retry-After says when, usually after {error.retry_after_seconds} s."


def _row(code: str, error: ErrorCode) -> list[list[Child]]:
    advice = f" {error.advice}" + (f" {RESERVED}" if error.reserved else "")
    return [
        [link(f"/errors/{code}", element("code", code))],
        [str(error.status)],
        [error.title],
        [element("strong", f"{error.action.value.capitalize()}."), advice],
    ]
