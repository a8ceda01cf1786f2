"""A node that writes a journal, and everything that may happen to it, for tests of copies."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.log import Log
from gateway.journal.write.segments import Owner, segments


class Origin:
    """One folder of node 2, written by the journal's own code."""

    def __init__(self, root: Path, worker: str = "0") -> None:
        self.root = root
        self.folder = root / "node-2" / worker
        self.ids = Ids(2, 0)
        self.log: Log | None = None
        self.owner: Owner | None = None

    def start(self) -> None:
        """A life: what the one before left is put right."""
        if self.log is None:
            self.owner = Owner(self.folder)
            self.log, _ = recovery.begin(self.folder, self.ids, always=False)

    def write(self, texts: list[str]) -> list[str]:
        """A batch; the ids of its records."""
        self.start()
        assert self.log is not None
        records = [
            {"kind": "judged", "id": self.ids(), "time": 1, "verdict": "pass", "sender": "alice", "text": text}
            for text in texts
        ]
        self.log.write([encoding.fields(record) for record in records])
        return [str(record["id"]) for record in records]

    def rotate(self) -> None:
        self.start()
        assert self.log is not None
        left = self.log.leave("size")
        if left is not None:
            left.close()

    def die(self, torn: bytes = b"") -> None:
        """Killed in the middle of a write."""
        if self.log is None or self.owner is None:
            return
        if self.log.tail is not None:
            path = self.log.tail.segment.path
            with path.open("ab") as file:
                file.write(torn)
            self.log.tail.close()
        self.log = None
        self.owner.release()

    def stop(self) -> None:
        """An orderly end."""
        if self.log is None or self.owner is None:
            return
        recovery.end(self.log, self.ids)
        self.log = None
        self.owner.release()

    def lose(self, size: int) -> None:
        """The power fails: the end of the last segment is gone."""
        self.die()
        found = segments(self.folder)
        if found:
            whole = found[-1].path.read_bytes()
            found[-1].path.write_bytes(whole[: max(0, len(whole) - size)])

    def prune(self) -> None:
        """The oldest segment goes."""
        found = segments(self.folder)
        if len(found) > 1:
            found[0].path.unlink()


def contents(folder: Path) -> dict[str, str]:
    """Digest of each segment that has anything in it."""
    return {
        one.name: hashlib.sha256(one.path.read_bytes()).hexdigest()
        for one in segments(folder)
        if one.path.stat().st_size
    }
