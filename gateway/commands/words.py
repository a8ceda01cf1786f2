"""``tidegate words check|compile`` and ``tidegate filter explain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from filters.lists.listsource import ListErrors, ParsedList
from filters.lists.reasons import SENTENCES
from filters.lists.wordlist import Compiled, compile_list, load
from filters.reading.explanation import Explanation, explain
from filters.reading.keywords import AnyList
from filters.text.markup import Markup
from gateway.commands import places, terminal
from gateway.common.folders import Folders
from gateway.config import ConfigError
from gateway.generation.generation import in_force
from gateway.words.compile import compile_in_process
from gateway.words.errors import Fault, WordListError
from gateway.words.files import folding_tables, noted, read_list, told
from gateway.words.shrinking import before as was_before
from gateway.words.shrinking import changed, insist, newest
from gateway.words.specs import ListSpec, of_config, of_file
from gateway.words.verdicts import PolicyVerdict, verdicts

words = typer.Typer(no_args_is_help=True, help="Word lists: check them, compile them.")
filter_ = typer.Typer(no_args_is_help=True, help="What the lists make of a text.")

HITS = (
    terminal.Column("list", whole=True),
    terminal.Column("word"),
    terminal.Column("id", whole=True),
    terminal.Column("category", whole=True),
    terminal.Column("severity"),
    terminal.Column("at"),
    terminal.Column("covers"),
    terminal.Column("disguises"),
)
LINE_MAX = 1 << 16  # bytes of one of many texts
EXCUSED_SHOWN = 8  # words of one allow phrase; --json tells all

_WRONG = 1
_USAGE = 2

Lists = Annotated[list[Path] | None, typer.Option("--list", "-l", help="A list file; may be given several times.")]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", show_default=False,
        help=f"Take the lists of this configuration; where no list is named else {places.CONFIG}, else "
        f"{places.USUAL_CONFIG} in the current folder.",
    ),
]  # fmt: skip
UndoneFirst = Annotated[Markup, typer.Option("--markup", help="Undo it first, as a route with this setting does.")]
MayShrink = Annotated[
    list[str] | None,
    typer.Option("--may-shrink", metavar="LIST", help="This list is meant to lose its words; repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON, for programs.")]


@words.command("check")
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="List files.")] = None,
    config: Config = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Also tell how the lists differ from those in force in this data folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read lists and tell everything that is wrong with them, with line and remedy; what is odd, what words lose by
    folding, and what allow phrases excuse."""
    config = _meant(files, config)
    if data_dir is not None and not data_dir.is_dir():
        places.refuse(f"--data-dir: {data_dir} is not a folder: name the gateway's")
    faults: list[Fault] = []
    notices: list[Fault] = []
    told_of: list[dict[str, Any]] = []
    more = 0
    before = in_force(Folders(data_dir)) if data_dir is not None else {}
    for spec in _specs(files, config):
        spec = spec._replace(**before.get(spec.name, {}))
        try:
            parsed = read_list(spec)
            was = was_before(spec)
            insist(spec, parsed.in_file, was)
            compiled = _compiled(spec, parsed)
            notices += noted(spec, parsed, compiled.notices)
            change = changed(spec.name, compiled.data, was)
        except WordListError as error:
            faults += error.faults
            more += error.more
            continue
        allowances = [allowance._asdict() for allowance in compiled.allowances]
        told_of.append({**change.as_dict(), "path": spec.path, "allowances": allowances})
        if not as_json:
            number = len(parsed.entries)
            since = "" if change.first else f" ({change.added:,} added, {change.removed:,} removed)"
            typer.echo(f"{spec.path}: {number} {'entry' if number == 1 else 'entries'}{since}")
            for allowance in compiled.allowances:
                if allowance.excuses:
                    words = ", ".join(allowance.excuses[:EXCUSED_SHOWN])
                    typer.echo(f"{spec.path}:{allowance.line}: @allow {allowance.phrase} excuses {words}")
    if as_json:
        found = WordListError(faults, more).as_dict()
        _json({**found, "notices": [notice._asdict() for notice in notices], "lists": told_of})
    else:
        for notice in notices:
            typer.echo(f"note: {notice}")
        if faults:
            typer.echo(str(WordListError(faults, more)), err=True)
    raise typer.Exit(_WRONG if faults else 0)


