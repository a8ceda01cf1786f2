"""What the script's replies mean."""

from __future__ import annotations

from typing import Any, Final

from filters.model.errors import TidegateError
from filters.model.remembered import Remembered
from filters.model.verdict import OPEN, Account, Block, Facts, RepeatFact, RoomFact
from gateway.state.hot.plan import ONCE, REMEMBERED, AdmitShape

STATUS: Final = {b"muted": RoomFact("muted"), b"closed": RoomFact("closed")}

_accounts: Final[Remembered[bytes, Account]] = Remembered(REMEMBERED)


class Unreadable(TidegateError):
    """A reply, or a value in state, that means nothing: not ours, or not of this version."""


def account(stored: bytes | None) -> Account | None:
    """The account as it is stored; equal ones are one object."""
    if stored is None:
        return None
    known = _accounts.known.get(stored)
    if known is None:
        try:
            verified, until, *approved, credit = map(int, stored.split(b" "))
            known = _accounts.put(stored, Account(bool(verified), until, credit, *approved))
        except (ValueError, TypeError):
            raise Unreadable("an account in state is not three or four numbers") from None
    return known


def read(shape: AdmitShape, reply: Any) -> Facts:
    """The facts that one message's reply tells. Raises ``Unreadable``.

    The caller looks in ``shape.clean`` first; this is for what stands not there.
    """
    try:
        if reply is None or type(reply) is bytes:
            return shape.remember(reply, account(reply))
        stored, told, slow, blocks, waits, repeats = reply
        plan = shape.plan
        return Facts(
            account(stored),
            _blocks(shape, blocks) if blocks else (),
            _limits(shape, waits) if waits else plan.zeros,
            _repeats(shape, repeats) if repeats else plan.ones,
            room(told, slow) if told is not None else OPEN,
        )
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise Unreadable(f"a reply of admit.lua cannot be read: {type(error).__name__}") from None


def held(shape: AdmitShape, reply: Any) -> frozenset[str]:
    """The scopes whose block state holds, whether it bites or not; of a reply that ``read`` has taken."""
    if reply is None or type(reply) is bytes:
        return frozenset()
    return frozenset([shape.blocks[number - 1] for number in reply[3][::3]])


def block(scope: str, stored: bytes, wait: int = 0) -> Block:
    """A block as it is stored; ``wait``: microseconds until it bites no more, where it is a limit."""
    expires, interval, _, _, reason = stored.split(b" ", 4)
    return Block(scope, reason.decode("utf-8", "replace"), int(expires), interval != b"0", wait / 1e6)


def _blocks(shape: AdmitShape, flat: list[Any]) -> tuple[Block, ...]:
    found = []
    for number, value, wait in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        if wait < 0:  # it does not bite
            continue
        found.append(block(shape.blocks[number - 1], value, wait))
    return tuple(found)


def _limits(shape: AdmitShape, waits: list[int]) -> tuple[int, ...]:
    limits = list(shape.plan.zeros)
    for counter, wait in zip(shape.counters, waits, strict=True):
        for place in counter.places:
            limits[place] = wait
    return tuple(limits)


def _repeats(shape: AdmitShape, flat: list[int]) -> tuple[RepeatFact, ...]:
    repeats = [ONCE] * len(shape.plan.ones)
    for place, seen, people, wait in zip(shape.repeats, flat[::3], flat[1::3], flat[2::3], strict=True):
        repeats[place] = RepeatFact(seen, people, wait / 1e6)
    return tuple(repeats)


def room(stored: bytes, slow: int = 0) -> RoomFact:
    """A room as it is stored; ``slow``: microseconds that its sender has to wait."""
    status = STATUS.get(stored)
    if status is not None:
        return status
    if stored.startswith(b"slow "):
        return RoomFact("slow", slow / 1e6)
    raise Unreadable("a room's status in state is none of ours")
