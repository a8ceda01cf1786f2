"""List files and artifacts on disk: read, written so that a reader never sees half of one, mapped to be used."""

from __future__ import annotations

import mmap
import os
import stat
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from filters.lists.artifact import Artifact, ArtifactError
from filters.lists.listsource import ListErrors, ListProblem, ParsedList, lines, parse
from filters.lists.wordlist import load
from filters.reading.keywords import AnyList
from filters.text.tables import FoldTables
from gateway.words.errors import Fault, WordListError
from gateway.words.specs import ListSpec

SUFFIX = ".tga"
PIECE = 1 << 20  # bytes of an automaton that are read at once


@cache
def folding_tables() -> FoldTables:
    """The tables of ``gateway/words/folding.txt``; read once a process, about 20 ms."""
    return FoldTables.from_bytes((files("gateway.words") / "folding.txt").read_bytes())


def read_list(spec: ListSpec) -> ParsedList:
    """A list file, parsed. Raises ``WordListError`` with all of its faults."""
    try:
        data = _bytes(Path(spec.path), spec.max_size)
        if data is None:
            raise WordListError([Fault(spec.name, spec.path, 0, "is no file", "a pipe or device is not waited for")])
        if len(data) > spec.max_size:
            raise WordListError(
                [Fault(spec.name, spec.path, 0, "the file is too large", f"at most {spec.max_size} bytes")]
            )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WordListError(
            [Fault(spec.name, spec.path, 0, f"cannot be read: {reason}", "check [lists] path")]
        ) from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what, remedy = "is not UTF-8", "save the file as UTF-8"
        if error.reason == "unexpected end of data" and not data[: error.start].isascii():
            what, remedy = "the file ends within a character", "was it copied whole?"
        raise WordListError([Fault(spec.name, spec.path, line, what, remedy)]) from None
    gone = 0
    if spec.removed or spec.added:
        in_file = lines(text)
        removed = {line.strip() for line in spec.removed}
        # An empty line in its place keeps the numbers of all others, which errors name.
        kept = ["" if line.strip() in removed else line for line in in_file]
        gone = len({line.strip() for line in in_file} & {line for line in removed if line[:1] not in ("", "#", "@")})
        text = "\n".join((*kept, *spec.added))
    try:
        parsed = parse(text, spec.name, kind=spec.kind, category=spec.category, fold=spec.fold, strict=spec.strict)
    except ListErrors as errors:
        raise told(spec, errors) from None
    if spec.removed or spec.added:
        parsed.in_file = gone + sum(not entry.allow and entry.line <= len(in_file) for entry in parsed.entries)
    return parsed


def _bytes(path: Path, most: int) -> bytes | None:
    """The content of a file, at most one byte more than ``most``; None for what is no file, and might give no end or
    nothing. A folder raises ``OSError`` as one does."""
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        return None
    with path.open("rb") as file:
        return file.read(most + 1)


def told(spec: ListSpec, errors: ListErrors) -> WordListError:
    """The errors of a list's text with the file they stand in."""
    return WordListError([fault(spec, problem) for problem in errors.problems], errors.more)


def fault(spec: ListSpec, problem: ListProblem) -> Fault:
    """One problem with the file it stands in."""
    return Fault(spec.name, spec.path, problem.line, problem.what, problem.remedy)


def noted(spec: ListSpec, parsed: ParsedList, notices: Sequence[ListProblem]) -> tuple[Fault, ...]:
    """What is no error in a list but worth telling, with the file it stands in."""
    faults = [fault(spec, notice) for notice in notices]
    if all(entry.allow for entry in parsed.entries):
        faults.append(Fault(spec.name, spec.path, 0, "holds no word: it finds nothing", "min_words = 1 refuses that"))
    return tuple(faults)


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` under ``path`` at once, durable with its folder: readers see all of it or what was there before."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:  # raised again; what was half written must not stay
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load_artifact(path: Path, tables: FoldTables) -> AnyList:
    """A list from its artifact: words stay in the file map, which all workers share through the page cache; only the
    automaton is read into this process. Raises ``OSError``, ``ArtifactError``.

    Seconds of work for a million words, none of them with the interpreter's lock held for long: call it in a thread.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise ArtifactError("an empty file is no artifact")
        mapped = memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
        artifact = Artifact(mapped, check=False)
        if artifact.header["kind"] == "patterns":
            return load(mapped, tables)
        offset, length = artifact.place("automaton")
        return load(mapped, tables, automaton=_read(file.fileno(), offset, length))


def _read(handle: int, offset: int, length: int) -> bytes:
    """In pieces, because most kernels do not interrupt themselves: one call that copies 90 MB keeps its processor for
    50 ms, and a worker that is pinned to it answers nobody meanwhile. The interpreter's lock is released in each."""
    piece = bytearray(PIECE)
    data = BytesIO(bytes(length))  # written in place and given away as it is: CPython copies none of it at once
    missing = length
    while missing and (got := os.preadv(handle, [memoryview(piece)[:missing]], offset)):
        data.write(memoryview(piece)[:got])
        offset += got
        missing -= got
    if missing:
        raise ArtifactError("the artifact became shorter while it was read")
    return data.getvalue()
