"""How far a mirror has read: positions in the journal, and what is known of bullets that are on no page yet.

Saved after the pages it speaks of, so a crash in between reads some records again; rooms know which of those they have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.mirror.store.batch import Batch
from gateway.mirror.store.sealed import Damaged, read, seal

FOLDER = ".projector"  # beside the rooms, so that pages and positions are moved, lost and restored together
_NAME = "checkpoint"
_VERSION = 1


@dataclass(slots=True)
class Checkpoint:
    """``positions``: by journal folder. ``waiting``: see ``Intake``. ``gone``: ids that were removed before they
    arrived, and when that was heard (milliseconds since the epoch)."""

    positions: dict[str, str] = field(default_factory=dict)
    waiting: list[Any] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)

    def save(self, root: Path, batch: Batch) -> None:
        """Put it into a batch."""
        document = {"v": _VERSION, "positions": self.positions, "waiting": self.waiting, "gone": self.gone}
        batch.put_last(root / FOLDER / _NAME, seal(document))


def load(root: Path) -> Checkpoint | None:
    """The mirror's checkpoint; None where there is none yet. Raises Damaged."""
    document = read(root / FOLDER / _NAME)
    if document is None:
        return None
    if document.get("v") != _VERSION:
        raise Damaged(f"the checkpoint of {root.name} is of another version")
    return Checkpoint(document["positions"], document["waiting"], document["gone"])


def prepare(root: Path) -> None:
    """Make the folder of a mirror."""
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    (root / FOLDER).mkdir(mode=0o700, exist_ok=True)
