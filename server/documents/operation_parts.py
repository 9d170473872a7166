"""One operation of the OpenAPI document as a part of a page."""

import json
from typing import Any
from xml.etree.ElementTree import Element

from server.documents.html import Child, element, link, prose, table
from server.documents.schema_tables import described, type_of

Operation = dict[str, Any]
_PROBLEM = "application/problem+json"


def operation_part(method: str, path: str, operation: Operation, document: dict[str, Any]) -> Element:
    """A part that opens; its anchor lies inside, since browsers open what an anchor lies in."""
    parts: list[Child] = [
        element("p", *prose(operation["description"]), id=operation["operationId"]),
        element("p", _security(operation)),
    ]
    if operation["parameters"]:
        parts += [element("h4", "Parameters"), _parameters(operation["parameters"])]
    if "requestBody" in operation:
        parts += [element("h4", "Body"), *_content(operation["requestBody"]["content"], document)]
    parts += [element("h4", "Answers"), *_answers(operation["responses"], document)]
    head = element(
        "summary",
        element("span", method.upper(), class_=f"method {method}"),
        element("code", path),
        element("span", operation["summary"], class_="said"),
    )
    return element("details", head, *parts, class_="operation")


def shown(value: Any) -> Element:
    """An example as text."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return element("pre", element("code", text), tabindex="0")


def _security(operation: Operation) -> str:
    names = [name for each in operation["security"] for name in each]
    words = {
        "bearer": "a bearer token",
        "accessToken": "access_token in the query",
        "signature": "Agora's signature in Agora-Signature-V2",
    }
    return f"Needs {' or '.join(words[name] for name in names)}." if names else "Needs no token."


def _parameters(parameters: list[dict[str, Any]]) -> Element:
    return table(
        ["Name", "In", "Value", "Meaning"],
        [
            [
                [element("code", each["name"])],
                [each["in"]],
                type_of(each["schema"]),
                described({**each["schema"], "description": each.get("description", "")}),
            ]
            for each in parameters
        ],
    )


def _answers(responses: dict[str, Any], document: dict[str, Any]) -> list[Child]:
    good = {status: each for status, each in responses.items() if _PROBLEM not in each.get("content", {})}
    refusals = {status: each for status, each in responses.items() if status not in good}
    parts: list[Child] = []
    for status, response in good.items():
        parts.append(element("h5", f"{status}"))
        names = [name for name in response["headers"] if name != "X-Request-ID"]
        if names:
            parts.append(element("p", *prose(f"Headers: {', '.join(f'`{name}`' for name in names)}.")))
        parts += _content(response.get("content", {}), document) or [element("p", "No body.")]
    return [
        *parts,
        element("h5", "Refusals"),
        table(["Status", "Codes"], [_refusal(*each) for each in refusals.items()]),
    ]


def _refusal(status: str, response: dict[str, Any]) -> list[list[Child]]:
    links: list[Child] = []
    for code in response["description"].split(", "):
        links += [" ", link(f"/errors/{code}", element("code", code))]
    return [[status], links]


def _content(content: dict[str, Any], document: dict[str, Any]) -> list[Child]:
    parts: list[Child] = []
    for media_type, each in content.items():
        parts.append(element("p", element("code", media_type), ": ", *type_of(each.get("schema", {}))))
        if "example" in each:
            parts.append(_example("Example", each["example"]))
        for name, example in each.get("examples", {}).items():
            found = document["components"]["examples"][example["$ref"].rpartition("/")[2]]
            parts.append(_example(f"Example: {name.replace('_', ' ')}", found["value"]))
    return parts


def _example(title: str, value: Any) -> Element:
    return element("details", element("summary", title), shown(value), class_="example")
