"""Secrets: written in the file, or better named in it: ``env:NAME``, ``file:/path``."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr, ValidationInfo, WithJsonSchema

from gateway.config.values.named import looked_up, names


class UnknownSecret(SecretStr):
    """Stands for one that is named and not here: only in a check without secrets."""


def secret(value: Any, info: ValidationInfo) -> SecretStr:
    """The secret itself. No message of this function repeats a value: it may be the secret.

    The environment comes from the validation context (``environ``), so that a check never depends on where it runs.
    With ``secrets`` False in the context what is named is not looked up.
    """
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str):
        raise ValueError("is not text: write “env:NAME”, “file:/path”, or the secret itself")
    if not names(value):
        return SecretStr(value)
    context: dict[str, Any] = {"environ": os.environ, **(info.context or {})}
    if not context.get("secrets", True):
        return UnknownSecret("")
    return SecretStr(looked_up(value, context))


Secret = Annotated[
    SecretStr, BeforeValidator(secret), WithJsonSchema({"type": "string", "examples": ["env:NAME", "file:/path"]})
]
