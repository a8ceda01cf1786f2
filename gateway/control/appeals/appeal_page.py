"""The page on which people appeal: plain HTML, in two languages, without a script and without anybody else's files.

Whatever comes from a person is escaped by the template engine; should that ever fail, the Content-Security-Policy lets
nothing run, nothing load and no form go anywhere but home.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup

from filters.model.meaning import CHINESE, ENGLISH
from gateway.control.appeals.appeal_words import PAGE, REDRESS, STATES
from gateway.control.appeals.filing import AppealGiven, Filed
from gateway.http.server.problem import Problem

MOST_STATEMENT: Final = 1000  # code points
MOST_TEXT: Final = 4096
TAGS: Final = {CHINESE: "zh-CN", ENGLISH: "en"}


class Sheet(NamedTuple):
    """The template, the style in it, and the policy that names that style alone."""

    template: Template
    style: Markup
    policy: str


@cache
def sheet() -> Sheet:
    folder = resources.files(__package__) / "templates"
    style = (folder / "appeal.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=PackageLoader(str(__package__), "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["moment"] = moment
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return Sheet(environment.get_template("appeal.html"), Markup(style), policy)  # noqa: S704 - our own file


def moment(micros: int) -> str:
    """To the minute, in UTC: no page knows where its reader is."""
    return f"{datetime.fromtimestamp(micros / 1e6, UTC):%Y-%m-%d %H:%M} UTC"


def page(
    path: str, language: str, given: AppealGiven, filed: Filed | None, refusal: Problem | None, problem: Problem | None
) -> bytes:
    """``refusal``: what was decided, worded; ``problem``: why what was just asked for was not done, worded."""
    made = sheet()
    text = made.template.render(
        path=path, language=language, tag=TAGS[language], other=CHINESE if language == ENGLISH else ENGLISH,
        words=PAGE[language], states=STATES[language], redress=REDRESS[language], style=made.style,
        code=filed.code if filed is not None else given.code, message_id=given.message_id, statement=given.statement,
        text=given.text, filed=filed, refusal=refusal, most_statement=MOST_STATEMENT, most_text=MOST_TEXT,
        problem=(problem.title, problem.detail) if problem is not None else None,
        ambiguous=problem is not None and problem.reason == "appeal.ambiguous",
    )  # fmt: skip
    return text.encode("utf-8", "replace")
