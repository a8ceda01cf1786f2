"""What a JSON Schema says of keys that may be spelled in more than one way: editors must accept what we read."""

from __future__ import annotations

from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

NAMED = {"type": "string", "pattern": "^(env|file):.+"}
"""A value that is named instead of written, see ``gateway.config.values.named``."""

_SAID = ("title", "description", "default", "examples")
_CHECKED = ("pattern", "enum", "minLength", "maxLength")


class OrOne:
    """One item stands for the list of it; ``within``: so it is for each value of the table."""

    def __init__(self, *, within: bool = False) -> None:
        self._within = within

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        if not self._within:
            return {"anyOf": [schema.get("items", {}), schema]}
        for key in ("additionalProperties", "patternProperties"):
            if key == "additionalProperties" and isinstance(several := schema.get(key), dict):
                schema[key] = {"anyOf": [several.get("items", {}), several]}
            elif key in schema:
                schema[key] = {
                    name: {"anyOf": [several.get("items", {}), several]} for name, several in schema[key].items()
                }
        return schema


class OrText:
    """A text stands for the table."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(core)]}


def _alternatives(several: list[Any]) -> list[Any]:
    """Each, and once that it may be named."""
    made: list[Any] = []
    for one in several:
        told = or_named(one)
        made += [each for each in (told["anyOf"] if set(told) == {"anyOf"} else [told]) if each not in made]
    return made


def or_named(schema: Any) -> Any:
    """A schema in which every number, switch and text that must have a form may be named instead."""
    if isinstance(schema, list):
        return [or_named(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("integer", "number", "boolean") or (
        schema.get("type") == "string" and any(key in schema for key in _CHECKED)
    ):
        said = {key: value for key, value in schema.items() if key in _SAID}
        checked = {key: value for key, value in schema.items() if key not in _SAID}
        return {"anyOf": [checked, NAMED], **said}
    return {
        # Names of keys are never named by something else, and a default is a value.
        key: value if key in ("propertyNames", "default", "examples", "enum", "const", "discriminator")
        else {name: or_named(one) for name, one in value.items()} if key in ("properties", "patternProperties", "$defs")
        else _alternatives(value) if key == "anyOf"
        else or_named(value)
        for key, value in schema.items()
    }  # fmt: skip
