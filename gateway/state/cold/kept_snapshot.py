"""The last snapshot as a file: a worker that starts holds what people switched on before it opens its sockets, whether
state, control or neither of them answers just then."""

from __future__ import annotations

from pathlib import Path

import orjson
import structlog

from gateway.state.model.snapshot import Snapshot, SnapshotRows, encode, parse

log = structlog.get_logger(__name__)


def keep(path: Path, rows: SnapshotRows) -> None:
    """Replace what the file said before. A disk that takes nothing is told in the log: the workers that live have the
    snapshot all the same."""
    aside = path.with_name(path.name + ".new")
    try:
        aside.touch(mode=0o600)
        aside.write_bytes(orjson.dumps(encode(rows)))
        aside.replace(path)
    except OSError as error:
        log.error("snapshot.unkept", problem=type(error).__name__)


def kept(path: Path) -> Snapshot | None:
    """What the file says; None where there is none, or where it cannot be read, which is told in the log."""
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.error("snapshot.unreadable", problem=type(error).__name__)
        return None
