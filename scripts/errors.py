"""Writes docs/errors.md from the list of errors: `python scripts/errors.py` prints it, `--write` stores it.

A test compares the stored page with what this prints, so the page is never out of date.
"""

import sys
from pathlib import Path

from server.errors import ERRORS, Action, ErrorCode

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"

HEAD = """# Errors, and what to do about them

Made by `scripts/errors.py` from `server/errors.py`; do not edit. A running server has a page for each code, `/errors/CODE`.

Every refusal is `application/problem+json` (RFC 9457). Decide by `code`, never by `title` or `detail`, whose words may change; by
`status` for codes that you do not know. `retryable` and `Retry-After` of the answer itself win over this table.
`requestId` finds the request in the server's log.

The rules behind the table:

- Send an `Idempotency-Key` with every POST. Then a repeat with the same key and body is harmless: it is answered with the outcome
  of the first, and nothing is done twice. Keep the key for as long as you repeat; take a new one for a new command.
- No answer at all (a timeout, a cut connection) says nothing about the outcome: repeat with the same key.
- **503 means that nothing was stored**, but for `database_unavailable` with `"outcome": "unknown"`.
- Give up after some repeats: ten, with pauses that double up to a minute, will do for a start.
"""

WORDS = {
    Action.MEND: "The same request is refused again. This is a defect of the caller, or a user's mistake to show.",
    Action.GIVE_UP: "The request was understood, and the state of things is against it. Show it, or go another way.",
    Action.WAIT: "Nothing was done. Wait for `Retry-After`, then send the same request with the same key.",
    Action.REPEAT: "It may have been done or not. Send the same request with the same key, after `Retry-After` if there is one.",
}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(action) for action in Action)])


def section(action: Action) -> str:
    """The codes with one answer to the question what to do."""
    rows = [row(code, error) for code, error in ERRORS.items() if error.action is action]
    head = ["| code | status | it means | do | retryable | Retry-After |", "|---|---|---|---|---|---|"]
    return "\n".join([f"## {action.value.capitalize()}", "", WORDS[action], "", *head, *rows, ""])


def row(code: str, error: ErrorCode) -> str:
    """One code."""
    meaning = f"{error.title}. {error.explanation}" + (" Nothing answers with it yet." if error.reserved else "")
    wait = "-" if error.retry_after_seconds is None else f"{error.retry_after_seconds} s"
    retryable = "yes" if error.retryable else "no"
    return f"| `{code}` | {error.status} | {meaning} | {error.advice} | {retryable} | {wait} |"


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
