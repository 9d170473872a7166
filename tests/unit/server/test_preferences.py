"""`Prefer`: what is understood is applied and told, everything else is as if it had not been said."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from server.preferences import patience_of


@pytest.mark.parametrize(
    ("given", "seconds", "applied"),
    [
        ([], 10, None),
        (["wait=0"], 0, "wait=0"),
        (["wait=5"], 5, "wait=5"),
        (["WAIT = 5"], 5, "wait=5"),
        (['wait="5"'], 5, "wait=5"),
        (["wait=25"], 25, "wait=25"),
        (["wait=26"], 25, "wait=25"),
        (["wait=999999"], 25, "wait=25"),
        (["return=minimal, wait=3"], 3, "wait=3"),
        (["return=minimal", "wait=3"], 3, "wait=3"),
        (["wait=3, wait=4"], 3, "wait=3"),
        (["respond-async"], 0, "respond-async"),
        (["Respond-Async, wait=5"], 0, "respond-async"),
        (["wait=5", "respond-async"], 0, "respond-async"),
        (["wait=-1"], 10, None),
        (["wait=1.5"], 10, None),
        (["wait="], 10, None),
        (["wait=٣"], 10, None),
        (["wait=1000000000"], 25, "wait=25"),
        (["wait=" + "9" * 5000], 10, None),
        (["wait=3; strict"], 3, "wait=3"),
        (["respond-async;x=1"], 0, "respond-async"),
        (["nonsense"], 10, None),
        ([""], 10, None),
    ],
)
def test_what_a_caller_prefers(given: list[str], seconds: float, applied: str | None) -> None:
    request = make_mocked_request("POST", "/", headers=CIMultiDict(("Prefer", value) for value in given))
    patience = patience_of(request, 10, 25)
    assert (patience.seconds, patience.applied) == (seconds, applied)
    assert patience.headers == ({} if applied is None else {"Preference-Applied": applied})
    assert patience.is_async is (applied == "respond-async")
