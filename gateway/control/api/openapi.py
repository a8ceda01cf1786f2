"""The API's description (OpenAPI 3.1), written from the table of endpoints and the models that validate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.control.acts.refusal import MEDIA_TYPE
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.schemas import Done, ProblemDetails
from gateway.control.node.schemas import Ready

REFS = "#/components/schemas/{model}"
NDJSON = "application/x-ndjson"


def describe(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """The whole document."""
    endpoints = tuple(endpoints)
    used: dict[tuple[type[BaseModel], Any], None] = {(ProblemDetails, "serialization"): None}
    for endpoint in endpoints:
        if endpoint.body is not None:
            used[endpoint.body, "validation"] = None
        if endpoint.stream is not None:
            used[endpoint.stream[0], "validation"] = None
            used[endpoint.stream[1], "serialization"] = None
        elif not isinstance(endpoint.answer, str):
            used[endpoint.answer, "serialization"] = None
    refs, definitions = models_json_schema(list(used), ref_template=REFS)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegate admin API",
            "version": version,
            "description": "One token for each person and each machine. Every act takes a reason and goes on record. "
            "x-roles: who may, one of them is enough; x-scope: what a machine's token needs besides, empty where it is "
            "for people alone, * where any does.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(endpoint: Endpoint, refs: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": endpoint.operation, "summary": endpoint.summary}
    if endpoint.handler.__doc__:
        operation["description"] = " ".join(endpoint.handler.__doc__.split())
    if endpoint.open:
        operation["security"] = []
    else:
        operation["x-roles"] = sorted(endpoint.access.roles)
        operation["x-scope"] = endpoint.access.scope
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    parameters += _query(endpoint.query)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = _body("application/json", refs[endpoint.body, "validation"])
    if endpoint.stream is not None:
        operation["requestBody"] = _body(NDJSON, refs[endpoint.stream[0], "validation"])
    operation["responses"] = _responses(endpoint, refs)
    return operation


def _responses(endpoint: Endpoint, refs: Any) -> dict[str, Any]:
    answer = endpoint.answer
    if endpoint.stream is not None:
        content: dict[str, Any] = {NDJSON: {"schema": refs[endpoint.stream[1], "serialization"]}}
    elif isinstance(answer, str):
        content = {answer: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": refs[answer, "serialization"]}}
    problem = {"content": {MEDIA_TYPE: {"schema": refs[ProblemDetails, "serialization"]}}}
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": content}}
    if isinstance(answer, type) and issubclass(answer, Done):
        responses["202"] = {"description": "On record, and not yet in force everywhere.", "content": content}
    if answer is Ready:
        responses["503"] = {"description": "Not fit for traffic.", "content": content}
    responses["default"] = {"description": "Denial (RFC 9457).", **problem}
    return responses


def _body(media: str, schema: Any) -> dict[str, Any]:
    return {"required": True, "content": {media: {"schema": schema}}}


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=REFS)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema.get("properties", {}).items()
    ]
