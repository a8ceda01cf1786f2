"""What dead workers left is recovered and old segments go; where the one cannot be done, the other is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.journal.retention import keeping
from gateway.journal.retention.keeping import Keeping
from gateway.journal.retention.retention import DAY, Retention
from gateway.journal.write import recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import Owner, segments

IDS = Ids(1, 254)


class Records:
    """Stands for the journal's writer: what is appended is written at once."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def append(self, record: dict[str, Any], then: Callable[[], object]) -> None:
        self.kinds.append(record["kind"])
        then()


def write(folder: Path, *, ended: bool) -> None:
    """One epoch more of a worker that is dead since."""
    owner = Owner(folder)
    log, _ = recovery.begin(folder, IDS, always=False)
    if ended:
        recovery.end(log, IDS)
    owner.release()


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a worker that ran two years ago, and a year and a half ago, and ended in order."""
    folder = tmp_path / "n1" / "7"
    now = time.time_ns()
    for days in (730, 540):
        with monkeypatch.context() as patched:
            patched.setattr("gateway.journal.write.log.time.time_ns", lambda days=days: now - days * DAY * 10**9)
            write(folder, ended=True)
    return folder


def keeping_of(root: Path, records: Any) -> Keeping:
    return Keeping(records, IDS, root, "n1", frozenset({"0"}), Retention(365 * DAY))


async def test_a_look_recovers_what_is_dead_and_prunes_what_is_old(old: Path, tmp_path: Path) -> None:
    dead, living = tmp_path / "n1" / "3", tmp_path / "n1" / "0"
    write(dead, ended=False)
    write(living, ended=False)
    records = Records()
    await keeping_of(tmp_path, records).look()
    assert records.kinds == ["pruned"]
    assert [segment.epoch for segment in segments(old)] == [2]
    assert [segment.epoch for segment in segments(dead)] == [1, 2]
    assert [segment.epoch for segment in segments(living)] == [1]


async def test_what_cannot_be_recovered_is_told_and_tried_again_and_does_not_keep_old_segments(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Path] = []

    def broken(node: Path, *_: Any) -> int:
        tries.append(node)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(keeping, "recover_dead", broken)
    records = Records()
    kept = keeping_of(tmp_path, records)
    with capture_logs() as told:
        await kept.look()
        await kept.look()
    assert [line["event"] for line in told if line["log_level"] == "error"] == ["journal.recovery_failed"] * 2
    assert tries == [tmp_path / "n1"] * 2
    assert records.kinds == ["pruned"]
    assert [segment.epoch for segment in segments(old)] == [2]
