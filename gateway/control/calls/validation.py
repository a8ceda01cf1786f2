"""From pydantic's errors to ours: where and what, never the value (law 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.control.acts.refusal import ControlError
from gateway.control.calls.schemas import MAX_IDENT, is_printable

M = TypeVar("M", bound=BaseModel)


def problems(root: str, error: ValidationError) -> list[dict[str, Any]]:
    """``[{"where": "body.credit", "problem": "…"}]``. A key that does not belong there is not quoted either."""
    told: list[dict[str, Any]] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = [str(part) for part in item["loc"]]
        if item["type"] == "extra_forbidden":
            path[-1] = "(unknown key)"
        told.append({"where": ".".join(part for part in (root, *path) if part), "problem": item["msg"]})
    return told


def body(model: type[M], data: bytes) -> M:
    """A JSON body; 400 with everything that is wrong with it."""
    try:
        return model.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise _refused("body", error) from None


def query(model: type[M], given: dict[str, str]) -> M:
    """Query parameters; 400 with everything that is wrong with them."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refused("query", error) from None


def placeholders(given: Mapping[str, str]) -> None:
    """What stood in the path; 400 for what no id of ours and of no platform holds."""
    told = [
        {"where": f"path.{name}", "problem": "must be 1 to 256 characters, none of them a control character"}
        for name, value in given.items()
        if not 0 < len(value) <= MAX_IDENT or not is_printable(value)
    ]
    if told:
        raise ControlError(400, "control.invalid", "The request is not what this endpoint takes; see errors.", told)


def _refused(root: str, error: ValidationError) -> ControlError:
    told = problems(root, error)
    if any(problem["where"] == f"{root}.reason" for problem in told):
        return ControlError(400, "control.reason_missing", "Every act needs a reason of 1 to 256 characters.", told)
    return ControlError(400, "control.invalid", "The request is not what this endpoint takes; see errors.", told)
