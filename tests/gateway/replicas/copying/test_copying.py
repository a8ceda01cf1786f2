"""Whatever happens to the origin, to the copy and on the way: in the end the copy is the origin, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.journal.write.segments import lives, segments
from gateway.replicas.copying.fetched import Garbled, JournalFetched, SegmentPlace, decoded, encoded
from gateway.replicas.copying.folder_copy import Doubted
from gateway.replicas.copying.node_copy import NodeCopy
from gateway.replicas.copying.offering import Offering
from tests.gateway.replicas.copying.origin import Origin, contents

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(st.text(max_size=40), min_size=1, max_size=5)),
        st.tuples(st.just("rotate"), st.none()),
        st.tuples(st.just("die"), st.sampled_from([b"", b'{"v":1', b"\x00" * 300, b"garbage\n", b'{"v":1}\nx'])),
        st.tuples(st.just("stop"), st.none()),
        st.tuples(st.just("lose"), st.integers(1, 3000)),
        st.tuples(st.just("prune"), st.none()),
        st.tuples(st.just("wipe"), st.none()),
        st.tuples(st.just("restore"), st.none()),
        st.tuples(st.just("keep"), st.none()),
        st.tuples(st.just("fetch"), st.integers(1, 5000)),
        st.tuples(st.just("broken"), st.integers(0, 1 << 20)),
        st.tuples(st.just("restart"), st.integers(0, 500)),
        st.tuples(st.just("torn"), st.sampled_from([b"{", b"\x00" * 100, b"half a line"])),
    ),
    max_size=40,
)


class World:
    """An origin, a node that follows it, and a backup of the origin."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.origin = Origin(folder / "there")
        self.here = folder / "here"
        self.here.mkdir(parents=True)
        self.backup = folder / "backup"
        self.pruned: set[str] = set()
        self.copy = NodeCopy(self.here, 2)
        self.offering = Offering(self.origin.root, 2)

    def ask(self, most: int) -> JournalFetched:
        wanted = {name: [SegmentPlace(**place) for place in asked] for name, asked in self.copy.wanted().items()}
        return self.offering.collect(wanted, most)

    def fetch(self, most: int) -> int:
        answer = decoded(encoded(self.ask(most)))
        try:
            return self.copy.take(answer) + len(answer.differing)
        except Doubted:
            return 1  # once more

    def restart(self, cut: int = 0, torn: bytes = b"") -> None:
        """The follower dies; the power took what was not synced, or left something else in its place."""
        self.copy.close()
        for folder in self.here.glob("node-2/0"):
            folder = lives(folder)[-1]
            found = segments(folder)
            if found:
                whole = found[-1].path.read_bytes()
                found[-1].path.write_bytes(whole[: len(whole) - cut if cut < len(whole) else 0] + torn)
        self.copy = NodeCopy(self.here, 2)

    def step(self, name: str, value: Any) -> None:
        if name == "prune":
            before = contents(self.origin.folder).keys()
            self.origin.prune()
            self.pruned |= before - contents(self.origin.folder).keys()
        elif name in ("write", "die", "lose"):
            getattr(self.origin, name)(value)
        elif name in ("rotate", "stop"):
            getattr(self.origin, name)()
        elif name == "wipe":
            self.origin.die()
            shutil.rmtree(self.origin.root, ignore_errors=True)
        elif name == "keep" and self.origin.root.is_dir():
            self.origin.die()
            shutil.rmtree(self.backup, ignore_errors=True)
            shutil.copytree(self.origin.root, self.backup)
        elif name == "restore" and self.backup.is_dir():
            self.origin.die()
            shutil.rmtree(self.origin.root, ignore_errors=True)
            shutil.copytree(self.backup, self.origin.root)
        elif name == "fetch":
            self.fetch(value)
        elif name == "broken":
            body = bytearray(encoded(self.ask(4000)))
            body[value % len(body)] ^= 1 + value % 255
            with pytest.raises(Garbled):
                decoded(bytes(body))
        elif name == "restart":
            self.restart(value)
        elif name == "torn":
            self.restart(torn=value)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_the_copy_becomes_the_origin(tmp_path_factory: Any, steps: list[tuple[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("world")
    world = World(folder)
    written: set[str] = set()
    for name, value in steps:
        world.step(name, value)
        there_now = _texts(world.here)
        # What the power took here, and the origin then lost as well, is in neither place.
        written = written & there_now if name == "restart" else written | there_now
    world.step("write", ["the last"])
    for _ in range(2000):
        if not world.fetch(3000) and world.ask(3000).complete:
            break
    there = contents(world.origin.folder)
    here: dict[str, str] = {}
    for life in lives(world.here / "node-2" / "0"):
        here |= contents(life)
    # What was pruned, and came back with a backup, was old enough to go: it is not copied a second time.
    wanted = {name: digest for name, digest in there.items() if name not in world.pruned}
    assert {name: here.get(name) for name in wanted} == wanted
    newest = contents(lives(world.here / "node-2" / "0")[-1])
    assert {name for name in newest if name >= min(there)} <= there.keys()
    assert written <= _texts(world.here)  # what was here once is here still
    world.copy.close()
    world.origin.die()
    shutil.rmtree(folder)


def _texts(root: Path) -> set[str]:
    """What stands anywhere in copies and beside them."""
    return {
        line
        for path in root.glob("node-2/*/*.jsonl")
        for line in path.read_bytes().decode("latin-1").split("\n")[:-1]
        if '"kind"' in line
    }
