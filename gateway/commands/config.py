"""``tidegate config check | schema | reference``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configuration
from gateway.commands import obligations as obligations_table
from gateway.commands import places
from gateway.commands.places import ConfigOption
from gateway.config import Config
from gateway.config.consistency.translation import similar
from gateway.config.reference import reference as render
from gateway.generation import conversion
from gateway.obligations.regulations.sentence import Sentence
from gateway.words.errors import WordListError
from gateway.words.files import read_list
from gateway.words.specs import ListSpec

app = typer.Typer(no_args_is_help=True, help="Check a configuration, or describe what one may hold.")

File = Annotated[
    Path | None, typer.Argument(help="The configuration, TOML; else as --config has it.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command()
def check(
    file: File = None,
    config_file: ConfigOption = None,
    obligations: Annotated[
        bool, typer.Option("--obligations", help="Show how each route stands to each article of the regulations.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="With --obligations: write them as a page to this file.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="With --obligations: also what the running node shows of each.")
    ] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            envvar=places.DATA_DIR,
            show_envvar=False,
            help="With --live: the node's data folder, if not as configured.",
        ),
    ] = None,
    language: Annotated[
        str, typer.Option("--lang", help="Of warnings and --obligations: zh or en; unset: the terminal's.")
    ] = "",
    secrets: Annotated[
        bool,
        typer.Option(
            "--secrets/--no-secrets",
            help="Whether what “env:” and “file:” name must be there; without them a file can be checked anywhere.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Tell every problem and every doubt. Exit code 1 where something is wrong."""
    file = places.configuration(file or config_file)
    if not obligations and (html is not None or live):
        places.refuse("--html and --live go with --obligations")
    tongue = obligations_table.chosen(language)
    if html is not None and as_json:
        places.refuse("--html and --json exclude each other")
    if obligations and not secrets:
        places.refuse("--obligations does not go with --no-secrets: it tells how the node will stand")
    config, problems = configuration.check(file, secrets=secrets)
    if config is not None and not problems and secrets:
        problems = conversion.unbuildable(config, str(file))
    if config is None and not problems:
        # A key that has no default is named and not here: all else is well.
        typer.echo("ok, as far as it can be said without what “env:” and “file:” name")
        return
    if config is None or problems:
        if as_json:
            told = [
                {"file": one.file, "line": one.line, "key": one.key, "value": one.value, "message": one.message}
                for one in problems
            ]
            _write(json.dumps({"problems": told}, ensure_ascii=False, indent=2))
        else:
            for problem in problems:
                typer.echo(str(problem), err=True)
            typer.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise typer.Exit(1)
    if obligations:
        obligations_table.show(config, as_json=as_json, html=html, live=live, data_dir=data_dir, language=tongue)
        return
    warnings = [*configuration.warned(config), *unlisted(config)]
    if secrets:
        warnings += conversion.expiring(config, time.time())
    if as_json:
        unjudged = [one.en for one in configuration.unjudged(config)]
        good = {"problems": [], "warnings": [one.en for one in warnings], "unjudged": unjudged}
        _write(json.dumps(good, ensure_ascii=False, indent=2))
        return
    for warning in warnings:
        typer.echo(f"警告：{warning.zh}" if tongue == "zh" else f"warning: {warning.en}", err=True)
    _write(summary(config))


def unlisted(config: Config) -> Iterator[Sentence]:
    """Categories by which the desk goes and which no list has; none where a list cannot be read here."""
    desk = config.desk
    wanted = {"desk.second": desk.second, "desk.grave": desk.grave}
    if desk.on_call is not None:
        wanted["desk.on_call.categories"] = desk.on_call.categories
    if not any(wanted.values()):
        return
    try:
        known = categories(config)
    except WordListError:
        return
    for key, names in wanted.items():
        for name in names:
            if name not in known:
                near = similar(name, sorted(known))
                yield Sentence(
                    f"{key}: “{name}” is no category of a list{near}: nothing is ever of it",
                    f"{key}：没有词表含有类别“{name}”，该设置不会生效",
                )


def categories(config: Config) -> frozenset[str]:
    """Those of the words of all lists. Raises ``WordListError``."""
    return frozenset(
        entry.category
        for name, section in config.lists.items()
        for entry in read_list(ListSpec(name, str(section.path), section.kind, section.category)).entries
    )


def summary(config: Config) -> str:
    """A configuration in one line a section."""
    judged = sum(route.judged for route in config.routes)
    policies = [f"{name} ({len(policy.rules)} rules)" for name, policy in config.policies.items()]
    embedded = config.state.url is None and config.state.sentinel is None
    server = config.server
    addresses = ", ".join(f"{one.address} (TLS)" if one.secure else one.address for one in server.public)
    lines = {
        "server": f"{addresses}, {server.workers} workers, unmatched: {server.unmatched}",
        "upstreams": ", ".join(config.upstreams),
        "lists": ", ".join(config.lists) or "none",
        "policies": ", ".join(policies) or "none",
        "routes": f"{judged} judged, {len(config.routes) - judged} relayed",
        "unjudged": "; ".join(one.en for one in configuration.unjudged(config)) or "nothing",
        "state": "embedded" if embedded else "external",
        "mirror": "on" if config.mirror is not None else "off",
    }
    prefixes = [f"{route.match} ({route.name})" for route in config.routes if route.template.below]
    if prefixes:
        lines["below"] = "; ".join(prefixes)
    return "\n".join([*(f"{name:<11}{told}" for name, told in lines.items()), "ok"])


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
