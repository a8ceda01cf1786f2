"""Where the control database is, as an operator writes it: a path, or a server's URL, which may hold a password."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, ValidationInfo, WithJsonSchema

from gateway.common.folders import SCHEMES
from gateway.config.values.named import looked_up, names
from gateway.config.values.secret import UnknownSecret
from gateway.config.values.units import local


def database(value: Any, info: ValidationInfo) -> Path | SecretStr:
    """A path, or a URL of PostgreSQL's. No message repeats the value: a password may stand in it."""
    if isinstance(value, SecretStr):
        return value
    if names(value):
        context: dict[str, Any] = {"environ": os.environ, **(info.context or {})}
        try:
            value = looked_up(value, context)
        except ValueError:
            if context.get("secrets", True):
                raise
            return UnknownSecret("")
    if not isinstance(value, str) or not value.startswith(SCHEMES):
        return local(value, info)
    try:
        parts = urlsplit(value)
        _ = [] if "," in parts.netloc else [parts.port]  # several hosts each have their own
    except ValueError:
        raise ValueError("is no URL that can be read: write “postgresql://user@host:5432/name”") from None
    if len(parts.path) < 2:
        raise ValueError("names no database: write “postgresql://user@host:5432/name”")
    if parts.fragment:
        raise ValueError("holds a #: in a password it is written as %23")
    return SecretStr(value)


DatabaseText = Annotated[
    Path | SecretStr,
    BeforeValidator(database),
    WithJsonSchema(
        {"type": "string", "examples": ["postgresql://tidegate@db.example:5432/tidegate?sslmode=verify-full"]}
    ),
]
