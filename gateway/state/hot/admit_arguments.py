"""A batch of messages as the arguments of one call of ``admit.lua``."""

from __future__ import annotations

from typing import Final

from gateway.state.hot.flight import AdmitBatch
from gateway.state.hot.plan import AdmitShape
from gateway.state.hot.wire import bulk, bulk_text
from gateway.state.model.keys import Keys

MAX_BATCH: Final = 250  # the number of a shape is one byte


def encode(batch: AdmitBatch, keys: Keys, msetex: bool) -> None:
    """Fill in the batch's shapes, its arguments (number of keys, keys, ARGV) and their count.

    ``msetex``: the server knows that command.
    """
    names: list[bytes] = []
    extras: list[bytes] = []
    order = bytearray()
    numbers: dict[int, int] = {}
    shapes: list[AdmitShape] = []
    size = 1
    last = None
    number = 0
    for plan, message, scan, _ in batch.entries:
        shape, credit = plan.write(message, scan, names, extras)
        if shape is not last:
            last = shape
            number = numbers.setdefault(id(shape), len(numbers) + 1)
        shapes.append(shape)
        size += shape.size
        order.append(number)
        order.append(credit)
    batch.shapes = shapes
    batch.count = size + len(extras) + 7
    batch.arguments = b"".join(
        (
            bulk(b"%d" % size),
            bulk_text(keys.epoch if batch.slot < 0 else keys.epoch_at(batch.slot)),
            *names,
            bulk(b"%d" % batch.epoch),
            bulk(_plans(shapes, len(numbers))),
            bulk(bytes(order)),
            b"$1\r\n1\r\n" if msetex else b"$1\r\n0\r\n",
            *extras,
        )
    )


def _plans(shapes: list[AdmitShape], distinct: int) -> bytes:
    if distinct == 1:
        return b"\x91" + shapes[0].packed
    different = {id(shape): shape.packed for shape in shapes}
    return b"\xdc" + distinct.to_bytes(2, "big") + b"".join(different.values())
