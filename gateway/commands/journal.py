"""``tidegate journal query`` and ``tidegate journal verify``."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway.journal.read import verification
from gateway.journal.read.reader import Flaw, merged
from gateway.journal.read.selection import Selection
from gateway.journal.write import record as records
from gateway.journal.write import recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import Owner

app = typer.Typer(no_args_is_help=True, help="Ask the journal, and prove that it is what was written.")

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
COLUMNS = ("time", "kind", "id", "route", "room", "sender", "what", "why")
DESK = ("desk", "query")  # node and worker of the folder where readings are recorded
WRONG, USAGE = 1, 2

DataDir = Annotated[
    Path, typer.Option("--data-dir", help="The gateway's data folder; the journal is in its `journal`.")
]
JournalDir = Annotated[Path | None, typer.Option("--journal-dir", help="The journal's folder, where it is elsewhere.")]


def moment(text: str) -> int:
    """Microseconds since the epoch from ``90m`` (that long ago) or ISO 8601 (local time where it names no zone)."""
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago:
        return time.time_ns() // 1000 - int(ago[1]) * UNITS[ago[2]] * 1_000_000
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1e6)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither like 90m, 2h, 7d nor like 2026-11-21T08:00") from None


@app.command()
def query(
    *,
    data_dir: DataDir = Path("data"),
    journal_dir: JournalDir = None,
    message_id: Annotated[str, typer.Option("--id", help="A message, or an act.")] = "",
    sender: str = "",
    room: str = "",
    route: str = "",
    since: Annotated[str, typer.Option(help="2h, 7d, or a time such as 2026-11-21T08:00.")] = "",
    until: Annotated[str, typer.Option(help="The same; records of this moment are left out.")] = "",
    verdict: Annotated[str, typer.Option(help="pass, hold, reject, mask or label.")] = "",
    reason: Annotated[str, typer.Option(help="A reason code, such as keyword.match.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One record a line, as in a pipe.")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 1000,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show texts and personal fields; this is recorded.")] = False,
    person: Annotated[str, typer.Option(help="With --reveal: your name.")] = "",
    why: Annotated[str, typer.Option(help="With --reveal: your reason.")] = "",
) -> None:
    """Print the records that match, oldest first, each message with its outcome."""
    root = _root(journal_dir or data_dir / "journal")
    selection = Selection(message_id, sender, room, route, verdict, reason)
    selection.since_us = moment(since) if since else 0
    selection.until_us = moment(until) if until else None
    if reveal:
        _record_reading(root, person, why, selection)
    flaws: list[Flaw] = []
    found = merged(
        root, flaws.append, since_us=selection.since_us, until_us=selection.until_us, needle=selection.needle
    )
    chosen = (entry.record for entry in found if selection.takes(entry.record))
    rows: list[dict[str, Any]] | None = [] if not as_json and sys.stdout.isatty() else None
    for count, record in enumerate(chosen, 1):
        shown = record if reveal else _without_personal(record)
        if rows is None:
            sys.stdout.buffer.write(orjson.dumps(shown) + b"\n")
        else:
            rows.append(shown)
        if count >= limit:
            break
    sys.stdout.flush()
    if rows is not None:
        Console().print(_table(rows, reveal))
    for flaw in flaws:
        typer.echo(f"{flaw.folder}/{flaw.segment}: damaged at byte {flaw.offset}: {flaw.code}", err=True)
    if flaws:
        raise typer.Exit(WRONG)


@app.command()
def verify(
    data_dir: DataDir = Path("data"),
    journal_dir: JournalDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Problems as one JSON object a line.")] = False,
) -> None:
    """Check sums, sequence, chain, links and ends of every segment. Exit code 1 when something is wrong."""
    root = _root(journal_dir or data_dir / "journal")
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("journal", total=verification.size(root))
        report = verification.verify(root, lambda read: progress.advance(task, read))
    for problem in report.problems:
        if as_json:
            typer.echo(orjson.dumps(problem._asdict()).decode())
        else:
            where = f"{problem.folder}/{problem.segment}"
            typer.echo(f"{where}: byte {problem.offset}: {problem.code}: {problem.detail}")
    for stop in report.unclean:
        typer.echo(_unclean(stop), err=as_json)
    told = (
        f"{report.records} records in {report.segments} segments, {report.bytes} bytes, {report.cuts} recorded cuts, "
        f"{report.beyond} bytes beyond counted ends, {len(report.unclean)} unclean stops, {report.leaps} leaps of the "
        f"clock, {len(report.problems)} problems"
    )
    typer.echo(told, err=as_json)
    if report.problems:
        raise typer.Exit(WRONG)


def _unclean(stop: verification.UncleanStop) -> str:
    where = f"{stop.folder}/{stop.segment}"
    if not stop.until:
        return f"{where}: does not end in order: its process was lost, and no start has told of it yet"
    since, until = (datetime.fromtimestamp(at / 1e6).astimezone().isoformat(" ") for at in (stop.since, stop.until))
    if stop.machine == "same":
        return f"{where}: an unclean stop between {since} and {until}: the machine ran on, so what was answered is here"
    what = "the machine was started again" if stop.machine == "restarted" else "nobody knows whether the machine ran on"
    return f"{where}: an unclean stop; {what}, and records made between {since} and {until} may be missing"


def _root(root: Path) -> Path:
    if not root.is_dir():
        typer.echo(f"{root} is not a folder: name the gateway's with --data-dir or --journal-dir", err=True)
        raise typer.Exit(USAGE)
    return root


def _without_personal(record: dict[str, Any]) -> dict[str, Any]:
    hidden: dict[str, Any] = {name: {"kept": True} for name in ("content", "personal") if name in record}
    return {**record, **hidden} if hidden else record


def _record_reading(root: Path, person: str, why: str, selection: Selection) -> None:
    """ClockReading personal data is an act (law 12): it is in the journal, durably, before anything is shown."""
    if not person.strip() or not why.strip():
        typer.echo("--reveal shows personal data: it needs --person and --why, and is recorded", err=True)
        raise typer.Exit(USAGE)
    asked = {
        name: value
        for name in ("id", "sender", "room", "route", "verdict", "reason", "since_us", "until_us")
        if (value := getattr(selection, name))
    }
    ids = Ids(0, 255)
    folder = root.joinpath(*DESK)
    try:
        owner = Owner(folder)
        try:
            log, _ = recovery.begin(folder, ids, always=True)
            act = records.act(ids(), person, why, "journal.read", target=asked)
            recovery.end(log, ids, act)
        finally:
            owner.release()
    except OSError as error:
        typer.echo(f"the reading could not be recorded, so nothing is shown: {type(error).__name__}", err=True)
        raise typer.Exit(WRONG) from None


def _table(rows: list[dict[str, Any]], reveal: bool) -> Table:
    table = Table(*COLUMNS, *(["text"] if reveal else []))
    for row in rows:
        cells = [
            datetime.fromtimestamp(row.get("time", 0) / 1e6).astimezone().isoformat(" ", "milliseconds"),
            row["kind"],
            *(str(row.get(name, "")) for name in ("id", "route", "room", "sender")),
            str(row.get("verdict") or row.get("state") or row.get("what") or ""),
            ", ".join(f"{f['reason']} ({f['effect']})" for f in row.get("findings", ())) or str(row.get("reason", "")),
        ]
        if reveal:
            cells.append(_text(row.get("content")))
        table.add_row(*(_plain(cell) for cell in cells))
    return table


def _text(envelope: dict[str, Any] | None) -> str:
    if envelope is None:
        return ""
    if "plain" not in envelope:
        return f"sealed with key {envelope['key']}"
    return " ⏎ ".join(envelope["plain"])


def _plain(cell: str) -> str:
    """Without what a terminal or rich would obey: a message must not be able to write over the table."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cell).replace("[", "\\[")
