"""``tidegate config check --obligations``: the table on a terminal, in a pipe, as JSON and as a page."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from gateway import config as configuration
from gateway.commands import places
from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.api.client import CallRefused, ControlAddress, ControlClient, address_of
from gateway.obligations.compliance import Standing, outside, standings, totals
from gateway.obligations.fulfilment import GRADE_NAMES, GRADES, Known
from gateway.obligations.node_evidence import NodeEvidence, observed
from gateway.obligations.regulations.articles import documents
from gateway.obligations.regulations.sentence import Sentence
from gateway.obligations.table import LANGUAGES, WORDS, Obligations, page, plain
from gateway.words.errors import WordListError
from gateway.words.files import read_list
from gateway.words.specs import ListSpec

COLOURS = {"kept": "green", "partly": "yellow", "not": "red"}
WITHIN = 10.0  # seconds that the node may take to answer


def show(config: Config, *, as_json: bool, html: Path | None, live: bool, data_dir: Path | None, language: str) -> None:
    """Write the table. Ends the command where a live node was asked for and cannot be asked."""
    words = list_sizes(config)
    evidence = _evidence(config, words, data_dir) if live else None
    known = Known(words, evidence is not None and evidence.contained)
    table = Obligations(
        rows=standings(config, known),
        outside=outside(config),
        unjudged=configuration.unjudged(config),
        lists={route.name: _lists(config, route.policy) for route in config.routes if route.judged},
        evidence=evidence,
    )
    if html is not None:
        html.write_text(page(table, language), encoding="utf-8")
        typer.echo(str(html))
    elif as_json:
        typer.echo(json.dumps(plain(table), ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        _on_terminal(table, LANGUAGES.index(language))
    else:
        _in_a_pipe(table, LANGUAGES.index(language))


def chosen(language: str) -> str:
    """``language``, or where that is empty the one that the terminal speaks. Raises ``typer.BadParameter``."""
    if language and language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r} is not one of {', '.join(LANGUAGES)}")
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return language or ("zh" if spoken.startswith("zh") else "en")


def list_sizes(config: Config) -> dict[str, int]:
    """How many words the file of each list holds; none for one that cannot be read."""
    sizes: dict[str, int] = {}
    for name, section in config.lists.items():
        try:
            sizes[name] = read_list(ListSpec(name, str(section.path), section.kind, section.category)).in_file
        except WordListError:
            sizes[name] = 0
    return sizes


def _lists(config: Config, policy: str) -> tuple[str, ...]:
    rules = config.policies[policy].rules
    return tuple(dict.fromkeys(name for rule in rules for name in getattr(rule, "lists", ())))


def _evidence(config: Config, words: dict[str, int], data_dir: Path | None) -> NodeEvidence:
    journal = Folders(data_dir or config.server.data_dir).journal(config)
    try:
        metrics = asyncio.run(_metrics(address_of(config.control)))
        return observed(metrics, journal, words, {name: section.path for name, section in config.lists.items()})
    except (CallRefused, OSError, ValueError) as error:
        places.refuse(f"--live: {error}", places.WRONG)


async def _metrics(address: ControlAddress) -> str:
    async with ControlClient(address, "", within=WITHIN) as control:
        return await control.text("/metrics")


def _on_terminal(table: Obligations, tongue: int) -> None:
    console = Console()
    _totals(table.rows, tongue, console)
    console.print(f"\n[bold]{WORDS['unjudged'][tongue]}[/bold]")
    for line in table.unjudged or [WORDS["nothing"]]:
        console.print(f"  {line[tongue]}", markup=False, highlight=False)
    titles = {document.id: document for document in documents()}
    for route in dict.fromkeys(row.route for row in table.rows):
        drawn = Table(title=f"{WORDS['route'][tongue]} {route}", title_justify="left")
        for heading in ("article", "asks", "grade", "means", "lacks"):
            drawn.add_column(WORDS[heading][tongue], overflow="fold")
        document = ""
        for row in table.rows:
            if row.route != route:
                continue
            if row.article.document != document:
                document = row.article.document
                drawn.add_section()
                drawn.add_row("", f"[bold]{titles[document].title[tongue]} {titles[document].version}[/bold]")
            grade = f"[{COLOURS[row.grade]}]{GRADE_NAMES[row.grade][tongue]}[/]"
            lacks = "\n".join(lack[tongue] for lack in row.lacks)
            drawn.add_row(row.article.number, row.article.asks[tongue], grade, _means(table, row, tongue), lacks)
        console.print(drawn)
    console.print(f"\n[bold]{WORDS['outside'][tongue]}[/bold]")
    for article in table.outside:
        why = (article.outside or Sentence("", ""))[tongue]
        console.print(f"  {article.document} {article.number}: {article.asks[tongue]} ({why})", highlight=False)


def _means(table: Obligations, row: Standing, tongue: int) -> str:
    lines: list[str] = []
    for answer in row.answers:
        lines.append(answer.mechanism[tongue])
        lines += [f"  {setting}".replace("[", "\\[") for setting in answer.settings]
        lines += [f"  {sentence[tongue]}" for sentence in table.live(row, answer)]
    return "\n".join(lines)


def _totals(rows: list[Standing], tongue: int, console: Console) -> None:
    told = totals(rows)
    console.print(
        ", ".join(f"[{COLOURS[grade]}]{told[grade]} {GRADE_NAMES[grade][tongue]}[/]" for grade in GRADES),
        highlight=False,
    )


def _in_a_pipe(table: Obligations, tongue: int) -> None:
    """A line for the totals, one for each unjudged write, then one a row, in columns that tabs part."""
    told = totals(table.rows)
    typer.echo("\t".join(("totals", *(f"{grade} {told[grade]}" for grade in GRADES))))
    for line in table.unjudged:
        typer.echo(f"unjudged\t{line[tongue]}")
    for row in table.rows:
        means = "; ".join(answer.mechanism[tongue] for answer in row.answers)
        lacks = "; ".join(lack[tongue] for lack in row.lacks)
        article = row.article
        typer.echo(
            "\t".join((row.route, article.document, article.number, row.grade, article.asks[tongue], means, lacks))
        )
    for article in table.outside:
        why = (article.outside or Sentence("", ""))[tongue]
        typer.echo("\t".join(("outside", article.document, article.number, article.asks[tongue], why)))
