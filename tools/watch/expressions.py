"""Expressions of Prometheus, as far as needed: which series they ask for, and by which labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "deploy" / "prometheus"
ALERTS: Final = RULES / "alerts.yml"
RECORDING: Final = RULES / "recording.yml"

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR: Final = re.compile(r"\b(tidegate_\w+|[a-z_]+(?::\w+){1,2}|up)\b(?!\s*\()\s*(\{[^}]*\})?")
_LABELS: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_COMPARED: Final = re.compile(r"(?<![=!<>~])(==|!=|>=|<=|>|<)(?![=~])\s*(?!bool\b)")
_UNLESS: Final = re.compile(r"\bunless\b")
_OFFSET: Final = re.compile(r"\boffset \w+")


class Selector(NamedTuple):
    """``labels`` are those that it names; ``text`` is how it is written."""

    name: str
    labels: tuple[str, ...]
    text: str


class Rule(NamedTuple):
    """An alert, or with an empty ``severity`` a recorded series."""

    name: str
    expression: str
    wait: str
    severity: str
    annotations: Mapping[str, str]


def rules(path: Path) -> list[Rule]:
    """Those of a file of rules."""
    found = []
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
        for one in group["rules"]:
            labels: Mapping[str, Any] = one.get("labels", {})
            found.append(
                Rule(
                    one.get("alert") or one["record"], one["expr"].strip(), one.get("for", "0s"),
                    labels.get("severity", ""), one.get("annotations", {}),
                )
            )  # fmt: skip
    return found


def selectors(expression: str) -> Iterator[Selector]:
    """The series that it asks for."""
    for name, matchers in _SELECTOR.findall(expression):
        labels = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", _STRING.sub('""', matchers))
        yield Selector(name, tuple(labels), name + matchers)


def grouped_by(expression: str) -> set[str]:
    """The labels that it groups or matches by."""
    plain = _STRING.sub('""', expression)
    return {label.strip() for listed in _LABELS.findall(plain) for label in listed.split(",") if label.strip()}


def told(expression: str) -> str:
    """The same as a question that a well node answers too, and that has no answer where a series is missing: each
    comparison says 0 or 1 instead of leaving out, ``unless`` asks for both sides, and what is compared with an hour
    ago is compared with five seconds ago."""
    asked = _apart(_UNLESS, "and", _apart(_COMPARED, r"\1 bool ", expression))
    return _OFFSET.sub("offset 5s", asked)


def _apart(pattern: re.Pattern[str], to: str, text: str) -> str:
    """Replace, but neither in strings nor between the braces of a selector."""
    pieces = re.split(r'(\{[^}]*\}|"(?:[^"\\]|\\.)*")', text)
    return "".join(piece if number % 2 else pattern.sub(to, piece) for number, piece in enumerate(pieces))
