"""``tidegate config check --obligations``: the table on a terminal, in a pipe, as JSON and as a page."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.commands import places, terminal
from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.api.client import CallRefused, ControlAddress, ControlClient, address_of
from gateway.obligations.compliance import Standing, totals
from gateway.obligations.configured import list_sizes, of_config
from gateway.obligations.fulfilment import GRADE_NAMES, GRADES
from gateway.obligations.means import TESTS
from gateway.obligations.node_evidence import NodeEvidence, observed
from gateway.obligations.regulations.articles import documents
from gateway.obligations.regulations.sentence import Sentence
from gateway.obligations.table import LANGUAGES, WORDS, Obligations, page, plain

COLOURS = {"kept": "green", "partly": "yellow", "not": "red"}
WITHIN = 10.0  # seconds that the node may take to answer


def show(config: Config, *, as_json: bool, html: Path | None, live: bool, data_dir: Path | None, language: str) -> None:
    """Write the table. Ends the command where a live node was asked for and cannot be asked."""
    severe = list_sizes(config)
    words = {name: counts[1] for name, counts in severe.items()}
    table = of_config(config, severe, _evidence(config, words, data_dir) if live else None)
    if html is not None:
        try:
            html.write_text(page(table, language), encoding="utf-8")
        except OSError as error:
            places.refuse(f"--html: {html} cannot be written: {error.strerror}")
        typer.echo(str(html))
    elif as_json:
        typer.echo(json.dumps(plain(table), ensure_ascii=False, indent=2))
    elif terminal.shown_to_a_person():
        _on_terminal(table, LANGUAGES.index(language))
    else:
        _in_a_pipe(table, LANGUAGES.index(language))


def chosen(language: str) -> str:
    """``language``, or where that is empty the one that the terminal speaks. Raises ``typer.BadParameter``."""
    if language and language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return language or ("zh" if spoken.startswith("zh") else "en")


def _evidence(config: Config, words: dict[str, int], data_dir: Path | None) -> NodeEvidence:
    held = Folders(data_dir or config.server.data_dir)
    if not held.generations.is_dir():
        places.refuse(f"--live: {held.root} is not the data folder of a gateway: start it, or name it with --data-dir")
    journal = held.journal(config)
    try:
        metrics = asyncio.run(_metrics(address_of(config.control)))
        return observed(metrics, journal, words, {name: section.path for name, section in config.lists.items()})
    except (CallRefused, OSError, ValueError) as error:
        places.refuse(f"--live: {error}", places.WRONG)


async def _metrics(address: ControlAddress) -> str:
    async with ControlClient(address, "", within=WITHIN) as control:
        return await control.text("/metrics")


def _on_terminal(table: Obligations, tongue: int) -> None:
    """An article after the other, each in its own lines: settings and names stay whole however narrow the terminal."""
    console = Console()
    _totals(table.rows, tongue, console)
    console.print(f"\n[bold]{WORDS['unjudged'][tongue]}[/bold]")
    for line in table.unjudged or [WORDS["nothing"]]:
        console.print(Padding(Text(line[tongue]), (0, 0, 0, 2)))
    titles = {document.id: document for document in documents()}
    for route in dict.fromkeys(row.route for row in table.rows):
        console.print(f"\n[bold]{WORDS['route'][tongue]} {escape(route)}[/bold]")
        document = ""
        for row in table.rows:
            if row.route != route:
                continue
            if row.article.document != document:
                document = row.article.document
                told = f"{titles[document].title[tongue]} {titles[document].version}"
                console.print(Padding(Text(told, style="bold"), (1, 0, 0, 2)))
            console.print(Padding(_article(table, row, tongue), (0, 0, 0, 2)))
    console.print(f"\n[bold]{WORDS['outside'][tongue]}[/bold]")
    for article in table.outside:
        why = (article.outside or Sentence("", ""))[tongue]
        told = f"{article.document} {article.number}: {article.asks[tongue]} ({why})"
        console.print(Padding(Text(told), (0, 0, 0, 2)))


def _article(table: Obligations, row: Standing, tongue: int) -> Table:
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True, min_width=6)
    lines.add_column(no_wrap=True, min_width=8)
    lines.add_column(overflow="fold")
    grade = Text(GRADE_NAMES[row.grade][tongue], style=COLOURS[row.grade])
    lines.add_row(row.article.number, grade, Text(row.article.asks[tongue]))
    for place, answer in enumerate(row.answers):
        means = [answer.mechanism[tongue], *(f"  {setting}" for setting in answer.settings)]
        means += [f"  {test}" for test in (TESTS.get(answer.means),) if test]
        means += [f"  {sentence[tongue]}" for sentence in table.live(row, answer)]
        lines.add_row("", "" if place else WORDS["means"][tongue], Text("\n".join(means)))
    for place, lack in enumerate(row.lacks):
        lines.add_row("", "" if place else WORDS["lacks"][tongue], Text(lack[tongue]))
    return lines


def _totals(rows: list[Standing], tongue: int, console: Console) -> None:
    told = totals(rows)
    console.print(
        ", ".join(f"[{COLOURS[grade]}]{told[grade]} {GRADE_NAMES[grade][tongue]}[/]" for grade in GRADES),
        highlight=False,
    )


def _in_a_pipe(table: Obligations, tongue: int) -> None:
    """A line for the totals, one for each unjudged write, then one a row, in columns that tabs part: route, document,
    article, grade, what it asks, by what, what is missing, settings, tests, and what the node shows."""
    told = totals(table.rows)
    typer.echo("\t".join(("totals", *(f"{grade} {told[grade]}" for grade in GRADES))))
    for line in table.unjudged:
        typer.echo(f"unjudged\t{line[tongue]}")
    for row in table.rows:
        article = row.article
        columns = (
            (answer.mechanism[tongue] for answer in row.answers),
            (lack[tongue] for lack in row.lacks),
            (setting for answer in row.answers for setting in answer.settings),
            dict.fromkeys(TESTS[answer.means] for answer in row.answers if answer.means in TESTS),
            (sentence[tongue] for answer in row.answers for sentence in table.live(row, answer)),
        )
        begin = (row.route, article.document, article.number, row.grade, article.asks[tongue])
        typer.echo("\t".join((*begin, *("; ".join(column) for column in columns))))
    for article in table.outside:
        why = (article.outside or Sentence("", ""))[tongue]
        typer.echo("\t".join(("outside", article.document, article.number, article.asks[tongue], why)))
