"""What is wrong with a configuration: all of it at once, each with file, key, value and remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from filters.model.errors import TidegateError

SECRET_KEYS = frozenset({"password", "keys", "purge_token", "headers", "secret", "previous_secrets"})
SECRET_PLACES = frozenset({("review", "key"), ("review", "previous_keys"), ("appeals", "key")})
"""A ``key`` elsewhere is the path of a file."""
SECRET_ENDS = frozenset({("callbacks", "url"), ("desk", "url")})
"""First and last part of a path: addresses of chat robots hold a key."""
_SECRETIVE = ("password", "passwd", "secret", "token", "key", "keys", "authorization")
_USERINFO = re.compile(r":(//)?\S*@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """``key`` is the path of the key, ``value`` what stands there as an operator would write it ("" for nothing),
    ``line`` where, counted from 1 (0: nobody knows), and ``column`` for what is no key."""

    file: str
    key: str
    value: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = "".join(f":{number}" for number in (self.line, self.column) if number)
        where = f"{self.file}{place}: {self.key}" if self.key else f"{self.file}{place}"
        line = f"{where}{' = ' + self.value if self.value else ''}: {self.message}"
        return _CONTROL.sub("�", line)  # one line, whatever a key or a segment holds


class ConfigError(TidegateError):
    """A configuration that cannot be used. ``problems`` is never empty."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def shown(value: Any, path: Sequence[str | int] = ()) -> str:
    """A value as TOML, cut short; what may be secret is taken out."""
    if value is None:
        return ""
    ends = (path[0], path[-1]) if path else ()
    if any(part in SECRET_KEYS for part in path) or tuple(path[:2]) in SECRET_PLACES or ends in SECRET_ENDS:
        return _secret(value)
    if isinstance(value, str):
        text = '"' + _USERINFO.sub(r":\1***@", value) + '"'
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, dict | list):
        return ""  # the key is enough to find a table or a list
    else:
        text = str(value)
    text = _CONTROL.sub("�", text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def unknown(value: Any, key: str) -> str:
    """The value of a key that nobody knows; a misspelt secret is a secret still."""
    secretive = difflib.get_close_matches(key.lower(), _SECRETIVE, 1, 0.6)
    return _secret(value) if secretive else shown(value)


def _secret(value: Any) -> str:
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        return f'"{value}"'
    return '"***"' if isinstance(value, str) else ""


def written(path: Sequence[str | int], document: Any) -> str:
    """A key's path for people: ``routes[live].upstream``, ``policies.comment.rules[3 limit].limits[0]``."""
    text = ""
    node = document
    for part in path:
        below = _child(node, part)
        if isinstance(part, int):
            name = below.get("name") if isinstance(below, dict) else None
            check = below.get("check") if isinstance(below, dict) else None
            if isinstance(name, str) and re.fullmatch(r"[\w.-]{1,64}", name):
                text += f"[{name}]"
            else:
                text += f"[{part + 1} {check}]" if isinstance(check, str) else f"[{part + 1}]"
        else:
            part = part if len(part) <= _LONGEST else part[: _LONGEST - 1] + "…"
            bare = part if re.fullmatch(r"[\w-]+", part) else f'"{part}"'
            text += f".{bare}" if text else bare
        node = below
    return text


def _child(node: Any, part: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(part)
    return node[part] if isinstance(node, list) and isinstance(part, int) and part < len(node) else None


def at(document: Any, path: Sequence[str | int]) -> Any:
    """What the document holds at a path; None for nothing."""
    for part in path:
        document = _child(document, part)
    return document
