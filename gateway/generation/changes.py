"""Lines that people added to or removed from an operator's word list: a file of control's that the compiler reads.

The operator's file is never written, and the compiler never reads control's database:

    act ──► control's database, and this file in the same transaction ──► the compiler, in a process of its own

    {"act": 17, "lists": {"spam": {"added": […], "removed": […]}}, "checksum": SHA-256 of the rest, in hexadecimal}

``act`` is the number of the act that wrote it. The file is whole or not there: it is written aside, made durable and
renamed. Where there is a control database and this file is missing or damaged nothing is compiled: lists must not
quietly lose what people added.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from filters.model.errors import TidegateError
from gateway.common.folders import DatabasePlace

ADDED = "added"
REMOVED = "removed"
REMEDY = (
    "control writes it anew from its database when it starts, and before each reload that it is asked for "
    "(POST /v1/reload): do that, or start the gateway again"
)


class LineChanges(NamedTuple):
    """Changes of one list, in the order in which they were made."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class ChangesLost(TidegateError):
    """What people changed cannot be read; the text names the file and the remedy, never a line."""


def gathered(rows: Iterable[tuple[str, str, str]]) -> dict[str, LineChanges]:
    """Changes by list from (list, line, effect), in their order."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for name, line, effect in rows:
        added, removed = found.setdefault(name, ([], []))
        (added if effect == ADDED else removed).append(line)
    return {name: LineChanges(tuple(added), tuple(removed)) for name, (added, removed) in found.items()}


def write(path: Path, act: int, lists: Mapping[str, LineChanges]) -> None:
    """Replace the file durably: after a power cut it is the old one or the new one. Raises ``OSError``."""
    body = {"act": act, "lists": {name: change._asdict() for name, change in lists.items()}}
    aside = path.with_name(path.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps({**body, "checksum": _checksum(body)}) + b"\n")
        file.flush()
        os.fsync(descriptor)
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path) -> dict[str, LineChanges]:
    """Every list that was changed, by name. Raises ``OSError``, or ``ValueError`` where the file is damaged."""
    try:
        document: Any = orjson.loads(path.read_bytes())
        body = {"act": document["act"], "lists": document["lists"]}
        if document["checksum"] != _checksum(body):
            raise ValueError("its checksum does not fit")
        return {
            name: LineChanges(tuple(map(str, change[ADDED])), tuple(map(str, change[REMOVED])))
            for name, change in body["lists"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks something: {type(error).__name__}") from None


def line_changes(path: Path, database: DatabasePlace) -> dict[str, LineChanges]:
    """What the compiler takes: none where there is neither file nor control database. Raises ``ChangesLost``."""
    try:
        return read(path)
    except FileNotFoundError:
        if not isinstance(database, Path):
            raise ChangesLost(
                f"{path} is missing, and with it what people changed in word lists: it is written from the control "
                f"database, and {database} has not answered since this node was made; start again when it does"
            ) from None
        if not database.exists():
            return {}
        raise ChangesLost(f"{path} is missing, and with it what people changed in word lists: {REMEDY}") from None
    except OSError as error:
        raise ChangesLost(f"{path} cannot be read ({error.strerror}): let the gateway's user read it") from None
    except ValueError:  # of JSON or of the checksum; what it says may quote a line
        raise ChangesLost(f"{path} is damaged, and with it what people changed in word lists: {REMEDY}") from None


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
