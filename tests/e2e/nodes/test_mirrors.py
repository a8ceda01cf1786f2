"""A room that two nodes feed: the same pages on both, also after one was killed; what goes from one goes from both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.e2e.lab import write_config
from tests.e2e.node import Node, kill
from tests.e2e.nodes.cluster import another_clock
from tests.e2e.nodes.test_journals import PEER, Pair, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.whole]

SIZE = 10
BULLETS = f"""
[mirror]
language = "en"
page_size = {SIZE}
[[routes]]
name = "bullets"
match = "POST /api/videos/{{room}}/danmaku"
surface = "danmaku"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"
page = "/videos/{{room}}"
takedown = {{ match = "DELETE /api/videos/{{room}}/danmaku/{{id}}", confirm_within = "1s" }}
"""


class Mirrored(Pair):
    """Both keep the static version of the bullets of all. ``clocks``: of which the time of day is another, by what."""

    clocks: Mapping[str, str] = {}

    async def _start(self, name: str, number: int, more: str = "") -> None:
        place = self.folder / name
        place.mkdir(exist_ok=True)
        config = write_config(
            place, self.ports[name], self.upstream, workers=2, server=f"node = {number}", more=more + BULLETS
        )
        ports = self.ports[name]
        self.nodes[name] = Node(place / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        if name in self.clocks:
            self.nodes[name].env = another_clock(self.clocks[name], place)
        await self.nodes[name].start()

    async def again(self, name: str, number: int) -> None:
        """A node that was killed is back."""
        other, port = ("b", self.wire.port) if name == "a" else ("a", self.ports["a"][1])
        peer = PEER.format(name=other, port=port, node=3 - number, token=self.folder / f"{other}.token")
        await self._start(name, number, peer)

    async def shoot(self, name: str, text: str, room: str = "7") -> str:
        """A bullet; its id. Refused while a mirror does not keep up, and then sent again."""
        async with asyncio.timeout(60):
            while True:
                answer = await self.nodes[name].say("alice", text, f"/api/videos/{room}/danmaku")
                if answer.status == 201:
                    return answer.headers["tidegate-message-id"]
                assert answer.status in (429, 503), answer
                await asyncio.sleep(0.2)

    def pages(self, name: str, room: str = "7") -> dict[str, bytes]:
        """What everybody may read of a room."""
        folder = self.nodes[name].folders.root / "mirror" / room
        with contextlib.suppress(OSError):
            return {path.name: path.read_bytes() for path in sorted(folder.glob("[0-9]*"))}
        return {}

    def alike(self, ids: set[str], room: str = "7") -> bool:
        """Whether both have the same pages, on which each of these stands once, and no other."""
        here, there = self.pages("a", room), self.pages("b", room)
        if not here or here != there:
            return False
        html = b"".join(data for name, data in here.items() if name.endswith(".html")).decode()
        shown = [part.partition('"')[0] for part in html.split('<li data-id="')[1:]]
        return len(shown) == len(ids) and set(shown) == ids


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mirrored]:
    made = Mirrored(tmp_path_factory.mktemp("mirrored"))
    try:
        await made.open()
        yield made
    finally:
        await made.close()


async def test_a_room_that_both_feed_has_the_same_pages_on_both(pair: Mirrored) -> None:
    ids = {await pair.shoot("ab"[number % 2], f"bullet {number}") for number in range(3 * SIZE + 4)}
    await eventually(lambda: pair.alike(ids))
    pages = pair.pages("b")
    assert {name for name in pages if name.endswith(".html")} == {"1.html", "2.html", "3.html", "4.html"}
    listed = await pair.b.ask("GET", "/mirror/7/2.html")
    assert (listed.status, listed.body) == (200, pages["2.html"])
    gone = sorted(ids)[3]
    told = await pair.b.manage("POST", "/v1/takedowns", {"id": gone, "reason": "spam"})
    assert told.status in (200, 202), told
    await eventually(lambda: pair.alike(ids - {gone}))


@pytest.mark.parametrize(("name", "number"), [("a", 1), ("b", 2)])
async def test_one_of_them_is_killed_and_comes_back(pair: Mirrored, name: str, number: int) -> None:
    """What it took last is on no page but its own until it is back; the other goes on, and closes pages if it must."""
    other, room = "ba"[number - 1], f"9{number}"
    ids = {await pair.shoot("ab"[at % 2], f"before {at}", room) for at in range(SIZE + 2)}
    await eventually(lambda: pair.alike(ids, room))
    ids.add(await pair.shoot(name, "the last one", room))
    node = pair.nodes[name]
    assert node.process is not None
    for pid in (*(await node.pids("")).values(), node.process.pid):
        with contextlib.suppress(ProcessLookupError):
            kill(pid)
    await node.stop()  # nothing is left to stop
    ids |= {await pair.shoot(other, f"meanwhile {at}", room) for at in range(2 * SIZE)}
    if number == 1:  # whoever closed pages is away
        await eventually(lambda: "2.json" in pair.pages(other, room))
    await pair.again(name, number)
    await eventually(lambda: pair.alike(ids, room))
