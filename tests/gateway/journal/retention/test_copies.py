"""Copies of other nodes go as our own records do: never by a clock that was set, nor by one that ran beside ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.common.boot import ClockReading
from gateway.journal.retention.keeping import EVERY, Keeping
from gateway.journal.retention.retention import DAY, Retention
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import COPIED, Owner, segments

START = 1_700_000_000.0


class Machine:
    """Both clocks of one machine; ``apart``: by how much its time of day is wrong."""

    def __init__(self, boot: str, apart: float = 0.0) -> None:
        self.boot = boot
        self.apart = apart
        self.gone = 0.0

    def __call__(self) -> ClockReading:
        return ClockReading(int((START + self.gone + self.apart) * 1e6), self.boot, int((10.0 + self.gone) * 1e6))


class Both:
    """Our machine and a peer's, which run side by side; what the peer writes is copied at once."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.ours, self.theirs = Machine("ours"), Machine("theirs")
        self.copy = root / "node-2"
        self.copy.mkdir(parents=True)
        (self.copy / COPIED).touch()
        self._patch = monkeypatch

    def after(self, seconds: float) -> None:
        self.ours.gone += seconds
        self.theirs.gone += seconds

    def write(self, folder: Path, machine: Machine) -> None:
        """A segment with a record of now."""
        self._patch.setattr("gateway.common.boot.reading", machine)
        ids = Ids(1, 0, lambda: machine().time * 1000)
        owner = Owner(folder)
        log, _ = recovery.begin(folder, ids, always=False)
        log.write([encoding.fields({"kind": "act", "id": ids(), "time": machine().time})])
        recovery.end(log, ids)
        owner.release()

    def peer(self) -> None:
        """The peer writes, and is heard."""
        self.write(self.copy / "0", self.theirs)
        told: dict[str, Any] = {"node": 2, "here": self.ours(), "there": self.theirs(), "complete": None, "behind": 0}
        self.copy.joinpath("heard.json").write_bytes(
            orjson.dumps({name: list(one) if isinstance(one, tuple) else one for name, one in told.items()})
        )

    async def look(self, times: int = 2) -> list[str]:
        """Which folders were pruned."""
        self.write(self.root / "node-1" / "255", self.ours)
        pruned: list[str] = []

        class Records:
            def append(self, record: dict[str, Any], then: Callable[[], object]) -> None:
                pruned.append(record["folder"])
                then()

        kept = Keeping(
            Records(), Ids(1, 255), self.root, "node-1", lambda: {"255"}, Retention(365 * DAY), clock=self.ours  # type: ignore[arg-type]
        )  # fmt: skip
        for _ in range(times):
            await kept.look()
            self.after(EVERY)
        return pruned


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    made = Both(tmp_path / "journal", monkeypatch)
    made.write(made.root / "node-1" / "255", made.ours)
    return made


async def test_two_clocks_that_run_side_by_side_are_one_time(both: Both) -> None:
    """Two hundred days on each are two hundred days, and neither copies nor our own records are a year old."""
    both.write(both.root / "node-1" / "0", both.ours)
    for _ in range(4):
        both.peer()
        both.after(50 * DAY)
    both.write(both.root / "node-1" / "0", both.ours)
    both.ours.apart = 300 * DAY  # and nothing but the time of day says so
    assert await both.look(3) == []


async def test_what_is_old_goes_and_the_place_where_copying_goes_on_stays(both: Both) -> None:
    for _ in range(5):
        both.peer()
        both.after(100 * DAY)
    held = Owner(both.copy / "0")  # somebody copies
    assert await both.look() == ["node-2/0"]
    assert [one.epoch for one in segments(both.copy / "0")] == [2, 3, 4, 5][-len(segments(both.copy / "0")) :]
    assert 3 <= len(segments(both.copy / "0")) <= 4
    both.after(2000 * DAY)
    both.write(both.root / "node-1" / "255", both.ours)
    await both.look()
    assert [one.epoch for one in segments(both.copy / "0")] == [5]
    held.release()


async def test_of_a_node_that_is_gone_everything_goes(both: Both) -> None:
    both.peer()
    both.after(400 * DAY)
    assert await both.look() == ["node-2/0"]
    assert segments(both.copy / "0") == []


async def test_a_node_that_was_just_heard_is_not_old_though_its_clock_is(both: Both) -> None:
    both.theirs.apart = -900 * DAY
    both.peer()
    both.peer()
    both.after(30 * DAY)
    both.peer()
    assert await both.look() == []


async def test_the_end_of_an_earlier_life_goes_as_well(both: Both) -> None:
    both.peer()
    (both.copy / "0").rename(both.copy / "earlier")
    both.after(10 * DAY)
    for _ in range(5):
        both.peer()
        both.after(90 * DAY)
    (both.copy / "0").rename(both.copy / "0+1")
    (both.copy / "earlier").rename(both.copy / "0")
    held = Owner(both.copy / "0+1")
    assert "node-2/0" in await both.look()
    assert segments(both.copy / "0") == []
    assert segments(both.copy / "0+1")
    held.release()


async def test_what_lies_aside_goes_with_what_is_as_old(both: Both) -> None:
    both.peer()
    aside = both.copy / "0~1"
    aside.mkdir()
    (aside / "000009-000001.jsonl").write_bytes(segments(both.copy / "0")[0].path.read_bytes().splitlines(True)[1])
    (aside / "000009-000002.jsonl").write_bytes(b"no line that is sound")
    for _ in range(3):
        both.after(100 * DAY)
        both.peer()
    assert await both.look() == []
    for _ in range(2):
        both.after(100 * DAY)
        both.peer()
    held = Owner(both.copy / "0")
    assert "node-2/0~1" not in await both.look()  # by its file's time, what is no line is of today
    (aside / "000009-000002.jsonl").unlink()
    assert "node-2/0~1" in await both.look()
    assert segments(aside) == []
    held.release()
