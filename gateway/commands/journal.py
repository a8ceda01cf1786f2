"""``tidegate journal query``, ``verify`` and ``reindex``."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from gateway.commands import places, terminal
from gateway.commands.places import USAGE, WRONG, ConfigOption, DataDirOption
from gateway.commands.terminal import Column
from gateway.common import channel
from gateway.index.store.day_files import DayFiles, thrown_away
from gateway.journal.read import verification
from gateway.journal.read.follow import Follower, before, ends
from gateway.journal.read.joined import Joined
from gateway.journal.read.reader import Flaw, merged
from gateway.journal.read.selection import REMEMBERED, Selection
from gateway.journal.write import record as records
from gateway.journal.write import recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import Owner, copied
from gateway.judging.reason_codes import chapters
from gateway.replicas.copying.node_copy import heard

app = typer.Typer(no_args_is_help=True, help="Ask the journal, and prove that it is what was written.")

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
VERDICTS = ("pass", "hold", "reject", "mask", "label")
SHOWN = 100  # rows on a terminal
FOLLOWED = 10  # rows that come before those that are new
WINDOWS = (3600, 6 * 3600, 86_400, 7 * 86_400, 31 * 86_400)  # seconds back: the newest are looked for first
LOOK_EVERY = 0.2  # seconds between two looks for new records
OUTCOME_WITHIN = 2.0  # seconds that a followed message waits for its outcome, to be one row with it
HOUSEKEEPING = frozenset(("opened", "closed", "page"))  # the journal's own records, which say nothing to a person
REINDEX_WITHIN = 60.0  # seconds; a turn of the index is over within one
DESK = ("desk", "query")  # node and worker of the folder where readings are recorded


def _moment_of(micros: Any) -> str:
    """A record's time, local, to the millisecond."""
    return datetime.fromtimestamp(int(micros or 0) / 1e6).astimezone().isoformat(" ", "milliseconds")


COLUMNS = (
    Column("time", shown=_moment_of),
    Column("kind"),
    Column("id", whole=True),
    Column("route"),
    Column("room", whole=True),
    Column("sender", whole=True),
    Column("what"),
    Column("why"),
    Column("became"),
)

JournalDir = Annotated[Path | None, typer.Option("--journal-dir", help="The journal's folder, where it is elsewhere.")]


def moment(text: str) -> int:
    """Microseconds since the epoch from ``90m`` (that long ago) or ISO 8601 (local time where it names no zone)."""
    ago = re.fullmatch(r"([0-9]+)([smhd])", text)
    try:
        if ago:
            return max(0, time.time_ns() // 1000 - int(ago[1]) * UNITS[ago[2]] * 1_000_000)
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1e6)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is neither like 90m, 2h, 7d nor like 2026-11-21T08:00") from None


@app.command()
def query(
    *,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    journal_dir: JournalDir = None,
    message_id: Annotated[str, typer.Option("--id", help="A message, or an act.")] = "",
    sender: Annotated[str, typer.Option(help="Only this sender's.")] = "",
    room: Annotated[str, typer.Option(help="Only of this room.")] = "",
    route: Annotated[str, typer.Option(help="Only of this route.")] = "",
    since: Annotated[str, typer.Option(help="2h, 7d, or a time such as 2026-11-21T08:00.")] = "",
    until: Annotated[str, typer.Option(help="The same; records of this moment are left out.")] = "",
    verdict: Annotated[str, typer.Option(help="pass, hold, reject, mask or label.")] = "",
    reason: Annotated[str, typer.Option(help="A reason code, such as keyword.match.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One record a line, as in a pipe.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Only the newest so many; unset: {SHOWN} on a terminal, all in a pipe."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is new, until interrupted.")] = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show texts and personal fields; this is recorded.")] = False,
    person: Annotated[str, typer.Option(help="With --reveal: your name.")] = "",
    why: Annotated[str, typer.Option(help="With --reveal: your reason.")] = "",
) -> None:
    """Print the records that match. On a terminal the newest first, a message with what became of it; in a pipe the
    oldest first, one record a line."""
    root = _root(places.journal(config, data_dir, journal_dir))
    if verdict and verdict not in VERDICTS:
        places.refuse(f"--verdict: “{verdict}” is no verdict{places.nearest(verdict, VERDICTS)}")
    if follow and until:
        places.refuse("--until does not go with --follow: what is new has no end")
    selection = Selection(message_id, sender, room, route, verdict, reason)
    selection.since_us = moment(since) if since else 0
    selection.until_us = moment(until) if until else None
    if selection.until_us is not None and selection.until_us <= selection.since_us:
        places.refuse(f"--until: “{until}” is not after --since: nothing lies between")
    if reveal:
        _record_reading(root, person, why, selection)
    elif person or why:
        places.refuse("--person and --why go with --reveal: without it nothing personal is shown")
    searched = Search(root, selection, reveal=reveal)
    for_programs = terminal.for_programs(as_json)
    positions = ends(root) if follow else None
    most = limit or (FOLLOWED if follow else None if for_programs else SHOWN)
    if for_programs:
        found = searched.lines(most, positions)
    else:
        found = searched.table(most or SHOWN, positions, oldest_first=follow)
    for flaw in searched.flaws:
        typer.echo(_damaged(flaw), err=True)
    if not found and not follow:
        _nothing(config, data_dir, selection)
    if positions is not None:
        try:
            searched.follow(positions, for_programs=for_programs)
        except KeyboardInterrupt:
            return
    if searched.flaws:
        raise typer.Exit(WRONG)


