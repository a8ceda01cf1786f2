"""``tidegate config check | schema | reference``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway import config as configuration
from gateway.config import Config
from gateway.config.reference import reference as render
from gateway.generation import conversion
from gateway.obligations.compliance import RouteStanding, rows
from gateway.obligations.regulations.articles import documents

app = typer.Typer(no_args_is_help=True, help="Check a configuration, or describe what one may hold.")

_COLOURS = {"enforced": "green", "shadow": "yellow", "absent": "red", "not applicable": "dim"}

File = Annotated[Path, typer.Argument(help="The configuration, TOML.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command()
def check(
    file: File,
    obligations: Annotated[
        bool, typer.Option("--obligations", help="Show how each route stands to each article of the regulations.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell every problem and every doubt. Exit code 1 where something is wrong."""
    config, problems = configuration.check(file)
    if config is not None and not problems:
        problems = conversion.unbuildable(config, str(file))
    if config is None or problems:
        if as_json:
            told = [{"file": one.file, "key": one.key, "value": one.value, "message": one.message} for one in problems]
            _write(json.dumps({"problems": told}, ensure_ascii=False, indent=2))
        else:
            for problem in problems:
                typer.echo(str(problem), err=True)
            typer.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise typer.Exit(1)
    if obligations:
        _obligations(config, as_json)
        return
    warnings = configuration.warnings(config)
    unjudged = configuration.unjudged(config)
    if as_json:
        good = {"problems": [], "warnings": warnings, "unjudged": unjudged}
        _write(json.dumps(good, ensure_ascii=False, indent=2))
        return
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    _write(summary(config))


def summary(config: Config) -> str:
    """A configuration in one line a section."""
    judged = sum(route.judged for route in config.routes)
    policies = [f"{name} ({len(policy.rules)} rules)" for name, policy in config.policies.items()]
    embedded = config.state.url is None and config.state.sentinel is None
    server = config.server
    lines = {
        "server": f"{', '.join(server.listen)}, {server.workers} workers, unmatched: {server.unmatched}",
        "upstreams": ", ".join(config.upstreams),
        "lists": ", ".join(config.lists) or "none",
        "policies": ", ".join(policies) or "none",
        "routes": f"{judged} judged, {len(config.routes) - judged} relayed",
        "unjudged": "; ".join(configuration.unjudged(config)) or "nothing",
        "state": "embedded" if embedded else "external",
        "mirror": "on" if config.mirror is not None else "off",
    }
    return "\n".join([*(f"{name:<11}{told}" for name, told in lines.items()), "ok"])


def _obligations(config: Config, as_json: bool) -> None:
    told = list(rows(config))
    if as_json:
        _write(json.dumps([_plain(row) for row in told], ensure_ascii=False, indent=2))
    elif sys.stdout.isatty():
        _table(told)
    else:
        for row in told:
            article, standing = row.article, row.standing
            _write("\t".join((row.route, article.document, article.number, standing.status, standing.how, article.en)))


def _plain(row: RouteStanding) -> dict[str, Any]:
    article = row.article
    return {
        "route": row.route,
        "document": article.document,
        "article": article.number,
        "asks": article.en,
        "asks_zh": article.zh,
        "needs": list(article.needs),
        "status": row.standing.status,
        "how": row.standing.how,
    }


def _table(told: list[RouteStanding]) -> None:
    console = Console()
    titles = {document.id: f"{document.title_zh} {document.version}" for document in documents()}
    for route in dict.fromkeys(row.route for row in told):
        table = Table(title=f"route {route}", title_justify="left", show_lines=False)
        for heading in ("article", "asks", "status", "how"):
            table.add_column(heading, overflow="fold")
        document = ""
        for row in told:
            if row.route != route or row.standing.how.startswith("speaks of services"):
                continue
            if row.article.document != document:
                document = row.article.document
                table.add_section()
                table.add_row("", f"[bold]{titles[document]}[/bold]", "", "")
            colour = _COLOURS[row.standing.status]
            status = f"[{colour}]{row.standing.status}[/{colour}]"
            table.add_row(row.article.number, f"{row.article.en}\n{row.article.zh}", status, row.standing.how)
        console.print(table)
    counts = {status: sum(row.standing.status == status for row in told) for status in _COLOURS}
    console.print(", ".join(f"{count} {status}" for status, count in counts.items()))


@app.command()
def schema() -> None:
    """Write the JSON Schema of a configuration, for editors."""
    _write(json.dumps(configuration.schema(), ensure_ascii=False, indent=2))


@app.command()
def reference() -> None:
    """Write the reference of every key, as Markdown."""
    _write(render().rstrip("\n"))


def _write(text: str) -> None:
    typer.echo(text)
