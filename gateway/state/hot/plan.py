"""What one policy asks of state on one route, prepared once: which keys, in which order, and what replies mean.

A message's keys come in pieces: everything that hangs on its sender, on its device, on its room. A piece is the same
bytes for every message of that sender, so pieces are remembered. Which pieces a message has decides its shape; each
shape has one plan for the script (see ``lua/admit.lua``) and one constant ``Facts`` for each account it meets.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from filters.model.limits import Limit, paces
from filters.model.message import Message
from filters.model.remembered import Remembered
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Account, Facts, RepeatFact, Scan
from gateway.common.addresses import counted
from gateway.state.hot.wire import Packable, bulk_text, msgpack
from gateway.state.model.keys import Keys

REMEMBERED: Final = 8192  # pieces of each kind, and constant facts of each shape; then all are forgotten, built anew
NOT_VOUCHED: Final = 255
ONCE: Final = RepeatFact(1)
BLOCKED: Final = ("sender", "registrant", "device", "ip", "room")
PIECES: Final = ("account", *BLOCKED, "route", "global", "text")  # "text": repeats that are counted over everything
ROUTE: Final = Message._fields.index("route")

ACCOUNT_BIT: Final = 1 << 0
SLOW_BIT: Final = 1 << 1
FIRST_PIECE_BIT: Final = 1 << 2
FIRST_REPEAT_BIT: Final = 1 << 16


class Counter(NamedTuple):
    """One limit as it is counted. Two rules with the same limit share a counter: a message is charged once."""

    limit: Limit
    shadow: bool
    places: tuple[int, ...]  # in Facts.limits


class Piece(NamedTuple):
    """The keys that hang on one field of a message (the field of ``route`` stands in for everybody together)."""

    bit: int
    field: int
    kinds: tuple[str | int, ...]  # "account", "block.sender" …, "room", or a counter's number
    keys: tuple[Callable[[str], str], ...]
    remembered: Remembered[str, bytes]

    def build(self, value: str) -> bytes:
        """The piece's keys as arguments of a command."""
        return self.remembered.put(value, b"".join([bulk_text(key(value)) for key in self.keys]))


class Repeated(NamedTuple):
    """One count of repeats: its place in ``Facts.repeats``, and how the keys of it begin. ``own``: the usual one, of
    what a sender alone repeats."""

    place: int
    repeat: Repeat
    prefix: str
    own: bool
    starts: Remembered[str, bytes]  # by sender: the key up to the fingerprint


class AdmitShape:
    """Messages whose keys come in the same order."""

    __slots__ = ("blocks", "clean", "counters", "packed", "plan", "repeats", "size")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.size = 0  # number of keys
        self.packed = b""  # what the script is told
        self.blocks: list[str] = []  # scopes, in the script's order
        self.counters: list[Counter] = []
        self.repeats: list[int] = []  # places in Facts.repeats
        self.clean: Remembered[bytes | None, Facts] = Remembered(REMEMBERED)

    def remember(self, stored: bytes | None, account: Account | None) -> Facts:
        """The facts of everybody with this account of whom there is nothing else to say."""
        return self.clean.put(stored, Facts(account, (), self.plan.zeros, self.plan.ones))


