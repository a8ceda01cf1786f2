"""Two nodes that copy each other's journals, in whatever order their turns and what is copied come: both have the same
pages, byte for byte, and each bullet once."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.read.reader import records
from gateway.journal.write.ids import PROJECTOR, Ids
from gateway.mirror.pages.intake import OVERDUE_MS
from gateway.mirror.pages.pages import Pages
from gateway.mirror.pages.recorded_pages import maker
from gateway.mirror.projector.bullet_projection import BulletProjection, PagesDiffer, opened
from gateway.mirror.store.shelf import read_page
from gateway.mirror.upkeep.rebuild import rebuild
from tests.gateway.mirror.conftest import Node, never

SIZE = 5
ROOMS = ("r1", "r2")


class Side:
    """A node, the copy that it has of the other, and its mirror."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self.node = Node(folder / "journal", number)
        self.root = folder / "mirror"
        self.makes = number == 1
        self.seconds = 1000.0
        self.waiting: list[str] = []  # judged, and nobody knows what became of them
        self._life: BulletProjection | None = None

    @property
    def own(self) -> str:
        return f"node-{self.number}/{PROJECTOR}"

    @property
    def life(self) -> BulletProjection:
        if self._life is None:
            self._life = opened(
                self.root, self.node.root, self.own, pages=Pages("en", "/mirror/"), page_size=SIZE, on_flaw=never,
                durable=False, now=lambda: self.seconds,
            )  # fmt: skip
        return self._life

    def die(self) -> None:
        self._life = None

    def turn(self) -> None:
        self.node.flush()
        life = self.life
        life.makes = self.makes
        try:
            life.read()
        except PagesDiffer:
            self.remake()
            return
        proposed = life.propose(Ids(self.number, PROJECTOR))
        for _, _, made in proposed:
            self.node.append(made, worker=PROJECTOR)
        self.node.flush()
        life.close(proposed)
        life.write()

    def remake(self) -> None:
        self.die()
        made = rebuild(self.root, self.node.root, self.own, pages=Pages("en", "/mirror/"), on_flaw=never)
        shutil.rmtree(self.root)
        made.rename(self.root)

    def copy(self, other: Side, some: Callable[[int], int]) -> None:
        """``some``: of so many lines that are new in a segment."""
        other.node.flush()
        there, here = (root / f"node-{other.number}" for root in (other.node.root, self.node.root))
        for source in sorted(there.rglob("*")):
            if not source.is_file() or source.name.startswith(".") or "lock" in source.name:
                continue
            target = here / source.relative_to(there)
            target.parent.mkdir(parents=True, exist_ok=True)
            have = target.stat().st_size if target.exists() else 0
            lines = source.read_bytes()[have:].splitlines(keepends=True)
            lines = [line for line in lines if line.endswith(b"\n")]
            with target.open("ab") as file:
                file.write(b"".join(lines[: some(len(lines))]))

    def files(self) -> dict[str, bytes]:
        """Every public file."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("[!.]*"))
            if path.is_file() and not path.parent.name.startswith(".")
        }

    def ids(self, room: str) -> list[str]:
        """On all pages, in their order."""
        folder = self.root / room
        numbers = sorted(int(path.stem) for path in folder.glob("[0-9]*.json"))
        assert numbers == list(range(1, len(numbers) + 1))
        found = [[bullet.id for bullet in read_page(folder, number).bullets] for number in numbers]
        assert all(page == sorted(page) for page in found)
        open_page = self.life.shelf.load(room).open_bullets()
        return [one for page in found for one in page] + [bullet.id for bullet in open_page]


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    made = Side(tmp_path / "a", 1), Side(tmp_path / "b", 2)
    yield made
    for side in made:
        side.node.close()


def whole(lines: int) -> int:
    return lines


def settle(first: Side, second: Side) -> None:
    """Everything is copied and read."""
    for _ in range(4):
        for one, other in ((first, second), (second, first)):
            one.copy(other, whole)
            one.turn()
            while not one.life.caught_up:
                one.turn()


def same(first: Side, second: Side, shown: set[str]) -> None:
    settle(first, second)
    assert first.files() == second.files()
    assert first.files()
    for room in ROOMS:
        if (first.root / room).exists():
            assert first.ids(room) == second.ids(room)
    on_pages = [one for room in ROOMS if (first.root / room).exists() for one in first.ids(room)]
    assert len(on_pages) == len(set(on_pages))
    assert set(on_pages) == shown


class Drawn:
    """What happens is drawn; ``shown``: what both mirrors have to hold in the end."""

    def __init__(self, sides: tuple[Side, Side], seed: int) -> None:
        self.sides = sides
        self.chance = random.Random(seed)
        self.shown: set[str] = set()
        self.places: dict[str, str] = {}

    def some(self, lines: int) -> int:
        return self.chance.randint(0, lines)

    def step(self, *without: str) -> None:
        side, other = self.chance.sample(self.sides, 2)
        what = self.chance.choice([one for one in STEPS if one not in without])
        getattr(self, what)(side, other)

    def bullet(self, side: Side, other: Side) -> None:
        room = self.chance.choice(ROOMS)
        made = side.node.bullet(f"bullet {len(self.places)}", room, worker=self.chance.randint(0, 1))
        self.places[made] = room
        self.shown.add(made)

    def asked(self, side: Side, other: Side) -> None:
        """One that the platform takes its time for."""
        room = self.chance.choice(ROOMS)
        made = side.node.judged(f"bullet {len(self.places)}", room)
        self.places[made] = room
        side.waiting.append(made)

    def answered(self, side: Side, other: Side) -> None:
        if side.waiting:
            made = side.waiting.pop(self.chance.randrange(len(side.waiting)))
            side.node.outcome(made)
            self.shown.add(made)

    def removed(self, side: Side, other: Side) -> None:
        if self.shown:
            gone = self.chance.choice(sorted(self.shown))
            side.node.remove(gone, self.places[gone])
            self.shown.discard(gone)

    def copied(self, side: Side, other: Side) -> None:
        side.copy(other, self.some)

    def turned(self, side: Side, other: Side) -> None:
        side.turn()

    def died(self, side: Side, other: Side) -> None:
        side.die()

    def end(self) -> None:
        for side in self.sides:
            while side.waiting:
                self.answered(side, side)
        same(*self.sides, self.shown)


STEPS = (*["bullet"] * 6, "asked", "answered", "removed", *["copied"] * 3, *["turned"] * 4, "died")


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_turns_and_copies_gives_the_same_pages(sides: tuple[Side, Side], seed: int) -> None:
    drawn = Drawn(sides, seed)
    for _ in range(200):
        drawn.step()
    drawn.end()
    assert recorded(sides[1]) == 0


def recorded(side: Side) -> int:
    """Pages that a node has closed itself."""
    folder = side.node.root / side.own
    return sum(entry.record["kind"] == "page" for entry in records(folder, never)) if folder.exists() else 0


@pytest.mark.parametrize("seed", range(10))
def test_another_node_closes_pages_while_the_first_is_away(sides: tuple[Side, Side], seed: int) -> None:
    """It is stopped, and what it wrote last has not been copied; it is back with pages that the other has closed."""
    first, second = sides
    drawn = Drawn(sides, seed)
    for _ in range(100):
        drawn.step("died")
    settle(first, second)
    drawn.bullet(first, second)  # of which nobody hears until it is back
    first.node.flush()
    first.die()
    second.makes = True
    for _ in range(30):
        drawn.bullet(second, first)
        second.turn()
    assert recorded(second) > 0
    second.makes = False
    first.copy(second, whole)  # before it closes pages (``PageMaking``)
    drawn.end()


@pytest.mark.parametrize("seed", range(10))
def test_where_both_closed_pages_the_first_one_counts(sides: tuple[Side, Side], seed: int) -> None:
    """They do not hear each other, and each takes the other for dead."""
    first, second = sides
    second.makes = True
    drawn = Drawn(sides, seed)
    for _ in range(150):
        drawn.step("copied", "removed")
    assert recorded(first) > 0
    assert recorded(second) > 0
    second.makes = False
    drawn.end()


def test_what_waited_for_another_node_is_closed_without_another_bullet(sides: tuple[Side, Side]) -> None:
    _, second = sides
    for number in range(SIZE):
        second.node.bullet(f"bullet {number}")
    second.turn()
    assert not (second.root / "r1" / "1.json").exists()
    second.makes = True
    second.turn()
    assert (second.root / "r1" / "1.json").exists()


def test_a_page_of_another_node_waits_for_its_bullets_and_not_for_ever(sides: tuple[Side, Side]) -> None:
    first, second = sides
    second.turn()
    ids = [first.node.bullet(f"bullet {number}", worker=number % 2) for number in range(SIZE)]
    first.turn()
    second.copy(first, whole)
    shutil.rmtree(second.node.root / "node-1" / "1")  # it never comes
    second.turn()
    assert not (second.root / "r1" / "1.json").exists()
    second.life.current = False
    second.seconds += OVERDUE_MS / 1000
    second.turn()
    assert not (second.root / "r1" / "1.json").exists()  # what others wrote is not here yet
    second.life.current = True
    second.seconds += OVERDUE_MS / 1000 - 1
    second.turn()
    assert not (second.root / "r1" / "1.json").exists()
    second.seconds += 2
    second.turn()
    assert [bullet.id for bullet in read_page(second.root / "r1", 1).bullets] == ids[::2]
    assert second.life.missing == 2


@pytest.mark.parametrize(
    ("folder", "node"), [("node-2/254", 2), ("node-2/0", None), ("imports/255", None), ("node-12/2540", None)]
)
def test_whose_page_records_a_folder_holds(folder: str, node: Any) -> None:
    assert maker(folder) == node