@words.command("compile")
def compile_(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the artifacts.")],
    files: Annotated[list[Path] | None, typer.Argument(help="List files.")] = None,
    config: Config = None,
    may_shrink: MayShrink = None,
    as_json: AsJson = False,
) -> None:
    """Compile lists to artifacts; one whose digest is there already is left alone. A list that lost more than half of
    the words that it was compiled from before, in this folder, is refused."""
    config = _meant(files, config)
    found = _specs(files, config)
    names = [spec.name for spec in found]
    for name in may_shrink or ():
        if name not in names:
            places.refuse(f"--may-shrink: there is no list “{name}”{places.nearest(name, names)}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        specs = [spec._replace(before=newest(out, spec.name), meant=spec.name in (may_shrink or ())) for spec in found]
        with Console(stderr=True).status(f"compiling {len(specs)} lists"):
            manifest = compile_in_process(specs, out)
    except WordListError as error:
        if as_json:
            _json(error.as_dict())
        else:
            typer.echo(str(error), err=True)
        raise typer.Exit(_WRONG) from None
    except OSError as error:
        places.refuse(f"--out: {out} cannot be written: {error.strerror}")
    if as_json:
        _json(manifest.as_dict())
        return
    for built in manifest.lists:
        state = "unchanged" if built.reused else f"{built.size:,} bytes"
        entries = f"{built.entries:,} {'entry' if built.entries == 1 else 'entries'}"
        typer.echo(f"{built.name}: {entries}, {out / built.file} ({state})")
        if not built.reused and not built.change.first:
            typer.echo(f"  {built.change.added:,} added, {built.change.removed:,} removed")
        for notice in built.notices:
            typer.echo(f"note: {notice}")


@filter_.command("explain")
def explain_(
    text: Annotated[
        str | None,
        typer.Argument(help="The text; - reads it from standard input. Without one, and with --json: many texts."),
    ] = None,
    config: Config = None,
    lists: Lists = None,
    as_json: AsJson = False,
    markup: UndoneFirst = "off",
) -> None:
    """Show what each folding does to a text, which words are found, what a mask would cover, and the verdict.

    Without a text, --json reads one text a line from standard input and answers with one JSON object a line: the hits
    with spans in code points and the disguises seen through, and what was dropped and why.
    """
    config = _meant(lists, config)
    if text is None:
        if not as_json:
            typer.echo("no text: name one, or --json to read one text a line from standard input", err=True)
            raise typer.Exit(_USAGE)
        raise typer.Exit(_many(_specs(lists, config), markup))
    text = places.text_of(text)
    try:
        explanation = explain(text, [_loaded(spec) for spec in _specs(lists, config)], markup=markup)
    except WordListError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_WRONG) from None
    judged: list[PolicyVerdict] = []
    try:
        judged = verdicts(config, text, explanation.scan) if config is not None else []
    except ConfigError:
        # The lists of a draft can be tried before the rest of it is right.
        typer.echo(f"no verdict: {config} cannot be used yet, see tidegate config check {config}", err=True)
    if as_json:
        _json({**explanation.as_dict(), "verdicts": [one.as_dict() for one in judged]})
        return
    console = Console()
    show(explanation, console)
    for one in judged:
        told = one.as_dict()
        effects = ", ".join(
            f"{each['effect']} {each['reason']}{' in ' + each['list'] if each['list'] else ''} ({each['ground']})"
            for each in told["findings"]
        )
        console.print(Text(f"policy {one.policy}: {told['verdict']}{': ' + effects if effects else ''}"))
        if told["text"] is not None:
            console.print(Text(f"  goes on as: {visible(told['text'])}"))


