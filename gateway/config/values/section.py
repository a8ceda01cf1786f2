"""What every part of the configuration shares: frozen, and no key that it does not know."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the file. A default is written as an operator would write it and is checked like any other value."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


def setting(default: Any, meaning: str, **bounds: Any) -> Any:
    """A key with a default. ``meaning`` is its only description: the schema and the documentation show it."""
    return Field(default=default, description=meaning, **bounds)


def required(meaning: str, **bounds: Any) -> Any:
    """A key that has no default."""
    return Field(description=meaning, **bounds)