class Plan:
    """``only`` keeps to part of what is asked: on a cluster each slot gets its own plan."""

    __slots__ = (
        "_asked",
        "account",
        "asks",
        "counters",
        "keys",
        "names",
        "ones",
        "only",
        "pieces",
        "ranges",
        "repeats",
        "room",
        "route",
        "shapes",
        "zeros",
    )

    def __init__(self, asks: Asks, route: str, keys: Keys, epoch: int, only: tuple[str, ...] = PIECES) -> None:
        self.asks = asks
        self.only = only
        self.route = route
        self.keys = keys
        self.ranges = asks.blocks and "ip" in only
        self.shapes: dict[int, AdmitShape] = {}
        self.zeros = (0,) * len(asks.limits)
        self.ones = (ONCE,) * len(asks.repeats)
        self.counters = counters(asks)
        wants_account = asks.account or any(limit.scale for limit in asks.limits)
        self.account = (
            Piece(
                ACCOUNT_BIT,
                Message._fields.index("sender"),
                ("account",),
                (lambda v: keys.account(epoch, v),),
                Remembered(REMEMBERED),
            )
            if wants_account and "account" in only
            else None
        )
        pieces = (self._piece(scope, number, route, epoch) for number, scope in enumerate(PIECES) if scope in only)
        self.pieces = tuple(piece for piece in pieces if piece.keys)
        # What is needed of each piece per message: a tuple is taken apart sooner than its fields are looked up.
        self._asked = tuple((piece.bit, piece.field, piece.remembered.known, piece.build) for piece in self.pieces)
        self.room = asks.room and "room" in only
        self.repeats = tuple(
            Repeated(
                place,
                repeat,
                keys.repeat(repeat, route, place in asks.shadow_repeats),
                repeat.scope == "sender" and repeat.senders == 1,
                Remembered(REMEMBERED),
            )
            for place, repeat in enumerate(asks.repeats)
            if ("text" if repeat.scope == "global" else repeat.scope) in only
        )
        self.names = self._names()

    def _piece(self, scope: str, number: int, route: str, epoch: int) -> Piece:
        keys = self.keys
        kinds: list[str | int] = []
        made: list[Callable[[str], str]] = []
        if self.asks.blocks and scope in BLOCKED:
            kinds.append(f"block.{scope}")
            made.append(lambda value: keys.block(epoch, scope, value))
        if self.asks.room and scope == "room":
            kinds.append("room")
            made.append(lambda value: keys.room(epoch, value))
        for place, counter in enumerate(self.counters):
            if counter.limit.scope == scope:
                kinds.append(place)
                made.append(_counted(keys, counter, route))
        if scope == "ip":
            made = [_of_network(key, self.asks.ipv6_prefix) for key in made]
        field = Message._fields.index(scope) if scope in Message._fields else ROUTE
        return Piece(FIRST_PIECE_BIT << number, field, tuple(kinds), tuple(made), Remembered(REMEMBERED))

    def _names(self) -> tuple[str, ...]:
        kinds = {kind for piece in self.pieces for kind in piece.kinds}
        told = {
            "account": self.account is not None and self.asks.account,
            "blocks": any(isinstance(kind, str) and kind.startswith("block.") for kind in kinds),
            "limits": any(isinstance(kind, int) for kind in kinds),
            "repeats": bool(self.repeats),
            "room": self.room,
        }
        return tuple(name for name, asked in told.items() if asked)

    def write(self, message: Message, scan: Scan, parts: list[bytes], extras: list[bytes]) -> tuple[AdmitShape, int]:
        """Append the message's keys to ``parts``; returns its shape and the credit that the front vouches for."""
        mask = 0
        credit = NOT_VOUCHED
        sender = message.sender
        vouched = message.vouched
        piece = self.account
        if vouched is not None and vouched.level >= 0:
            credit = min(vouched.level, 100)
            if not self.asks.approved:
                piece = None
        if piece is not None and sender:
            mask = ACCOUNT_BIT
            parts.append(piece.remembered.known.get(sender) or piece.build(sender))
        for bit, field, known, build in self._asked:
            value: str = message[field]  # type: ignore[assignment]  # fields of pieces are text
            if value:
                mask |= bit
                parts.append(known.get(value) or build(value))
        if self.room and sender and message.room:
            mask |= SLOW_BIT
            parts.append(bulk_text(self.keys.slow(message.room, sender)))
        if self.repeats and scan.fingerprint:
            bit = FIRST_REPEAT_BIT
            for _, repeat, prefix, own, starts in self.repeats:
                if own:  # without its key as text
                    if sender and scan.folded_length >= repeat.min_length:
                        mask |= bit
                        start = starts.known.get(sender) or self._start(prefix, sender, starts)
                        mark = hexlify(scan.fingerprint)
                        parts.append(b"$%d\r\n%b%b\r\n" % (len(start) + len(mark), start, mark))
                elif (key := repeat_key(prefix, repeat, message, scan)) is not None:
                    mask |= bit
                    parts.append(bulk_text(key))
                    if repeat.senders > 1:
                        parts.append(bulk_text(key + ":n"))
                        extras.append(bulk_text(sender))
                bit <<= 1
        return self.shapes.get(mask) or self._shape(mask), credit

    @staticmethod
    def _start(prefix: str, sender: str, starts: Remembered[str, bytes]) -> bytes:
        """``repeat_key`` up to the fingerprint."""
        return starts.put(sender, f"{prefix}{{{sender}}}:".encode("utf-8", "surrogatepass"))

    def counted(self, message: Message) -> Iterator[tuple[Counter, str]]:
        """The limits that the message has a value for, and their keys."""
        for piece in self.pieces:
            value: str = message[piece.field]  # type: ignore[assignment]  # fields of pieces are text
            for kind, key in zip(piece.kinds, piece.keys, strict=True) if value else ():
                if isinstance(kind, int):
                    yield self.counters[kind], key(value)

    def governing(self, message: Message) -> Iterator[tuple[str, str]]:
        """What is in force for the message, by kind (``account``, ``block.sender`` …, ``room``), and its key."""
        for piece in (self.account, *self.pieces) if self.account is not None else self.pieces:
            value: str = message[piece.field]  # type: ignore[assignment]  # fields of pieces are text
            for kind, key in zip(piece.kinds, piece.keys, strict=True) if value else ():
                if isinstance(kind, str):
                    yield kind, key(value)

    def _shape(self, mask: int) -> AdmitShape:
        shape = AdmitShape(self)
        places: dict[str | int, int] = {}
        pieces = (self.account, *self.pieces) if self.account is not None else self.pieces
        for piece in pieces:
            if mask & piece.bit:
                for kind in piece.kinds:
                    shape.size += 1
                    places[kind] = shape.size
        slow = 0
        if mask & SLOW_BIT:
            slow = shape.size = shape.size + 1
        repeats: list[Packable] = []
        for number, (place, repeat, _, _, _) in enumerate(self.repeats):
            if mask & FIRST_REPEAT_BIT << number:
                shape.size += 1
                people = repeat.senders > 1
                repeats += [shape.size, shape.size + 1 if people else 0, -(-repeat.period_us // 1000), repeat.senders]
                shape.repeats.append(place)
                shape.size += people
        shape.blocks = [scope for scope in BLOCKED if f"block.{scope}" in places]
        shape.counters = [counter for place, counter in enumerate(self.counters) if place in places]
        limits: list[Packable] = []
        enforced = 0
        for place, counter in enumerate(self.counters):
            if place in places:
                limits += [places[place], *_paces(counter.limit)]
                enforced += 0 if counter.shadow else 5
        blocks: list[Packable] = [places[f"block.{scope}"] for scope in shape.blocks]
        account, room = places.get("account", 0), places.get("room", 0)
        shape.packed = msgpack([shape.size, account, room, slow, blocks, enforced, limits, repeats])
        self.shapes[mask] = shape
        return shape


def counters(asks: Asks) -> tuple[Counter, ...]:
    """The limits to count, enforced ones first; equal ones once."""
    places: dict[tuple[bool, Limit], list[int]] = {}
    for place, limit in enumerate(asks.limits):
        places.setdefault((place in asks.shadow_limits, limit), []).append(place)
    ordered = sorted(places.items(), key=lambda item: item[0][0])
    return tuple(Counter(limit, shadow, tuple(where)) for (shadow, limit), where in ordered)


def repeat_key(prefix: str, repeat: Repeat, message: Message, scan: Scan) -> str | None:
    """The key that counts this text; None where it does not count: too short, or nobody or nowhere to count it for."""
    mark = scan.fingerprint.hex()
    if scan.folded_length < repeat.min_length:
        return None
    if repeat.scope == "global":
        return f"{prefix}{{{mark}}}"
    value = message.sender if repeat.scope == "sender" else message.room
    return f"{prefix}{{{value}}}:{mark}" if value else None


def _of_network(key: Callable[[str], str], prefix: int) -> Callable[[str], str]:
    return lambda value: key(counted(value, prefix))


def _counted(keys: Keys, counter: Counter, route: str) -> Callable[[str], str]:
    limit, shadow = counter.limit, counter.shadow
    if limit.scope == "global":
        return lambda _: keys.limit(limit, route, shadow, "global")
    return lambda value: keys.limit(limit, route, shadow, value)


def _paces(limit: Limit) -> list[Packable]:
    """Interval, burst, bands, life: see the script."""
    scaled, full = paces(limit)
    bands: list[Packable] = [number for below, pace in scaled for number in (below, *pace)]
    longest = max([full.burst, *(pace.burst for _, pace in scaled)])
    # A millisecond more, because expiry counts from a clock that may be a little behind the script's.
    return [full.interval, full.burst, bands or 0, -(-longest // 1000) + 1]
