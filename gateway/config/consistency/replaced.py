"""A document with what ``env:`` and ``file:`` name in their place, as each key wants it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from gateway.config.consistency.translation import kinds_at
from gateway.config.values.named import looked_up, names, typed

Path = tuple[str | int, ...]


class Replaced(NamedTuple):
    """``problems``: what names did not lead to; ``unknown``: those that were not followed, in a check without secrets.
    Neither is in ``document``: the key's default stands for it."""

    document: dict[str, Any]
    problems: dict[Path, str]
    unknown: list[Path]


def replaced(document: dict[str, Any], model: type[BaseModel], context: Mapping[str, Any]) -> Replaced:
    """Secrets are left as they are: they look up their own, and what they hold may look like a name."""
    made = Replaced({}, {}, [])

    def walk(value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            inner = {key: walk(one, (*path, key)) for key, one in value.items()}
            return {key: one for key, one in inner.items() if one is not _GONE}
        if isinstance(value, list):
            return [one for one in (walk(one, (*path, place)) for place, one in enumerate(value)) if one is not _GONE]
        if not names(value):
            return value
        kinds = kinds_at(path, model, document)
        if SecretStr in kinds:
            return value
        try:
            return typed(looked_up(value, context), kinds)
        except ValueError as error:
            if context.get("secrets", True):
                made.problems[path] = str(error)
            else:
                made.unknown.append(path)
            return _GONE

    made.document.update(walk(document, ()))
    return made


_GONE = object()
