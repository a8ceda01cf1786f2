"""The description says what the API does, and the page says what the description says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gateway.control.api.openapi import describe
from gateway.control.features import ENDPOINTS

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "admin-api.md").read_text(encoding="utf-8")


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node))
    return set()


async def test_it_is_served_without_a_token(api: Any) -> None:
    document = await api("GET", "/openapi.json", token="")
    assert (api.status, document["openapi"]) == (200, "3.1.0")
    assert api.headers["Content-Type"].startswith("application/json")


def test_every_endpoint_is_described_and_nothing_else() -> None:
    document = describe(ENDPOINTS, "1")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    operations = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(operations)) == len(operations)


def test_every_reference_leads_somewhere() -> None:
    document = describe(ENDPOINTS, "1")
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


def unbounded(schema: Any) -> bool:
    """Whether a whole number may be larger than a database, or a reader of JSON, can tell apart."""
    if isinstance(schema, list):
        return any(map(unbounded, schema))
    if not isinstance(schema, dict):
        return False
    return (schema.get("type") == "integer" and "maximum" not in schema) or any(map(unbounded, schema.values()))


def test_every_number_that_is_given_has_a_bound() -> None:
    document = describe(ENDPOINTS, "1")
    schemas = document["components"]["schemas"]
    loose = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found = [one["name"] for one in operation.get("parameters", ()) if unbounded(one["schema"])]
            for reference in references(operation.get("requestBody", {})):
                properties = schemas[reference.removeprefix("#/components/schemas/")].get("properties", {})
                found += [name for name, schema in properties.items() if unbounded(schema)]
            loose += [f"{method} {path}: {name}" for name in found]
    assert loose == []


def test_acts_declare_their_reason() -> None:
    document = describe(ENDPOINTS, "1")
    schemas = document["components"]["schemas"]
    free = ("/v1/lists/{name}:try", "/v1/lists/{name}:backtest", "/v1/incidents:preview", "/v1/handover")
    for endpoint in ENDPOINTS:
        # Inside a case the case is the reason.
        inside = endpoint.path.startswith(("/v1/appeals/{id}:", "/v1/review/cases", "/v1/review/samples"))
        if endpoint.method == "GET" or endpoint.path in free or inside or endpoint.access.machine:
            continue
        if endpoint.method == "PUT" and endpoint.path.startswith("/v1/me/"):  # nobody else's business
            continue
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        parameters = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query" and p["required"]}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        required = schemas.get(body.get("$ref", "").rsplit("/", 1)[-1], {}).get("required", [])
        assert "reason" in parameters | set(required), endpoint.path


def test_the_page_lists_the_same_endpoints() -> None:
    rows = re.findall(r"^\| (GET|PUT|POST|DELETE) \| `([^`]+)` \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert {(method, path): what.removesuffix("; needs no token") for method, path, what in rows} == {
        (endpoint.method, endpoint.path): endpoint.summary for endpoint in ENDPOINTS
    }
    for endpoint in ENDPOINTS:
        assert (f"`{endpoint.path}` | {endpoint.summary}; needs no token" in PAGE) == endpoint.open


def test_the_page_lists_the_same_reasons() -> None:
    listed = set(re.findall(r"`(control\.\w+)`", PAGE[PAGE.index("## Refusals") :]))
    listed -= {"control.allow", "control.max_body", "control.max_import"}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway" / "control").rglob("*.py"))
    used = set(re.findall(r'"(control\.[a-z_]+)"', sources)) - {
        "control.serving", "control.call_failed", "control.listen", "control.probes"
    }  # fmt: skip
    used |= {f"control.{what}_unknown" for what in re.findall(r'missing\("(\w+)"\)', sources)}
    used |= {"control.act_unknown", "control.number_unknown"}
    assert listed == used
