"""The document: valid, and of exactly the routes that are served."""

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from openapi_spec_validator import validate
from prometheus_client import CollectorRegistry

from clients.agora.client import AgoraAccount
from clients.storage.local import LocalStore
from server.app import Application, Parts
from server.config import Config
from server.errors import ERRORS
from server.metrics import StateMetrics
from server.openapi import document
from server.policy import POLICIES, Scope, assert_all_routes_have_policies


@pytest.fixture
def app(tmp_path: Path) -> Application:
    """Wired as ever, on databases that are not there."""
    registry = CollectorRegistry()
    return Application(
        Parts(
            config=Config(),
            registry=registry,
            metrics=StateMetrics(registry),
            pool=MagicMock(),
            feed=Mock(),
            publisher=Mock(),
            account=AgoraAccount(base_url="http://127.0.0.1:1", app_id="a", customer_id="c", customer_secret="s"),
            secrets=["a-secret-that-is-long-enough-for-it"],
            webhook_secret=None,
            public_url="http://127.0.0.1:1",
            node="n",
            incarnation="i",
            mode={},
            media_root=LocalStore(tmp_path),
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
    assert public == {"/healthz", "/readyz", "/metrics", "/openapi.json", "/errors/{code}"}


def test_security_is_told_as_it_is(app: Application) -> None:
    paths = document()["paths"]
    assert paths["/healthz"]["get"]["security"] == []
    assert paths["/api/v1/recordings"]["get"]["security"] == [{"bearer": []}]
    assert paths["/api/v1/webhooks/agora"]["post"]["security"] == [{"signature": []}]


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
        if "application/problem+json" in response.get("content", {}):
            codes = set(response["description"].split(", ")) - {"no_active_recording"}
            assert {ERRORS[code].status for code in codes} <= {int(status)}


def _template(path: str) -> str:
    return path.replace("{key:.+}", "{key}")
