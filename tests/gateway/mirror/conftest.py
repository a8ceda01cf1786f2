"""A journal of bullets, written through the real writer, and projections that read it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from filters.checks import keywords
from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Hit, Verdict
from filters.policy import Policy, masked
from gateway.journal.write import record
from gateway.journal.write.ids import Ids
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.mirror.pages.names import folder_name
from gateway.mirror.pages.pages import Pages
from gateway.mirror.projector.bullet_projection import BulletProjection, opened
from gateway.mirror.store.guarding import Guarding
from gateway.mirror.store.shelf import Stored, read_page

OWN = "node-0/254"
PASS = Verdict("pass", "digest")


def never(flaw: Any) -> None:
    raise AssertionError(flaw)


def policy() -> Policy:
    rule = Rule("keywords", "mask", "reject", keywords.Options(("abuse",)), ground="agreement 3.3")
    return Policy("danmaku", "digest", [rule])


class Node:
    """The journal of one node, as its workers write it. Each writer has a loop of its own, run only when told."""

    def __init__(self, root: Path, number: int = 0) -> None:
        self.root = root
        self.number = number
        self.loop = asyncio.new_event_loop()
        self.writers: dict[int, Writer] = {}
        self.ids: dict[int, Ids] = {}
        self.basis = record.Basis("live", "danmaku", policy(), {"abuse": "digest"})
        self.other = record.Basis("other", "danmaku", policy(), {"abuse": "digest"})
        self.comments = record.Basis("comments", "comment", policy(), {"abuse": "digest"})

    def writer(self, worker: int = 0) -> Writer:
        if worker not in self.writers:
            self.ids[worker] = Ids(self.number, worker)
            settings = JournalSettings(low_disk=0, full_disk=0, fsync="no", segment_size=2_000_000, slow_write=1e9)
            node = f"node-{self.number}"
            writer = Writer(self.root, node, worker, ids=self.ids[worker], settings=settings, loop=self.loop)
            writer.start()
            self.writers[worker] = writer
        return self.writers[worker]

    def judged(
        self,
        text: str | tuple[str, ...] = "hello",
        room: str = "r1",
        *,
        worker: int = 0,
        verdict: Verdict = PASS,
        basis: record.Basis | None = None,
        **more: Any,
    ) -> str:
        """Write the record of a message; its id."""
        writer = self.writer(worker)
        texts = (text,) if isinstance(text, str) else text
        basis = basis or self.basis
        message = Message(
            self.ids[worker](), basis.surface, basis.route, room, "u1", texts, time.time_ns() // 1000, **more
        )
        writer.append(record.judged(message, verdict, basis))
        return message.id

    def outcome(self, message_id: str, state: str = "delivered", *, worker: int = 0, **more: Any) -> None:
        if state in ("failed", "refused", "unknown"):
            more.setdefault("reason", "upstream.closed")
        self.writer(worker).append(record.outcome(message_id, state, **more))  # type: ignore[arg-type]

    def bullet(self, text: str | tuple[str, ...] = "hello", room: str = "r1", *, worker: int = 0, **more: Any) -> str:
        """A bullet that was delivered; its id."""
        message_id = self.judged(text, room, worker=worker, **more)
        self.outcome(message_id, worker=worker, status=200)
        return message_id

    def bullets(self, count: int, room: str = "r1", **more: Any) -> list[str]:
        return [self.bullet(f"bullet {number}", room, **more) for number in range(count)]

    def remove(self, message_id: str, room: str = "r1", **more: Any) -> None:
        self.append(record.removal(message_id, "platform", "seen", room=room, **more))

    def append(self, made: dict[str, Any], worker: int = 255) -> None:
        self.writer(worker).append(made)

    def flush(self) -> None:
        """Everything appended is in the files."""
        for writer in self.writers.values():
            writer.flush()

    def restart(self, worker: int) -> None:
        """Forget a worker without closing it in order, as ``kill -9`` does."""
        self.flush()
        writer = self.writers.pop(worker)
        assert writer._owner is not None
        writer._owner.release()
        writer._upkeep.close()
        writer._offload.close()

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()
        self.loop.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path / "journal")
    yield made
    made.close()


class Mirror:
    """A mirror's folder and the projection that has it; ``turn`` does what the projector does."""

    def __init__(self, root: Path, node: Node) -> None:
        self.root = root
        self.node = node
        self.now = time.monotonic
        self.page_size = 10
        self.guarding = Guarding()
        self._life: BulletProjection | None = None

    @property
    def life(self) -> BulletProjection:
        if self._life is None:
            self._life = self.open()
        return self._life

    def open(self) -> BulletProjection:
        return opened(
            self.root,
            self.node.root,
            OWN,
            pages=Pages("en", "/mirror/"),
            page_size=self.page_size,
            on_flaw=never,
            others={"comments"},
            guarding=self.guarding,
            durable=False,
            now=self.now,
        )

    def die(self) -> None:
        """The process is gone, whatever it was doing."""
        self._life = None

    def record(self, proposed: Sequence[Any]) -> None:
        for _, _, made in proposed:
            self.node.append(made, worker=254)
        self.node.flush()

    def turn(self) -> None:
        self.node.flush()
        life = self.life
        life.read()
        proposed = life.propose(Ids(0, 254))
        self.record(proposed)
        life.close(proposed)
        life.write()

    def turns(self) -> None:
        """As many turns as it takes to be up to date."""
        self.turn()
        while not self.life.caught_up:
            self.turn()
        self.turn()

    def page(self, number: int, room: str = "r1") -> Stored:
        return read_page(self.root / folder_name(room), number)

    def ids(self, room: str = "r1") -> list[str]:
        """All ids on a room's pages, in the order of the pages."""
        folder = self.root / folder_name(room)
        numbers = sorted(int(path.stem) for path in folder.glob("[0-9]*.json"))
        assert numbers == list(range(1, len(numbers) + 1))
        return [bullet.id for number in numbers for bullet in read_page(folder, number).bullets]

    def html(self, name: str = "1.html", room: str = "r1") -> str:
        return (self.root / folder_name(room) / name).read_text(encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        """Every public file of the mirror."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("[!.]*"))
            if path.is_file() and not path.parent.name.startswith(".")
        }


@pytest.fixture
def mirror(tmp_path: Path, node: Node) -> Mirror:
    return Mirror(tmp_path / "mirror", node)


def a_mask(text: str, word: str) -> Verdict:
    """The verdict that masks ``word``."""
    (rule,) = policy().rules
    start = text.index(word)
    hit = Hit("abuse", "digest", 1, "abuse", 1, 0, ((start, start + len(word)),))
    finding = Finding("keywords", "keyword.match", hit)
    return Verdict("pass", "digest", (Decided(rule, finding, "mask"),), texts=masked((text,), [finding]))


@pytest.fixture
def make_mask() -> Callable[[str, str], Verdict]:
    return a_mask
