"""Values that are named instead of written: ``env:NAME`` and ``file:/path``, for any text, number or switch.

A secret reads its own (``gateway.config.values.secret``), so that what it holds is never looked at again. All else is
put in its place before anything is validated; what is told of a problem is what stands in the file, not what it led to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

KINDS = ("env", "file")
_INTEGER = re.compile(r"[+-]?[0-9]+")


def names(value: Any) -> bool:
    """Whether it is the name of a value."""
    return isinstance(value, str) and value.partition(":")[0] in KINDS and ":" in value


def looked_up(value: str, context: Mapping[str, Any]) -> str:
    """What ``env:NAME`` or ``file:/path`` names, without a line feed at its end. ``context`` holds ``environ``, and
    ``base`` for relative paths. ValueError without the value: it may be a secret."""
    kind, _, name = value.partition(":")
    if kind == "env":
        found: str | None = context["environ"].get(name)
        if not found:
            raise ValueError("names an environment variable that is not set: set it, or use “file:/path”")
        return found
    try:
        path: Path = (context.get("base", Path()) / name).resolve()
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text, or no path"
        raise ValueError(f"names a file that cannot be read ({why}): make it readable, or use “env:NAME”") from None


def typed(text: str, kinds: Iterable[Any]) -> Any:
    """A text as the key wants it: a number or a switch where it takes one and no text."""
    wanted = set(kinds)
    if str in wanted:
        return text
    if bool in wanted and text in ("true", "false"):
        return text == "true"
    if int in wanted and _INTEGER.fullmatch(text.strip()):
        return int(text)
    if float in wanted:
        try:
            return float(text)
        except ValueError:
            return text
    return text
