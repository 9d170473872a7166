"""`tapedeck preflight`: what a running server finds when it looks at everything, and what to do about it."""

import sys
from typing import Any

from server.console.api import Api
from server.console.tables import print_json, show_checks
from server.console.words import clean


async def preflight(api: Api, *, as_json: bool) -> bool:
    """Whether all is well; warnings do not count."""
    report = await api.preflight()
    if as_json:
        print_json(report)
    else:
        show_checks(report["checks"])
        sys.stdout.writelines(f"{line}\n" for line in _advice(report["checks"]))
    return report["ok"] is True


def _advice(checks: list[Any]) -> list[str]:
    """What to do, a paragraph for each that fails."""
    todo = [check for check in checks if check.get("advice")]
    return [line for check in todo for line in ("", f"{clean(check['name'])}: {clean(check['advice'])}")]
