"""The table of obligations as a program reads it and as a page that opens by itself, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from gateway.obligations.compliance import Standing, totals
from gateway.obligations.fulfilment import GRADE_NAMES, GRADES, Fulfilment
from gateway.obligations.means import TESTS
from gateway.obligations.node_evidence import NodeEvidence, shown
from gateway.obligations.regulations.articles import Article, Document, documents
from gateway.obligations.regulations.sentence import Sentence

LANGUAGES: Final = ("en", "zh")

WORDS: Final[dict[str, Sentence]] = {
    "title": Sentence("Obligations", "法规义务对照表"),
    "note": Sentence(
        "What this gateway does for each article, and what it does not. No legal advice: the texts themselves count.",
        "本表说明网关对各条款落实了什么、没有落实什么。不构成法律意见，以法规原文为准。",
    ),
    "unjudged": Sentence("Written through the gateway and judged by nobody", "经网关写入而无人审核的内容"),
    "nothing": Sentence("nothing", "无"),
    "outside": Sentence("For people and papers: no gateway can answer these", "须由人员和制度落实，网关无法承担"),
    "route": Sentence("route", "路由"),
    "article": Sentence("article", "条款"),
    "asks": Sentence("asks", "要求"),
    "grade": Sentence("grade", "落实情况"),
    "means": Sentence("by what", "措施"),
    "lacks": Sentence("missing", "缺少"),
    "setting": Sentence("setting", "配置项"),
    "test": Sentence("test", "测试"),
    "live": Sentence("this node", "本节点"),
}


class Obligations(NamedTuple):
    """All of it. ``evidence``: None where no node was asked. ``lists``: those of each route's keywords rules."""

    rows: list[Standing]
    outside: list[Article]
    unjudged: list[Sentence]
    lists: dict[str, tuple[str, ...]]
    evidence: NodeEvidence | None = None

    def live(self, row: Standing, answer: Fulfilment) -> list[Sentence]:
        """What the node shows of one means of one row."""
        if self.evidence is None:
            return []
        lists = self.lists.get(row.route, ()) if answer.means == "check:keywords" else ()
        return list(shown(answer, self.evidence, lists))


def plain(table: Obligations) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "totals": totals(table.rows),
        "unjudged": [one.en for one in table.unjudged],
        "unjudged_zh": [one.zh for one in table.unjudged],
        "rows": [_row(table, row) for row in table.rows],
        "outside": [
            {"document": one.document, "article": one.number, "asks": one.asks.en, "asks_zh": one.asks.zh,
             "why": one.outside.en, "why_zh": one.outside.zh}
            for one in table.outside if one.outside is not None
        ],
    }  # fmt: skip


def _row(table: Obligations, row: Standing) -> dict[str, Any]:
    article = row.article
    return {
        "route": row.route,
        "document": article.document,
        "article": article.number,
        "asks": article.asks.en,
        "asks_zh": article.asks.zh,
        "grade": row.grade,
        "lacks": [lack.en for lack in row.lacks],
        "lacks_zh": [lack.zh for lack in row.lacks],
        "means": [
            {
                "name": answer.means,
                "grade": answer.grade,
                "mechanism": answer.mechanism.en,
                "mechanism_zh": answer.mechanism.zh,
                "settings": list(answer.settings),
                "test": TESTS.get(answer.means, ""),
                "live": [sentence.en for sentence in table.live(row, answer)],
                "live_zh": [sentence.zh for sentence in table.live(row, answer)],
            }
            for answer in row.answers
        ],
    }


def page(table: Obligations, language: str) -> str:
    """One HTML file without anything beside it. ``language``: en or zh, shown first; the other is a click away."""
    environment, style = _environment()
    return environment.get_template("obligations.html").render(
        table=table,
        routes=list(dict.fromkeys(row.route for row in table.rows)),
        documents=_of(table.rows),
        totals=totals(table.rows),
        grades=GRADES,
        names=GRADE_NAMES,
        tests=TESTS,
        words=WORDS,
        languages=LANGUAGES,
        first=language,
        style=style,
    )


def _of(rows: Sequence[Standing]) -> list[tuple[Document, list[Standing]]]:
    """The rows by document, documents without any left out."""
    told = ((document, [row for row in rows if row.article.document == document.id]) for document in documents())
    return [(document, own) for document, own in told if own]


@cache
def _environment() -> tuple[Environment, Markup]:
    environment = Environment(loader=PackageLoader("gateway.obligations"), autoescape=True, auto_reload=False)
    style = resources.files("gateway.obligations").joinpath("templates", "obligations.css").read_text(encoding="utf-8")
    return environment, Markup(style)  # noqa: S704 - a file of ours, and no text of anybody
