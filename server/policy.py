"""Authorisation by default: every route names its policy, and a route without one keeps the application from building.

The middleware of this module enforces the policies that a path alone decides. Calls on one recording learn their
meeting from the database only: their handlers call `allow_recording`, and an answer that left without that check is
an error of ours and becomes a 500.
"""

from dataclasses import dataclass
from enum import StrEnum

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.auth import Authenticator, Principal, Role, TokenError
from server.errors import Problem
from server.params import meeting_id_of

EVERY_ROLE = frozenset(Role)
HOSTS = frozenset({Role.HOST, Role.CO_HOST})


class Scope(StrEnum):
    """What a policy is decided by."""

    PUBLIC = "public"  # nobody is asked
    SIGNED = "signed"  # the handler verifies a signature, not a token
    MEETING = "meeting"  # the role in the meeting that the path names
    RECORDING = "recording"  # the role in the recording's meeting, which the handler looks up
    OPERATOR = "operator"  # the operator scope


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call a route. `operator` lets operators in beside the roles; `stream` takes `?access_token=` too; of `long` bodies
    the handler itself bounds the size."""

    scope: Scope
    roles: frozenset[Role] = frozenset()
    operator: bool = False
    stream: bool = False
    long: bool = False


PUBLIC = Policy(Scope.PUBLIC)
SIGNED = Policy(Scope.SIGNED)
MEETING_HOST = Policy(Scope.MEETING, HOSTS)
MEETING_MEMBER = Policy(Scope.MEETING, EVERY_ROLE, operator=True)
MEETING_STREAM = Policy(Scope.MEETING, EVERY_ROLE, operator=True, stream=True)
RECORDING_MEMBER = Policy(Scope.RECORDING, EVERY_ROLE, operator=True)
RECORDING_CONTROL = Policy(Scope.RECORDING, HOSTS, operator=True)
RECORDING_DELETE = Policy(Scope.RECORDING, frozenset({Role.HOST}), operator=True)
OPERATOR = Policy(Scope.OPERATOR, operator=True)
OPERATOR_UPLOAD = Policy(Scope.OPERATOR, operator=True, long=True)
OPERATOR_STREAM = Policy(Scope.OPERATOR, operator=True, stream=True)


def recording_playback(roles: frozenset[Role]) -> Policy:
    """Who may play is a setting, `access.playback_roles`."""
    return Policy(Scope.RECORDING, roles, operator=True)


def sees_private(principal: Principal, meeting_id: str | None) -> bool:
    """Whether `metadata` and `externalId` are shown to this caller; None: of recordings of all meetings."""
    return principal.is_operator or (meeting_id is not None and principal.role_in(meeting_id) in HOSTS)


def may_play(principal: Principal, meeting_id: str | None, players: frozenset[Role]) -> bool:
    """Whether this caller may play the recordings of a meeting; None: of all."""
    return principal.is_operator or (meeting_id is not None and principal.role_in(meeting_id) in players)


POLICIES: web.AppKey[dict[web.AbstractRoute, Policy]] = web.AppKey("policies", dict)
AUTHENTICATOR: web.AppKey[Authenticator] = web.AppKey("authenticator", Authenticator)
PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)
_CHECKED: web.RequestKey[bool] = web.RequestKey("recording_checked", bool)


def route(app: web.Application, method: str, path: str, handler: Handler, *, policy: Policy) -> None:
    """Adds a route with its policy; GET answers HEAD too, except for streams."""
    methods = [method, hdrs.METH_HEAD] if method == hdrs.METH_GET and not policy.stream else [method]
    for each in methods:
        added = app.router.add_route(each, path, handler, expect_handler=_expect)
        app.setdefault(POLICIES, {})[added] = policy


async def _expect(request: web.Request) -> None:
    """Answers `Expect: 100-continue` and overlooks any other expectation, as RFC 9110 10.1.1 allows."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # it is not part of the answer, which may still become an error


def assert_all_routes_have_policies(app: web.Application) -> None:
    """Raises RuntimeError naming the routes that nobody thought about."""
    policies = app.get(POLICIES, {})
    missing = [f"{added.method} {added.resource}" for added in app.router.routes() if added not in policies]
    if missing:
        raise RuntimeError(f"routes without a policy: {', '.join(missing)}")


@web.middleware
async def authorise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a request through to its handler if the route's policy allows it."""
    if request.match_info.http_exception is not None:
        return await handler(request)  # no such path or method: the router's own answer
    policy = request.app[POLICIES][request.match_info.route]
    await _admit(request, policy)
    response = await handler(request)
    if policy.scope is Scope.RECORDING and _CHECKED not in request:
        raise RuntimeError(f"{request.match_info.route} answered without allow_recording")
    return response


async def _admit(request: web.Request, policy: Policy) -> None:
    if policy.scope in (Scope.PUBLIC, Scope.SIGNED):
        return
    principal = await authenticate(request, query_too=policy.stream)
    request[PRINCIPAL] = principal
    if policy.scope is Scope.MEETING:
        _require(policy, principal, meeting_id_of(request))
    elif policy.scope is Scope.OPERATOR and not principal.is_operator:
        raise Problem("forbidden", "this call needs the scope operator")


async def authenticate(request: web.Request, *, query_too: bool = False) -> Principal:
    """The caller, from the Authorization header, or the query where a policy allows it. Raises Problem."""
    token = _bearer(request) or (request.query.get("access_token") if query_too else None)
    if not token:
        raise _unauthenticated("send Authorization: Bearer with a token")
    try:
        return await request.app[AUTHENTICATOR].admit(token)
    except TokenError as error:
        raise _unauthenticated(str(error)) from None


def _bearer(request: web.Request) -> str | None:
    values = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(values) > 1:
        raise Problem("bad_request", "the Authorization header stands there more than once")
    scheme, _, token = values[0].partition(" ") if values else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else None


def _unauthenticated(detail: str) -> Problem:
    return Problem("unauthenticated", detail, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})


def allow_recording(request: web.Request, meeting_id: str) -> None:
    """To be called by each handler of a recording, with the recording's meeting, before it answers. Raises Problem."""
    request[_CHECKED] = True
    _require(request.app[POLICIES][request.match_info.route], request[PRINCIPAL], meeting_id)


def _require(policy: Policy, principal: Principal, meeting_id: str) -> None:
    role = principal.role_in(meeting_id)
    if role in policy.roles or (policy.operator and principal.is_operator):
        return
    if role is None and not principal.is_operator:
        raise Problem("not_found", "there is no such thing, or this token gives no role in its meeting")
    raise Problem("forbidden", f"this call needs one of the roles {', '.join(sorted(policy.roles))}")
