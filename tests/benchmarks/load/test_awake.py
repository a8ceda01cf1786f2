"""Who keeps the processors awake, and for how long."""

import os
import subprocess
from collections.abc import Sequence

from benchmarks.load import awake
from rig import process


def test_each_processor_has_a_keeper_that_gives_way_to_everybody(monkeypatch) -> None:
    """Not with the keepers themselves: on a busy machine nobody would give them the time to end."""
    start = process.start
    asked: list[tuple[Sequence[str], str]] = []
    keepers: list[subprocess.Popen[bytes]] = []

    def started(argv: Sequence[str], cpus: str, **more: object) -> subprocess.Popen[bytes]:
        asked.append((argv[:3], cpus))
        keepers.append(start(["sleep", "60"], **more))
        return keepers[-1]

    monkeypatch.setattr(process, "start", started)
    with awake.kept():
        assert asked == [(["chrt", "--idle", "0"], str(one)) for one in sorted(os.sched_getaffinity(0))]
        assert all(keeper.poll() is None for keeper in keepers)
    assert all(keeper.poll() is not None for keeper in keepers)


def test_a_keeper_ends_with_its_parent(monkeypatch) -> None:
    parents = iter([7, 7, 7, 1])
    yielded = []
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "sched_yield", lambda: yielded.append(1))
    monkeypatch.setattr(awake, "ROUND", 5)
    awake.main()
    assert len(yielded) == 2 * 5
