"""What every part of the configuration shares: frozen, no key that it does not know, and no value of another type.

A text is no number, ``"true"`` is no switch and 1.0 is no whole number: what is written in quotes is a text, and a slip
is better told than guessed at. Two things are read as TOML has them: a list is what a tuple is made of, and the keys of
a table are texts, whatever they count.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema


def _as_toml_has_it(schema: Any) -> None:
    """Lists for tuples, and texts for the keys of tables."""
    if isinstance(schema, dict):
        if schema.get("type") == "tuple":
            schema["strict"] = False
        if schema.get("type") == "dict" and isinstance(keys := schema.get("keys_schema"), dict):
            keys["strict"] = False
        for one in schema.values():
            _as_toml_has_it(one)
    elif isinstance(schema, list | tuple):
        for one in schema:
            _as_toml_has_it(one)


class Section(BaseModel):
    """A table of the file. A default is written as an operator would write it and is checked like any other value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True, strict=True, allow_inf_nan=False
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _as_toml_has_it(schema)
        return schema


def setting(default: Any, meaning: str, **bounds: Any) -> Any:
    """A key with a default. ``meaning`` is its only description: the schema and the documentation show it."""
    return Field(default=default, description=meaning, **bounds)


def required(meaning: str, **bounds: Any) -> Any:
    """A key that has no default."""
    return Field(description=meaning, **bounds)
