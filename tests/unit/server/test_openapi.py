"""The document: valid, and of exactly the routes that are served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from openapi_spec_validator import validate
from prometheus_client import CollectorRegistry

from actors.domain.model import State
from clients.agora.client import AgoraAccount
from clients.agora.requests import LocalTarget
from clients.storage.local import LocalStore
from server.app import Application, Parts
from server.config import Config
from server.errors import ERRORS
from server.gauges import ServerMetrics
from server.metrics import AuthMetrics
from server.openapi import document
from server.openapi_prose import DESCRIPTIONS
from server.policy import EVERY_ROLE, POLICIES, Policy, Scope, assert_all_routes_have_policies
from server.storage import Storage
from tests.unit.server.documented import complaints


@pytest.fixture
def app(tmp_path: Path) -> Application:
    """Wired as ever, on databases that are not there."""
    registry = CollectorRegistry()
    return Application(
        Parts(
            config=Config(),
            registry=registry,
            metrics=ServerMetrics(registry),
            pool=MagicMock(),
            feed=Mock(),
            publisher=Mock(),
            listener=Mock(),
            account=AgoraAccount(base_url="http://127.0.0.1:1", app_id="a", customer_id="c", customer_secret="s"),
            secrets=["a-secret-that-is-long-enough-for-it"],
            own_secrets=["a-secret-that-is-long-enough-for-it"],
            cluster_secrets=["a-secret-that-is-long-enough-for-it"],
            jwks=None,
            auth_metrics=AuthMetrics(registry),
            webhook_secret=None,
            webhook_url="http://127.0.0.1:1",
            public_url="http://127.0.0.1:1",
            node="n",
            process="p",
            mode={},
            storage=Storage(LocalStore(tmp_path), LocalTarget(), (), lambda: None),
        ),
        Mock(),
    )


def test_it_is_valid_openapi_3_1() -> None:
    validate(document())


def test_it_names_every_route_and_no_other(app: Application) -> None:
    served = {
        (route.method.lower(), _template(route.resource.canonical))
        for route in app.web.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    described = {(method, path) for path, item in document()["paths"].items() for method in item}
    assert served == described


def test_every_route_has_a_policy_and_the_public_ones_are_few(app: Application) -> None:
    assert_all_routes_have_policies(app.web)
    public = {
        route.resource.canonical
        for route, policy in app.web[POLICIES].items()
        if policy.scope is Scope.PUBLIC and route.resource is not None
    }
    assert public == {
        *("/healthz", "/readyz", "/metrics"),
        *("/openapi.json", "/asyncapi.json", "/docs", "/errors/{code}", "/", "/assets/{name}"),
    }


def test_security_is_told_as_it_is(app: Application) -> None:
    expected: dict[Scope, list[dict[str, list[str]]]] = {
        Scope.PUBLIC: [],
        Scope.MEETING: [{"bearer": []}],
        Scope.RECORDING: [{"bearer": []}],
        Scope.OPERATOR: [{"bearer": []}],
    }
    for operation, policy in policies(app):
        if policy.scope in expected:
            stream = [{"accessToken": []}] if policy.stream else []
            assert operation["security"] == expected[policy.scope] + stream
    paths = document()["paths"]
    assert paths["/api/v1/webhooks/agora"]["post"]["security"] == [{"signature": []}]
    assert paths["/media/{key}"]["get"]["security"] == []


def test_who_is_refused_is_told_as_it_is(app: Application) -> None:
    for operation, policy in policies(app):
        codes = {code for response in operation["responses"].values() for code in codes_of(response)}
        asks = policy.scope in (Scope.MEETING, Scope.RECORDING, Scope.OPERATOR)
        refuses = asks and not (policy.roles == EVERY_ROLE and policy.operator)
        assert ("unauthenticated" in codes) is asks
        by_more = operation["operationId"].endswith(("playback", "meetings_meetingId_recordings"))
        if policy.scope is not Scope.SIGNED and not by_more:
            assert ("forbidden" in codes) is refuses, operation["operationId"]
        assert ("not_found" in codes) >= (policy.scope in (Scope.MEETING, Scope.RECORDING))


def test_who_is_let_in_is_told_as_it_is(app: Application) -> None:
    for operation, policy in policies(app):
        said = operation["description"].partition(". ")[0]
        roles = {role.value for role in policy.roles} | ({"operator"} if policy.operator else set())
        assert set(said.removeprefix("For ").split(", ")) == roles or not roles, operation["operationId"]


def test_everything_is_said_in_words() -> None:
    for operation in operations():
        assert operation["summary"]
        for parameter in operation["parameters"]:
            assert parameter["description"], (operation["operationId"], parameter["name"])
        for response in operation["responses"].values():
            assert all(header["description"] for header in response["headers"].values())
    assert {each["operationId"] for each in operations()} == set(DESCRIPTIONS)


def test_examples_are_what_their_schema_says() -> None:
    components = document()["components"]
    for name, example in components["examples"].items():
        schema = name.partition(".")[0]
        found = complaints(example["value"], {"$ref": f"#/components/schemas/{schema}"})
        assert not found, f"{name}: {found}"
    for operation in operations():
        for answer in (*operation["responses"].values(), operation.get("requestBody", {})):
            _check_examples(answer.get("content", {}))


def _check_examples(content: dict[str, Any]) -> None:
    for media_type, each in content.items():
        assert each.get("examples") or each.get("example") or "json" not in media_type or is_open(each["schema"])
        for name, example in each.get("examples", {}).items():
            shown = document()["components"]["examples"][example["$ref"].rpartition("/")[2]]["value"]
            assert not complaints(shown, each["schema"]), name


def is_open(schema: dict[str, Any]) -> bool:
    """A document of another kind, which is no example of itself."""
    return schema == {"$ref": "#/components/schemas/Document"}


def test_a_recording_is_shown_in_every_state_it_can_have_at_this_stage() -> None:
    shown = [example["value"] for name, example in document()["components"]["examples"].items() if "Recording." in name]
    assert {each["state"] for each in shown} == {state.value for state in State} - {"paused"}


def operations() -> list[dict[str, Any]]:
    """All operations of the document."""
    return [operation for item in document()["paths"].values() for operation in item.values()]


def policies(app: Application) -> Iterator[tuple[dict[str, Any], Policy]]:
    """Each operation of the document with the policy of its route."""
    for route, policy in app.web[POLICIES].items():
        if route.resource is not None and route.method != "HEAD":
            yield document()["paths"][_template(route.resource.canonical)][route.method.lower()], policy


def test_every_command_takes_a_key_and_a_preference() -> None:
    for path, item in document()["paths"].items():
        operation = item.get("post")
        if operation is None or path.startswith("/api/v1/webhooks") or path.endswith("/verify"):
            continue  # the provider's, and one that changes nothing
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"Idempotency-Key", "X-Request-ID"} <= names
        if path in ("/api/v1/preflight", "/api/v1/sweep"):
            continue  # waits for no recording
        assert "Prefer" in names
        good = next(iter(operation["responses"].values()))
        assert {"Idempotent-Replayed", "Preference-Applied", "X-Request-ID"} <= set(good["headers"])


def test_queries_are_those_that_validate() -> None:
    parameters = document()["paths"]["/api/v1/recordings"]["get"]["parameters"]
    assert {each["name"] for each in parameters if each["in"] == "query"} == {
        *("status", "state", "externalId", "completeness", "from", "to", "updatedSince", "overdue", "include"),
        *("limit", "offset", "cursor", "meetingId"),
    }
    limit = next(each["schema"] for each in parameters if each["name"] == "limit")
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 50)


def test_bodies_are_those_that_validate() -> None:
    start = document()["components"]["schemas"]["StartBody"]
    assert start["additionalProperties"] is False
    assert set(start["properties"]) == {
        "channelName",
        "channelType",
        "streams",
        "outputs",
        "video",
        "layout",
        "subscribe",
        "maxDuration",
        "maxIdleTime",
        "externalId",
        "metadata",
        "onBehalfOf",
    }


def test_every_problem_is_of_the_closed_list() -> None:
    codes = document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert codes == sorted(ERRORS)
    for item in document()["paths"].values():
        for operation in item.values():
            _check_problems(operation["responses"])


def _check_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        codes = codes_of(response)
        assert response["description"].split(", ") == codes or not codes
        assert {ERRORS[code].status for code in codes if code != "no_active_recording"} <= {int(status)}


def codes_of(response: dict[str, Any]) -> list[str]:
    """The codes that a problem of this answer may have."""
    content = response.get("content", {}).get("application/problem+json")
    if content is None:
        return []
    codes: list[str] = content["schema"]["allOf"][1]["properties"]["code"]["enum"]
    return codes


def _template(path: str) -> str:
    return path.replace("{key:.+}", "{key}")
