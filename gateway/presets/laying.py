"""A configuration is written: checked as ``tidegate config check`` does, beside its place, and then put there whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from filters.model.errors import TidegateError
from gateway import config as configuration
from gateway.config import ConfigError
from gateway.generation import conversion
from gateway.obligations.regulations.sentence import Sentence
from gateway.presets.composing import STARTERS


class AlreadyThere(TidegateError, FileExistsError):
    """A file has the name already, and nobody said that it may be replaced."""


class Vetted(NamedTuple):
    """What ``config check`` says of a good one: warnings, and what is written and judged by nobody."""

    warnings: list[Sentence]
    unjudged: list[Sentence]


def write(text: str, target: Path, *, force: bool = False) -> Vetted:
    """Put ``text`` at ``target``. Whoever reads it there sees the old file, or the whole new one; a crash leaves one of
    them. Raises ``ConfigError`` where it is not good, and ``AlreadyThere``; both leave everything as it was."""
    if not force and os.path.lexists(target):
        raise AlreadyThere(str(target))
    target = target.resolve() if target.is_symlink() else target
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        checked = check(aside, target)
        aside.chmod(0o644)
        if force:
            aside.replace(target)
        else:
            try:
                os.link(aside, target)  # unlike a rename, it never replaces what came meanwhile
            except FileExistsError:
                raise AlreadyThere(str(target)) from None
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return checked


def check(path: Path, shown: Path) -> Vetted:
    """What is to be said of the file; problems name it as ``shown``. Raises ``ConfigError``."""
    read, problems = configuration.check(path)
    if read is not None and not problems:
        problems = conversion.unbuildable(read, str(path))
    if read is None or problems:
        raise ConfigError([replace(problem, file=str(shown)) for problem in problems])
    return Vetted(configuration.warned(read), configuration.unjudged(read))


def lay_lists(folder: Path) -> list[Path]:
    """The small lists that come with the program, into ``lists`` of ``folder``; those that are there stay. Which were
    written."""
    with lists_laid(folder) as written:
        return written


@contextmanager
def lists_laid(folder: Path) -> Iterator[list[Path]]:
    """The same; where what is done meanwhile fails, everything is as it was."""
    place = folder / "lists"
    made = not os.path.lexists(place)
    written: list[Path] = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, _ in STARTERS:
            target = place / f"{name}.txt"
            source = resources.files("gateway.demo").joinpath("lists", target.name)
            try:
                file = target.open("x", encoding="utf-8")
            except FileExistsError:
                continue
            written.append(target)
            with file:
                file.write(source.read_text(encoding="utf-8"))
        yield written
    except BaseException:  # raised again
        for path in written:
            path.unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # somebody has put something there meanwhile
                place.rmdir()
        raise
