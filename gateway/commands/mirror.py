"""``tidegate mirror verify | rebuild | import | probe``."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from gateway.commands import places
from gateway.commands.places import ConfigOption, DataDirOption
from gateway.common import channel
from gateway.common.folders import Folders
from gateway.config import Config, ConfigError
from gateway.config.sections.mirror import Mirror
from gateway.config.sections.routes import Route
from gateway.generation import generation
from gateway.journal.write.errors import Locked
from gateway.journal.write.segments import Owner
from gateway.mirror.pages.pages import Pages
from gateway.mirror.projector.page_probe import Seen
from gateway.mirror.projector.platform_client import PlatformClient
from gateway.mirror.projector.probing import look
from gateway.mirror.projector.projector import guarding, own_folder, without_bullets
from gateway.mirror.store import folder
from gateway.mirror.store.guarding import PAGES_FOR_ALL
from gateway.mirror.store.pulse import PulseReader
from gateway.mirror.upkeep.importing import ImportRefused, bring_in
from gateway.mirror.upkeep.rebuild import rebuild as rebuild_mirror
from gateway.mirror.upkeep.verify import verify as verify_mirror

app = typer.Typer(
    no_args_is_help=True, help="The static version of bullets: prove it, make it anew, bring old ones in."
)

WRONG, USAGE = 1, 2
ADOPT_WITHIN = 60.0  # seconds; the projector finishes its turn and deletes the folder that was there
DEAD_AFTER = 5.0  # seconds without a heartbeat

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, one object a line.")]


@app.command()
def verify(config: ConfigOption = None, data_dir: DataDirOption = None, as_json: AsJson = False) -> None:
    """Compare journal and pages in both directions, removals counted. Exit code 1 when they differ."""
    folders, loaded, _ = _loaded(config, data_dir)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        tasks = {what: progress.add_task(what, total=None) for what in ("records", "rooms")}
        report = verify_mirror(
            folders.mirror(loaded),
            folders.journal(loaded),
            own_folder(loaded),
            near=folders.run,
            others=without_bullets(loaded),
            caught_up=lambda moment: _wait_for(PulseReader(folders.pulse), moment, loaded),
            on_progress=lambda what, count: progress.advance(tasks[what], count),
        )
    for problem in report.problems:
        if as_json:
            typer.echo(orjson.dumps(problem._asdict()).decode())
        else:
            typer.echo(": ".join(part for part in (problem.code, problem.where, problem.id, problem.detail) if part))
    typer.echo(
        f"{report.expected} bullets expected, {report.shown} shown on {report.pages} pages of {report.rooms} rooms, "
        f"{report.older} older than the journal, {report.waiting} with no outcome yet, {len(report.problems)} problems",
        err=as_json,
    )
    if report.problems:
        raise typer.Exit(WRONG)


@app.command()
def rebuild(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Make all pages anew from the journal. While the gateway runs readers miss nothing, and no bullet is refused."""
    folders, loaded, mirror = _loaded(config, data_dir)
    root = folders.mirror(loaded)
    os.umask(PAGES_FOR_ALL)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        tasks = {what: progress.add_task(what, total=None) for what in ("records", "rooms")}
        made = rebuild_mirror(
            root,
            folders.journal(loaded),
            own_folder(loaded),
            pages=Pages(mirror.language, mirror.path),
            others=without_bullets(loaded),
            guarding=guarding(loaded),
            on_flaw=lambda flaw: typer.echo(
                f"{flaw.folder}/{flaw.segment}: damaged at byte {flaw.offset}: {flaw.code}", err=True
            ),
            on_progress=lambda what, count: progress.advance(tasks[what], count),
        )
    try:
        owner = Owner(folders.journal(loaded) / own_folder(loaded))
    except Locked:
        answer = _ask(folders, {"command": "adopt"})
        if not answer.get("ok"):
            _fail(f"the projector runs and did not take the new pages: {answer.get('error')}", WRONG)
    else:
        try:
            folder.swap(root, made)
        finally:
            owner.release()
    typer.echo(f"{root} was made anew")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="NDJSON: id, room, text, at, and time where a bullet has a place.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    route: Annotated[
        str, typer.Option(help="The danmaku route whose rooms they are; needed where there are more.")
    ] = "",
) -> None:
    """Bring in bullets from before the gateway, oldest first. The same file may be imported again."""
    folders, loaded, _ = _loaded(config, data_dir)
    routes = {one.name: one for one in loaded.routes if one.mirrored}
    chosen = routes.get(route) if route else next(iter(routes.values())) if len(routes) == 1 else None
    if chosen is None and route:
        _fail(f"--route: there is no danmaku route “{route}”{places.nearest(route, routes)}", USAGE)
    if chosen is None:
        _fail(
            f"name the route with --route: one of {', '.join(sorted(routes)) or 'none, there is no danmaku route'}",
            USAGE,
        )
    try:
        file.open("rb").close()
    except OSError as error:
        _fail(f"{file} cannot be read: {error.strerror}", USAGE)
    try:
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("bullets", total=None)
            new, old = bring_in(file, folders.journal(loaded), chosen, lambda count: progress.advance(task, count))
    except ImportRefused as refused:
        for fault in refused.faults:
            typer.echo(f"{file}: line {fault.line} {fault.why}", err=True)
        _fail("nothing was imported", WRONG)
    except OSError as error:
        _fail(f"nothing more was imported: {error.strerror or error}", WRONG)
    typer.echo(f"{new} bullets imported, {old} were there already")


