"""Secrets: written in the file, or better named in it: ``env:NAME``, ``file:/path``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr, ValidationInfo, WithJsonSchema


def secret(value: Any, info: ValidationInfo) -> SecretStr:
    """The secret itself. No message of this function repeats a value: it may be the secret.

    The environment comes from the validation context (``environ``), so that a check never depends on where it runs.
    """
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str):
        raise ValueError("is not text: write “env:NAME”, “file:/path”, or the secret itself")
    context: dict[str, Any] = info.context or {}
    kind, colon, name = value.partition(":")
    if colon and kind == "env":
        found = context.get("environ", os.environ).get(name)
        if not found:
            raise ValueError("names an environment variable that is not set: set it, or use “file:/path”")
        return SecretStr(found)
    if colon and kind == "file":
        path: Path = (context.get("base", Path()) / name).resolve()
        try:
            return SecretStr(path.read_text(encoding="utf-8").removesuffix("\n"))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ValueError(f"names a file that cannot be read ({why}): make it readable, or use “env:NAME”") from None
    return SecretStr(value)


Secret = Annotated[
    SecretStr, BeforeValidator(secret), WithJsonSchema({"type": "string", "examples": ["env:NAME", "file:/path"]})
]
