"""A whole node's journal as it is kept here: ``<journal>/node-2`` of node 2, marked as a copy before anything is in it.

Beside the folders lies what was last heard of the node, ``heard.json``: its clocks and ours at one moment, from which
retention knows how old records of a machine are whose clock does not run here; and how much was left out then.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from filters.model.errors import TidegateError
from gateway.common.boot import ClockReading, reading
from gateway.journal.write.segments import ASIDE, COPIED, copied, make_durable_folder, sync_folder
from gateway.replicas.copying.fetched import MAX_FOLDERS, Garbled, JournalFetched, is_folder, places
from gateway.replicas.copying.folder_copy import FolderCopy

HEARD: Final = "heard.json"


class NotACopy(TidegateError):
    """The node's folder is there, and was written by this node: it had that number once."""


class Heard(NamedTuple):
    """Both nodes' clocks when ``node`` last answered; ``complete``: when nothing was left out last (our own clock, None
    for never); ``behind``: bytes left out."""

    node: int
    here: ClockReading
    there: ClockReading
    complete: ClockReading | None
    behind: int


class NodeCopy:
    """The copy of node ``node`` in the journal ``root``. Raises NotACopy, Locked, OSError."""

    def __init__(self, root: Path, node: int, clock: Callable[[], ClockReading] = reading) -> None:
        self.path = root / f"node-{node}"
        self.node = node
        self.heard = heard(self.path)
        self._clock = clock
        self._folders: dict[str, FolderCopy] = {}
        if self.path.is_dir() and any(self.path.iterdir()) and not copied(self.path):
            raise NotACopy(f"{self.path} is there, and is no copy: this node wrote it under another number")
        root.stat()  # never made here: where it is gone a disk is missing
        make_durable_folder(self.path)
        os.close(os.open(self.path / COPIED, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        sync_folder(self.path)
        try:
            for folder in sorted(self.path.iterdir()):
                if folder.is_dir() and ASIDE not in folder.name and is_folder(folder.name):
                    self._folders[folder.name] = FolderCopy(folder)
        except BaseException:
            self.close()
            raise

    def wanted(self) -> dict[str, list[dict[str, Any]]]:
        """How far it goes, by folder, as a request carries it."""
        return {name: places(folder.places()) for name, folder in self._folders.items()}

    def take(self, answer: JournalFetched) -> int:
        """How many bytes were added. Raises Doubted, Garbled, OSError; what came before stands."""
        added = 0
        for told in answer.differing:
            if told.folder not in self._folders:
                raise Garbled("what differs was not asked for")
            self._folders[told.folder].differs(told)
        for piece in answer.pieces:
            folder = self._folders.get(piece.folder)
            if folder is None:
                if len(self._folders) >= MAX_FOLDERS:
                    raise Garbled("a node has fewer folders")
                folder = self._folders[piece.folder] = FolderCopy(self.path / piece.folder)
            added += folder.take(piece)
        now = self._clock()
        whole = answer.complete and not answer.differing
        before = self.heard.complete if self.heard is not None else None
        self.heard = Heard(self.node, now, answer.clock, now if whole else before, answer.behind)
        return added

    def sync(self) -> None:
        """Make durable what was added, and note what was heard. Raises OSError."""
        for folder in self._folders.values():
            folder.sync()
        if self.heard is not None:
            aside = self.path / f"{HEARD}.new"
            told = {name: list(one) if isinstance(one, tuple) else one for name, one in self.heard._asdict().items()}
            aside.write_bytes(orjson.dumps(told))
            aside.replace(self.path / HEARD)

    @property
    def counted(self) -> tuple[int, int, int]:
        """Damaged lines, holes, and segments that went aside."""
        mine = self._folders.values()
        return sum(one.flaws for one in mine), sum(one.holes for one in mine), sum(one.put_aside for one in mine)

    def close(self) -> None:
        """Give the folders up."""
        for folder in self._folders.values():
            folder.close()


def heard(node: Path) -> Heard | None:
    """What was last heard of the node whose copy lies in this folder; None where nothing was, or nobody knows."""
    try:
        told = orjson.loads((node / HEARD).read_bytes())
        complete = ClockReading(*told["complete"]) if told["complete"] is not None else None
        return Heard(
            int(told["node"]), ClockReading(*told["here"]), ClockReading(*told["there"]), complete, int(told["behind"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def size(root: Path) -> int:
    """Bytes of all copies in a journal. Blocks."""
    return sum(
        path.stat().st_size
        for node in root.glob("*")
        if node.is_dir() and copied(node)
        for path in node.glob("*/*.jsonl")
    )
