"""Who keeps the processors awake, and for how long."""

import os

from benchmarks import awake, process


def _keepers() -> set[int]:
    return {pid for pid in process.children(os.getpid()) if pid != os.getpid()}


def test_each_processor_has_a_keeper_that_gives_way_to_everybody() -> None:
    before = _keepers()
    with awake.kept():
        keepers = _keepers() - before
        assert {tuple(os.sched_getaffinity(pid)) for pid in keepers} == {(one,) for one in os.sched_getaffinity(0)}
        assert {os.getsid(pid) for pid in keepers} == {os.getsid(0)}  # their policy counts within a session only
    assert not keepers & _keepers()


def test_a_keeper_ends_with_its_parent(monkeypatch) -> None:
    parents = iter([7, 7, 7, 1])
    yielded = []
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "sched_yield", lambda: yielded.append(1))
    monkeypatch.setattr(awake, "ROUND", 5)
    awake.main()
    assert len(yielded) == 2 * 5