class Search:
    """A question to the journal in ``root``. ``reveal``: texts and personal fields are shown."""

    def __init__(self, root: Path, selection: Selection, *, reveal: bool) -> None:
        self.flaws: list[Flaw] = []
        self._root = root
        self._selection = selection
        self._reveal = reveal
        self._columns = (*COLUMNS, Column("content", shown=_text, title="text")) if reveal else COLUMNS

    def lines(self, most: int | None, positions: Mapping[str, str] | None) -> bool:
        """The records, oldest first, for programs; whether there were any."""
        kept: deque[dict[str, Any]] = deque()
        left, any_ = 0, False
        for record in self._records(positions):
            any_ = True
            if most is None:
                terminal.lines([record])
                continue
            kept.append(record)
            if len(kept) > most:
                kept.popleft()
                left += 1
        terminal.lines(kept)
        if left:
            typer.echo(f"{left} older ones are left out: raise --limit, or leave it out", err=True)
        return any_

    def table(self, most: int, positions: Mapping[str, str] | None, *, oldest_first: bool) -> bool:
        """The newest rows for a person; whether there were any."""
        now, left = time.time_ns() // 1000, ""
        for window in (*WINDOWS, None):
            # The newest are wanted, and a year of records takes long to read.
            begin = now - window * 1_000_000 if window is not None else 0
            if window is not None and (begin <= self._selection.since_us or self._selection.id):
                continue
            joined = Joined(most)
            self.flaws.clear()
            for record in self._records(positions, begin):
                if record["kind"] not in HOUSEKEEPING:
                    joined.take(record)
            if joined.left:
                left = f"{joined.left} older ones{' and those before them' if window else ''} are left out"
                break
        rows = list(joined.newest_first())
        rows = rows[::-1] if oldest_first else rows
        if rows:
            terminal.table(rows, self._columns)
        if left and not oldest_first:
            typer.echo(f"{left}: raise --limit, or name --until", err=True)
        return bool(rows)

    def follow(self, positions: dict[str, str], *, for_programs: bool) -> None:
        """What is new, as it comes; a message waits a moment for its outcome, so that it is one row with it."""
        follower = Follower(self._root, lambda flaw: typer.echo(_damaged(flaw), err=True), positions)
        joined = Joined(REMEMBERED)
        waiting: dict[str, tuple[float, dict[str, Any]]] = {}
        while True:
            for entry in follower.read():
                if not self._selection.takes(entry.record):
                    continue
                record = self._shown(entry.record)
                if for_programs:
                    terminal.lines([record])
                    continue
                if record["kind"] in HOUSEKEEPING:
                    continue
                row = joined.take(record)
                if record["kind"] == "judged" and row["what"] == "pass":
                    waiting[record["id"]] = (time.monotonic() + OUTCOME_WITHIN, row)
                else:
                    waiting.pop(record["id"], None)
                    terminal.table([row], self._columns)
            for name, (until, row) in list(waiting.items()):
                if time.monotonic() > until:
                    del waiting[name]
                    terminal.table([row], self._columns)
            time.sleep(LOOK_EVERY)

    def _records(self, positions: Mapping[str, str] | None, begin: int = 0) -> Iterator[dict[str, Any]]:
        """Those that match; with ``positions`` those before them, with ``begin`` those since then."""
        selection = self._selection
        selection.forget()
        since = max(begin, selection.since_us)
        found = merged(
            self._root, self.flaws.append, since_us=since, until_us=selection.until_us, needle=selection.needle
        )
        for entry in found:
            if positions is not None and not before(positions, entry):
                continue
            if entry.record.get("time", 0) >= begin and selection.takes(entry.record):
                yield self._shown(entry.record)

    def _shown(self, record: dict[str, Any]) -> dict[str, Any]:
        return record if self._reveal else _without_personal(record)