def _many(specs: list[ListSpec], markup: Markup) -> int:
    """One text a line in, one JSON object a line out, in order; the exit code. A line that cannot be read is answered
    with ``error``, and counts as something wrong."""
    try:
        read = [_loaded(spec) for spec in specs]
    except WordListError as error:
        typer.echo(str(error), err=True)
        return _WRONG
    code = 0
    source = typer.get_binary_stream("stdin")
    while line := source.readline(LINE_MAX + 1):
        told: dict[str, Any]
        if len(line) > LINE_MAX and not line.endswith(b"\n"):
            while (rest := source.readline(LINE_MAX)) and not rest.endswith(b"\n"):
                pass
            told = {"error": "line.too_long", "why": f"a line has at most {LINE_MAX} bytes"}
        else:
            try:
                text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
                told = explain(text, read, markup=markup).as_line()
            except UnicodeDecodeError as error:
                told = {"error": "line.not_utf8", "why": f"byte {error.start + 1} of the line is not UTF-8"}
        if "error" in told:
            code = _WRONG
        typer.echo(json.dumps(told, ensure_ascii=False))
    return code


def show(explanation: Explanation, console: Console) -> None:
    """Print an explanation for a person."""
    covered = Text("text      ", style="bold")
    body = Text(visible(explanation.text), style="none")
    for explained in explanation.hits:
        for start, end in explained.hit.spans:
            body.stylize(
                "black on yellow", len(visible(explanation.text[:start])), len(visible(explanation.text[:end]))
            )
    console.print(covered + body)
    for reading in explanation.readings:
        trail = Table("folding", "text", title=f"read for {', '.join(reading.lists)}", title_justify="left")
        for step in reading.trail:
            trail.add_row(step.folding, Text(visible(step.text)))
        if not reading.trail:
            trail.add_row("-", Text(visible(reading.folded)))
        console.print(trail)
    for name, cause in explanation.scan.failed.items():
        console.print(Text(f"{name}: not applied, {cause}", style="red"))
    for excused in explanation.excused:
        console.print(Text(f"{excused.list}: allow phrase {excused.phrase} at {excused.span[0]}-{excused.span[1]}"))
    for dropped in explanation.dropped:
        why = SENTENCES.get(dropped.reason, dropped.reason)
        where = f"{dropped.span[0]}-{dropped.span[1]}"
        console.print(Text(f"{dropped.list}: not {visible(dropped.word)} at {where}: {why} ({dropped.reason})"))
    if not explanation.hits:
        console.print("nothing found")
        return
    rows = [
        {
            "list": explained.hit.list,
            "word": visible(explained.word),
            "id": explained.hit.word_id,
            "category": explained.hit.category,
            "severity": explained.hit.severity,
            "at": ", ".join(f"{start}-{end}" for start, end in explained.hit.spans),
            "covers": visible(" | ".join(explained.covered)),
            "disguises": ", ".join(explained.disguises),
        }
        for explained in explanation.hits
    ]
    terminal.table(rows, HITS, console)


def visible(text: str) -> str:
    """With what a terminal would not show, or would obey, written as its code point."""
    return "".join(char if char.isprintable() else f"<{ord(char):04X}>" for char in text)


def _specs(files: list[Path] | None, config: Path | None) -> list[ListSpec]:
    try:
        specs = [of_file(path) for path in files or ()] + (of_config(config) if config is not None else [])
    except (OSError, ValueError) as error:
        why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        typer.echo(f"{config}: {why}", err=True)
        raise typer.Exit(_USAGE) from None
    if not specs:
        typer.echo("no list: name a file, or --config", err=True)
        raise typer.Exit(_USAGE)
    return specs


def _meant(files: list[Path] | None, config: Path | None) -> Path | None:
    """The configuration whose lists are taken: as named; where no list is named, as for every command."""
    if config is not None or files:
        return config
    told = places.environment(places.CONFIG)
    return Path(told) if told else places.USUAL_CONFIG if places.USUAL_CONFIG.is_file() else None


def _loaded(spec: ListSpec) -> AnyList:
    return load(_compiled(spec, read_list(spec)).data, folding_tables(), check=False)


def _compiled(spec: ListSpec, parsed: ParsedList) -> Compiled:
    try:
        return compile_list(parsed, folding_tables())
    except ListErrors as errors:
        raise told(spec, errors) from None


def _json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
