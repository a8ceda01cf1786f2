"""What a sender gets back whose message was let through and did not arrive: limit, repeat marks, slow mode."""

from __future__ import annotations

from collections.abc import Iterator

from filters.model.limits import paces
from filters.model.message import Message
from filters.model.rule import Asks
from filters.model.verdict import Scan
from gateway.state.hot.plan import NOT_VOUCHED, counters, repeat_key
from gateway.state.hot.wire import Packable, bulk, bulk_text, msgpack
from gateway.state.model.keys import Keys, slot_of


def commands(
    message: Message, asks: Asks, scan: Scan, charge: bool, keys: Keys, epoch: int
) -> Iterator[tuple[int, int, bytes]]:
    """Slot, count of words and arguments of each call of ``lua/give_back.lua``. All keys of one lie in one slot.
    ``charge``: what the message took of its sender's limits goes back as well."""
    vouched = message.vouched
    credit = min(vouched.level, 100) if vouched is not None and vouched.level >= 0 else NOT_VOUCHED
    limits: list[Packable] = []
    charged: list[str] = []
    route, sender, room = message.route, message.sender, message.room
    for counter in counters(asks) if sender and charge else ():
        if counter.limit.scope == "sender":
            scaled, full = paces(counter.limit)
            limits += [full.interval, [number for below, pace in scaled for number in (below, *pace)] or 0]
            charged.append(keys.limit(counter.limit, route, counter.shadow, sender))
    marks: dict[str, list[str]] = {"sender": [], "room": [], "global": []}
    if scan.fingerprint:
        for place, repeat in enumerate(asks.repeats):
            prefix = keys.repeat(repeat, route, place in asks.shadow_repeats)
            key = repeat_key(prefix, repeat, message, scan)
            if key is not None:
                marks[repeat.scope].append(key)
    if charged or marks["sender"]:
        yield _call([keys.account(epoch, sender), *charged, *marks["sender"]], credit, limits, len(marks["sender"]))
    slow = [keys.slow(room, sender)] if charge and asks.room and room and sender else []
    if marks["room"] or slow:
        names = [*marks["room"], *slow]
        yield _call([names[0], *names], credit, [], len(marks["room"]))
    for key in marks["global"]:
        yield _call([key, key], credit, [], 1)


def _call(names: list[str], credit: int, limits: list[Packable], repeats: int) -> tuple[int, int, bytes]:
    arguments = (bulk(b"%d" % len(names)), *map(bulk_text, names), bulk(msgpack([credit, limits, repeats])))
    return slot_of(names[0].encode("utf-8", "surrogatepass")), len(names) + 4, b"".join(arguments)