@app.command()
def probe(
    room: Annotated[str, typer.Argument(help="A room that has bullets.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    route: Annotated[str, typer.Option(help="Only this danmaku route's page.")] = "",
) -> None:
    """Look whether the platform's page of a room contains its list. Exit code 1 where it does not."""
    _, loaded, _ = _loaded(config, data_dir)
    mirrored = {one.name: one for one in loaded.routes if one.mirrored}
    if route and route not in mirrored:
        _fail(f"--route: there is no danmaku route “{route}”{places.nearest(route, mirrored)}", USAGE)
    if not room:
        _fail("ROOM: an empty name is no room: write one", USAGE)
    routes = [mirrored[route]] if route else list(mirrored.values())
    results = asyncio.run(_look(loaded, routes, room))
    for one, seen in zip(routes, results, strict=True):
        typer.echo(f"{one.name}: {seen.result} ({seen.how})")
    if any(seen.result != "contained" for seen in results):
        raise typer.Exit(WRONG)


async def _look(config: Config, routes: list[Route], room: str) -> list[Seen]:
    async with PlatformClient() as client:
        return [await look(client, config, route, room, filled=True) for route in routes]


def _loaded(config_path: Path | None, data_dir: Path | None) -> tuple[Folders, Config, Mirror]:
    folders = places.folders(config_path, data_dir)
    number = folders.current() if folders.generations.is_dir() else 0
    if not number:
        _fail(f"{folders.root} is not a gateway's data folder: name it with --data-dir", USAGE)
    try:
        config = generation.load(folders, number).config
    except (ConfigError, OSError) as error:
        _fail(f"the configuration in force cannot be read: {error}", WRONG)
    if config.mirror is None:
        _fail("there is no [mirror] in the configuration", USAGE)
    return folders, config, config.mirror


def _wait_for(pulse: PulseReader, moment: float, config: Config) -> None:
    """Until the projector has come to a moment; not for a projector that is dead or stuck."""
    assert config.mirror is not None
    give_up = time.monotonic() + 3 * config.mirror.max_lag
    while time.monotonic() < give_up:
        beat = pulse.beat()
        if beat is None or time.monotonic() - beat.heartbeat > DEAD_AFTER or beat.watermark >= moment:
            return
        try:
            os.kill(beat.pid, 0)
        except OSError:
            return
        time.sleep(0.1)


def _ask(folders: Folders, request: dict[str, str]) -> dict[str, object]:
    try:
        return asyncio.run(channel.call(folders.projector_socket, request, ADOPT_WITHIN))
    except channel.ChannelError as error:
        return {"error": str(error)}


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