def _nothing(config: Path | None, data_dir: Path | None, selection: Selection) -> None:
    """Say that there is nothing, and which name was perhaps meant. Ends the command where it is one that nobody has."""
    if selection.reason and selection.reason not in (codes := _codes()):
        places.refuse(f"--reason: no record has “{selection.reason}”{places.nearest(selection.reason, codes)}")
    written = places.in_force(places.folders(config, data_dir))
    routes = written.table.get("routes") if written is not None else None
    names = [str(one.get("name")) for one in (routes if isinstance(routes, list) else ()) if isinstance(one, dict)]
    if selection.route and names and selection.route not in names:
        places.refuse(f"--route: no record has “{selection.route}”{places.nearest(selection.route, names)}")
    typer.echo("no such record", err=True)


def _codes() -> list[str]:
    return [code for chapter in chapters() for code, *_ in chapter.rows]


def _damaged(flaw: Flaw) -> str:
    return f"{flaw.folder}/{flaw.segment}: damaged at byte {flaw.offset}: {flaw.code}"


@app.command()
def verify(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    journal_dir: JournalDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Problems as one JSON object a line.")] = False,
) -> None:
    """Check sums, sequence, chain, links and ends of every segment. Exit code 1 when something is wrong."""
    root = _root(places.journal(config, data_dir, journal_dir))
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
    for name, told in _copies(root):
        typer.echo(f"{name}: {told}", err=as_json)
    for name in report.aside:
        typer.echo(f"{name}: what the node no longer has, or has otherwise; read, and not verified", err=as_json)
    told = (
        f"{report.records} records in {report.segments} segments, {report.bytes} bytes, {report.cuts} recorded cuts, "
        f"{report.beyond} bytes beyond counted ends, {len(report.unclean)} unclean stops, {report.leaps} leaps of the "
        f"clock, {len(report.problems)} problems"
    )
    typer.echo(told, err=as_json)
    if report.problems:
        raise typer.Exit(WRONG)


@app.command()
def reindex(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    day: Annotated[
        list[str] | None, typer.Option("--day", help="Only what was written on this day (UTC), as 2026-11-30.")
    ] = None,
) -> None:
    """Make the index of messages anew from the journal. Search finds what is indexed meanwhile, the newest first."""
    held = places.folders(config, data_dir)
    days = [_date(told) for told in day or ()]
    request = {"command": "reindex", "days": days}
    try:
        told = asyncio.run(channel.call(held.index_socket, request, REINDEX_WITHIN))
    except channel.ChannelError as error:
        if held.in_use:
            places.refuse(f"no index answers here ({error.cause}): does the configuration have [index]?", WRONG)
        written = places.in_force(held)
        root = (written.path("index", "dir") if written is not None else None) or held.root / "index"
        found = thrown_away(DayFiles(root), days)
        typer.echo(f"{found} files of the index are removed; they are made anew when the node runs")
        return
    typer.echo(f"{told['files']} files of the index are made anew")


def _date(told: str) -> str:
    try:
        return date.fromisoformat(told).isoformat()
    except ValueError:
        places.refuse(f"--day: “{told}” is no day like 2026-11-30")


def _copies(root: Path) -> Iterator[tuple[str, str]]:
    """Of each copy of another node's journal: until when it is whole, and what is missing."""
    for node in sorted(path for path in root.iterdir() if copied(path)):
        last = heard(node)
        if last is None:
            yield node.name, "a copy, and nothing was heard of the node yet"
        elif last.complete is None:
            yield (
                node.name,
                f"a copy that was never whole; {last.behind} bytes were missing at {_moment_of(last.here.time)}",
            )
        else:
            missing = f"{last.behind} bytes were missing then" if last.behind else "nothing was missing then"
            yield (
                node.name,
                f"a copy, whole until {_moment_of(last.complete.time)}; the node was last heard at "
                f"{_moment_of(last.here.time)}, and {missing}",
            )


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
    """The journal's folder. Ends the command where it is none: no record of a wrong folder proves nothing."""
    if not root.is_dir():
        places.refuse(f"{root} is not a folder: name the gateway's with --data-dir or --journal-dir")
    if not any(root.glob("*/*/owner")) and not any(root.glob("*/*/*.jsonl")):
        places.refuse(f"{root} is no journal: name the gateway's with --data-dir or --journal-dir")
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


def _text(envelope: dict[str, Any] | None) -> str:
    if envelope is None:
        return ""
    if "plain" not in envelope:
        return f"sealed with key {envelope['key']}"
    return " ⏎ ".join(envelope["plain"])
