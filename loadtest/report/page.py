"""A page as data, and the page: one HTML file that opens by itself, in Chinese and English, without anything beside it.

Whatever is reported (a run, a search for the knee, two runs held against each other) is brought into these shapes; the
template knows no more than they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from loadtest.judging.sentence import Sentence
from loadtest.report.charts import Curve, drawn

LANGUAGES = ("en", "zh")
Cell = Sentence | str | int | float


class Tile(NamedTuple):
    """One figure, large. ``state``: kept, missed or plain, which its edge shows; what was missed its words say too."""

    name: Sentence
    value: Sentence
    note: Sentence
    state: str = "plain"


class Table(NamedTuple):
    """``head`` over ``rows``; a text alone is the same in both languages."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    caption: Sentence | None = None


class Plot(NamedTuple):
    """``title`` names the y axis with its unit, ``across`` the x axis. ``numbers``: the same as a table."""

    name: str
    title: Sentence
    across: Sentence
    curves: Sequence[Curve]
    numbers: Table
    log: bool = False

    def draw(self) -> Markup:
        return drawn(self.curves, f"{self.title.en} · {self.title.zh}", f"plot-{self.name}", log=self.log)


class Section(NamedTuple):
    """``said``: paragraphs, before plots and tables."""

    title: Sentence
    said: Sequence[Sentence] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()


class Page(NamedTuple):
    """``told``: the judgement at the top. ``state``: its colour; kept, missed, void, better or worse."""

    title: Sentence
    state: str
    told: Sentence
    tiles: Sequence[Tile]
    sections: Sequence[Section]


WORDS = {
    "numbers": Sentence("The numbers behind it", "对应数据"),
    "language": Sentence("Language", "语言"),
}


def html(page: Page, language: str) -> str:
    """``language``: en or zh, shown first; the other is a click, or ``#en`` and ``#zh``, away."""
    environment, style, script = _environment()
    return environment.get_template("page.html").render(
        page=page, words=WORDS, first=language, style=style, script=script, is_sentence=_is_sentence
    )


def _is_sentence(value: Any) -> bool:
    return isinstance(value, Sentence)


@cache
def _environment() -> tuple[Environment, Markup, Markup]:
    environment = Environment(loader=PackageLoader("loadtest.report"), autoescape=True, auto_reload=False,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    folder = resources.files("loadtest.report").joinpath("templates")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return environment, Markup(style), Markup(script)
