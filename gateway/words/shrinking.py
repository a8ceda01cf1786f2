"""A list that lost its words is a file that was half copied, until somebody says that it is meant.

The law behind it: nothing lets messages pass silently. An emptied list, and one that holds less than half of the words
that the artifact in force was made of, is refused, on a reload as at a start; what is in force stays. What people added
and removed through the API does not count, for they said why: compared is what the operator's file holds by itself.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from filters.lists.artifact import Artifact, ArtifactError
from filters.lists.contents import denied_ids
from gateway.words.errors import Fault, WordListError
from gateway.words.specs import ListSpec


class ListDiff(NamedTuple):
    """``words``: that the list denies now; ``added`` and ``removed``: against the artifact before, both 0 where there
    was none. A word whose attributes changed is neither."""

    list: str
    words: int
    added: int = 0
    removed: int = 0
    first: bool = False

    def __str__(self) -> str:
        words = f"{self.words:,} word{'' if self.words == 1 else 's'} now"
        if self.first:
            return f"{self.list}: {words}"
        return f"{self.list}: {self.added:,} added, {self.removed:,} removed, {words}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return self._asdict()


class Before(NamedTuple):
    """What a list was made of. ``denied``: ids, None where its artifact cannot be read. ``in_file``: words of the
    operator's file alone."""

    denied: frozenset[int] | None
    in_file: int


def before(spec: ListSpec) -> Before | None:
    """None where there is nothing to compare with: ``min_words`` is the only bound then."""
    if not spec.before:
        return None
    denied: frozenset[int] | None = None
    with suppress(OSError, ValueError, KeyError):  # gone or damaged: the words of its file may have been counted
        denied = _denied(Path(spec.before))
    in_file = spec.before_in_file if spec.before_in_file >= 0 else len(denied or ())
    return Before(denied, in_file)


def insist(spec: ListSpec, in_file: int, was: Before | None) -> None:
    """Raises ``WordListError`` for a list that must not take the place of the one before."""
    if spec.meant:
        return
    if in_file < spec.min_words:
        what = f"holds {_words(in_file)}, and min_words is {spec.min_words:,}"
        remedy = f"copy it again, or lower lists.{spec.name}.min_words"
        raise WordListError([Fault(spec.name, spec.path, 0, what, remedy)])
    if was is not None and not spec.may_shrink and in_file * 2 < was.in_file:
        what = f"holds {_words(in_file)}, {was.in_file:,} before; was it copied whole?"
        remedy = (
            f"copy it again; if it is meant, reload or start with may_shrink naming {spec.name}, "
            f"or set lists.{spec.name}.may_shrink = true"
        )
        raise WordListError([Fault(spec.name, spec.path, 0, what, remedy)])


def changed(name: str, artifact: Path | bytes, was: Before | None) -> ListDiff:
    """How the list changed, now that it is compiled. Raises ``OSError``, ``ArtifactError``."""
    now = _denied(artifact) if isinstance(artifact, Path) else denied_ids(Artifact(artifact, check=False))
    if was is None or was.denied is None:
        return ListDiff(name, len(now), first=True)
    return ListDiff(name, len(now), len(now - was.denied), len(was.denied - now))


def newest(folder: Path, name: str) -> str:
    """The artifact of a list that was compiled last into a folder; empty where there is none."""
    found = [path for path in folder.glob(f"{name}-*.tga") if len(path.stem) == len(name) + 13]
    return str(max(found, key=lambda path: path.stat().st_mtime_ns)) if found else ""


def _denied(path: Path) -> frozenset[int]:
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ArtifactError("an empty file is no artifact") from None
        return denied_ids(Artifact(memoryview(mapped), check=False))


def _words(number: int) -> str:
    return "no word" if not number else f"{number:,} word{'' if number == 1 else 's'}"
