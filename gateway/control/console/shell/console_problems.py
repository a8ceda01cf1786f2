"""What is wrong with what somebody gave, in their language: control's validation speaks to programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.control.console.shell.console_words import table

PROBLEMS: Final = "problems"
FIELDS: Final = "fields"


def told(error: Mapping[str, Any], language: str) -> str:
    """One of ``ControlError.errors``: the field as its form calls it, and what is asked of it. Empty where it says
    nothing to people."""
    if "problem" not in error:
        return ""
    named = str(error.get("where", "")).partition(".")[2].partition(".")[0]
    field = table(FIELDS).get(named)
    label = field[language] if field is not None else named
    problem = _problem(str(error["problem"]), language)
    if not label:
        return problem
    return f"{label}：{problem}" if language == "zh" else f"{label}: {problem}"


def _problem(said: str, language: str) -> str:
    for row in table(PROBLEMS).values():
        found = re.search(row["when"], said)
        if found is not None:
            return row[language].format(*found.groups())
    return said.removeprefix("Value error, ")
