"""A message on a socket that waits for a person: parked, left out of what goes up, told to its sender alone."""

from __future__ import annotations

import itertools

import orjson
import pytest

from filters.checks import keywords, repeats, review
from filters.model.rule import Repeat, Rule
from gateway.judging.hold import Holding
from gateway.parking.parked import decode
from gateway.parking.seal import Seal
from gateway.parking.settings import ReviewSettings
from gateway.parking.waiting import KnownWaiting
from gateway.websocket.frames import masked_frame
from gateway.websocket.opcodes import BINARY, TEXT
from tests.gateway.carriers.test_session_packets import packet

ALWAYS = Rule("review", "hold", "reject", review.Options(), "comment provisions 5(3)")


class Parked:
    """A spool that keeps what is parked until it is told what became of it."""

    seal = Seal(bytes(32))

    def __init__(self):
        self.waiting = []
        self._files = itertools.count(1)

    def park(self, message_id, plain, waiting):
        self.waiting.append((decode(plain), waiting))

    def done(self):
        waiting, self.waiting = self.waiting, []
        for _, one in waiting:
            one.on_parked(f"{next(self._files):04d}.spool")
        return [parked for parked, _ in waiting]


@pytest.fixture
def spool(bench):
    made = Parked()
    bench.pipeline.holding = Holding(ReviewSettings(bytes(32), "reject"), made, KnownWaiting(lambda _file: True))
    return made


async def test_it_is_left_out_and_told(bench, spool):
    client = bench.open(bench.route(more=[ALWAYS]))
    client.say("hello", n=1)
    behind = client.send(masked_frame(TEXT, b'{"type":"ping"}'))
    bench.judge()
    assert client.got() == []
    assert client.reached() == b""  # what came behind it waits until its place is known
    (parked,) = spool.done()
    bench.judge(0)
    assert (parked.socket, parked.binary, parked.texts, parked.place) == (True, False, ("hello",), 0)
    assert orjson.loads(parked.body) == {"type": "message", "content": "hello", "n": 1}
    assert (parked.sender, parked.room, parked.address) == ("alice", "g1", "192.0.2.1")
    (told,) = client.got()
    assert (told["type"], told["verdict"], told["reason"]) == ("tidegate.verdict", "hold", "review.held")
    assert told["message_id"] == parked.id
    assert told["status_url"] == f"/tidegate/review/{parked.id}.{spool.seal.token(parked.id)}"
    assert client.reached() == behind
    assert bench.outcomes() == {parked.id: "held"}
    assert client.link.mute is None  # it is no misbehaviour


async def test_the_sender_may_be_gone_meanwhile(bench, spool):
    client = bench.open(bench.route(more=[ALWAYS]))
    client.say("hello")
    bench.judge()
    client.close()
    (parked,) = spool.done()
    bench.judge(0)
    assert bench.outcomes() == {parked.id: "held"}


async def test_what_cannot_be_parked_is_refused(bench, spool):
    again = Rule("repeats", "reject", "reject", repeats.Options(Repeat("sender", 3, 60_000_000)), "agreement 3")
    client = bench.open(bench.route(more=[ALWAYS, again]))
    client.say("hello")
    bench.judge()
    ((_, waiting),) = spool.waiting
    waiting.on_unparked("disk")
    bench.judge(0)
    assert client.told() == [("reject", "review.unavailable")]
    assert bench.verdicts() == ["reject"]
    assert len(bench.state.returned) == 1  # so that it may be said again


async def test_one_of_several_in_a_frame_waits_by_itself(bench, spool):
    """Only what is found is held: the others of its frame go up without it."""
    held = Rule("keywords", "hold", "reject", keywords.Options(("abuse",)), "agreement 3")
    client = bench.open(bench.route(format="bilibili", more=[held]))
    packets = [packet(orjson.dumps({"type": "message", "content": text})) for text in ("a", "you idiot", "b")]
    client.send(masked_frame(BINARY, b"".join(packets)))
    bench.judge()
    (parked,) = spool.done()
    bench.judge(0)
    (sent,) = client._up.feed(client.reached())
    assert sent.payload == packets[0] + packets[2]
    assert (parked.place, parked.binary, parked.body) == (1, True, b"".join(packets))
    assert parked.masked_texts == ("you *****",)
    assert bench.outcomes() == {"id-1": "delivered", "id-2": "held", "id-3": "delivered"}
