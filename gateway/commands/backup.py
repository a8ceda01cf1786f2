"""``tidegate backup`` and ``tidegate restore``: a node's journal, database, lists and configuration, out and back.

Exit codes: 0 well, 1 found something wrong, 2 usage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.backup import checking, node, taking
from gateway.backup.backup_manifest import CONFIGURATION, BackupError, BackupManifest
from gateway.backup.node import NodePlaces
from gateway.backup.source import BackupSource, opened
from gateway.commands import places
from gateway.commands.places import WRONG, ConfigOption, DataDirOption
from gateway.common.folders import Folders

ARCHIVE = ".tar"


class _Taking(TyperGroup):
    """``tidegate backup TO`` is ``tidegate backup create TO``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not set(args) & set(self.get_help_option_names(ctx)):
            args = ["create", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(no_args_is_help=True, cls=_Taking, help="Back up a node: journal, database, lists, configuration.")

Backup = Annotated[Path, typer.Argument(help="A backup: its folder, or its .tar.", show_default=False)]


@app.command()
def create(
    to: Annotated[Path, typer.Argument(help="A folder that holds backups, or the name of a new .tar.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    keep: Annotated[
        int, typer.Option(min=0, help="Backups of this node that stay in the folder, the newest; 0: all.")
    ] = 0,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also keys, what “file:” names, and the first person's token.")
    ] = False,
) -> None:
    """Take a backup of a node, running or not; “create” may be left out. In a folder, what an earlier backup holds is
    not copied again."""
    with _told():
        held = node.in_force(places.folders(config, data_dir))
        if to.suffix == ARCHIVE and not to.is_dir():
            if keep:
                places.refuse("--keep is for a folder of backups: an archive is one")
            taken = taking.into_file(held, to, secrets=secrets)
        else:
            taken = taking.into_folder(held, to, keep=keep, secrets=secrets)
    for line in taken.told:
        typer.echo(line, err=True)
    typer.echo(f"{taken.path}: {len(taken.manifest.files)} files, {_size(taken.size)}, {_size(taken.new)} of them new")


@app.command()
def verify(backup: Backup) -> None:
    """Read all of a backup: is it what was taken? Exit code 1 where it is not."""
    with _told():
        found = checking.check(backup)
    for problem in found.problems:
        typer.echo(problem)
    damaged = 0
    if found.journal is not None:
        damaged = len(found.journal.problems)
        for one in found.journal.problems:
            typer.echo(f"journal/{one.folder}/{one.segment}: byte {one.offset}: {one.code}: {one.detail}")
    typer.echo(f"{_described(found.manifest)}: {len(found.manifest.files)} files, {_size(found.size)}, "
               f"{len(found.problems) + damaged} problems")  # fmt: skip
    if found.problems or damaged:
        raise typer.Exit(WRONG)


def restore(
    backup: Annotated[
        Path | None, typer.Argument(help="A backup: its folder, or its .tar; left out, acts alone come back.")
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    acts_from: Annotated[
        list[Path] | None,
        typer.Option(help="A journal that has what was done since: the node's own, or a copy; repeatable."),
    ] = None,
    config_to: Annotated[
        Path | None, typer.Option(help="A new folder for the backup's configuration and lists, which then counts.")
    ] = None,
    database_only: Annotated[
        bool, typer.Option("--database-only", help="Journal and static version are there and stay.")
    ] = False,
) -> None:
    """Put a backup into an empty data folder, and do again what the journal says was done since. The node must not
    run."""
    from gateway.backup import restoring  # only here: control's libraries cost every start a second
    from gateway.control.features import GOVERNANCE

    with _told():
        journals = restoring.journals(acts_from or [])
        if backup is None:
            if not journals or config_to is not None or database_only:
                places.refuse("name a backup, or with --acts-from alone a journal whose acts come back")
            held = _node(None, config, data_dir)
            acts = restoring.again(held, journals, GOVERNANCE)
            told: list[str] = []
        else:
            with opened(backup) as (source, manifest):
                if config_to is not None:
                    told = restoring.configured(source, manifest, config_to)
                    config = config_to / "tidegate.toml"
                else:
                    told = []
                held = _node((source, manifest), config, data_dir)
                restored = restoring.restore(source, manifest, held, journals, GOVERNANCE, database_only=database_only)
            acts = restored.acts
            told += restored.told
            told += [f"journal/{one.folder}/{one.segment}: byte {one.offset}: {one.code}: {one.detail}"
                     for one in restored.journal.problems]  # fmt: skip
            typer.echo(
                f"{_described(manifest)}: {restored.files} files, {_size(restored.size)} are in {held.folders.root}"
            )
    for line in (*told, *acts.lost):
        typer.echo(line, err=True)
    typer.echo(f"{acts.acts} acts came back from the journal, {len(acts.lost)} things did not")


def _node(backup: tuple[BackupSource, BackupManifest] | None, config: Path | None, data_dir: Path | None) -> NodePlaces:
    """Where a backup goes: as the configuration says that is named, or that lies here; else the backup's own."""
    if config is not None or places.USUAL_CONFIG.is_file() or backup is None:
        file = places.configuration(config)
        found = node.of(places.folders(config, data_dir), file)
        return found if data_dir is not None else found._replace(folders=Folders(found.config.server.data_dir))
    raise BackupError(
        f"no configuration: name it with --config, or have the backup's own ({CONFIGURATION}) put into a new folder "
        "with --config-to"
    )


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong is told in lines, and ends the command."""
    try:
        yield
    except BackupError as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(WRONG) from None
    except OSError as error:
        typer.echo(f"{error.filename or 'a file'}: {error.strerror or error}: nothing was kept", err=True)
        raise typer.Exit(WRONG) from None


def _described(manifest: BackupManifest) -> str:
    made = datetime.fromtimestamp(manifest.made / 1e6, UTC).isoformat(timespec="seconds")
    return f"backup of node {manifest.node} of {made} ({manifest.program}), up to act {manifest.database.get('act', 0)}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
