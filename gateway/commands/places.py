"""Which configuration and which data folder a command means: all of them name it in one way, with the same defaults.

The configuration is ``--config``, else TIDEGATE_CONFIG, else ``tidegate.toml`` in the current folder. The data folder
is ``--data-dir``, else TIDEGATE_DATA_DIR, else ``server.data_dir`` of that configuration, else ``data`` in the current
folder. What is read here is read leniently: a command that asks how a node is must work while the file on disk is being
edited, and needs none of its secrets.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

import typer

from gateway.common.folders import Folders
from gateway.config.values.named import looked_up, names

CONFIG, DATA_DIR = "TIDEGATE_CONFIG", "TIDEGATE_DATA_DIR"
USUAL_CONFIG = Path("tidegate.toml")
USUAL_DATA = Path("data")
WRONG, USAGE = 1, 2  # exit codes
FEW = 20  # names that are all told

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", envvar=CONFIG, show_default=False, show_envvar=False,
        help=f"The configuration; else {CONFIG}, else {USUAL_CONFIG} in the current folder.",
    ),
]  # fmt: skip
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", envvar=DATA_DIR, show_default=False, show_envvar=False,
        help=f"Folder for all that is kept; else {DATA_DIR}, else server.data_dir of the configuration.",
    ),
]  # fmt: skip


class Written(NamedTuple):
    """A configuration as it is written. ``base``: the folder that its relative paths start at."""

    table: dict[str, Any]
    base: Path

    def section(self, name: str) -> dict[str, Any]:
        """A table of it; empty where there is none."""
        found = self.table.get(name)
        return found if isinstance(found, dict) else {}

    def path(self, section: str, key: str) -> Path | None:
        """A path in it; None where it is not written, or what it names is not there."""
        told = self.section(section).get(key)
        if not isinstance(told, str) or not told:
            return None
        if names(told):
            try:
                told = looked_up(told, {"base": self.base, "environ": os.environ})
            except ValueError:
                return None
        return (self.base / told).absolute()


def configuration(named: Path | None) -> Path:
    """The configuration that a command needs. Ends it where none is named and none lies here."""
    if named is None and not USUAL_CONFIG.is_file():
        refuse(f"no configuration: name it with --config or {CONFIG}, or run this where {USUAL_CONFIG} is")
    return named if named is not None else USUAL_CONFIG


def folders(config: Path | None, data_dir: Path | None) -> Folders:
    """The data folder that a command means; it need not exist."""
    if data_dir is not None:
        return Folders(data_dir)
    path = config if config is not None else USUAL_CONFIG
    written = read(path)
    if written is None:
        return Folders(USUAL_DATA)
    return Folders(written.path("server", "data_dir") or written.base / USUAL_DATA)


def read(path: Path, base: Path | None = None) -> Written | None:
    """A file as it is written; None where it is not there, or is no TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return Written(tomllib.loads(text), base or path.absolute().parent)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None


def in_force(held: Folders) -> Written | None:
    """What the node of a data folder runs with; None where it has not started yet."""
    try:
        folder = held.generation(held.current())
        manifest = json.loads((folder / "manifest.json").read_bytes())
        return read(folder / "tidegate.toml", Path(manifest["base"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def journal(config: Path | None, data_dir: Path | None, journal_dir: Path | None) -> Path:
    """Where records are: as named, else as the node's configuration has it, else in the data folder."""
    if journal_dir is not None:
        return journal_dir
    held = folders(config, data_dir)
    written = in_force(held) or (read(config if config is not None else USUAL_CONFIG) if data_dir is None else None)
    return (written.path("journal", "dir") if written is not None else None) or held.root / "journal"


def nearest(name: str, known: Collection[str]) -> str:
    """A remedy for a name that nobody has."""
    close = difflib.get_close_matches(name, known, 1, 0.6)
    few = f": known are {', '.join(sorted(known))}" if 0 < len(known) <= FEW else ""
    return f": did you mean “{close[0]}”?" if close else few


def text_of(told: str) -> str:
    """A text that a person names; “-” reads it from standard input. Ends the command where that is no UTF-8."""
    if told != "-":
        return told
    try:
        return typer.get_binary_stream("stdin").read().decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        refuse(f"standard input is not UTF-8 at byte {error.start + 1}: save the text as UTF-8")


def refuse(message: str, code: int = USAGE) -> NoReturn:
    """One line on standard error, and the exit code: by default that of wrong usage."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def environment(name: str) -> str:
    """A variable of the environment; empty where it is not set."""
    return os.environ.get(name, "").strip()
