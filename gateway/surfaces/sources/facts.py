"""Who sends, where to, and with what: the sources of one route, each with what its absence means.

A sender and a room are needed. A registrant, and what the front vouches for, may be absent but not garbled: a
garbled one could hide a blacklist or a verification that ended. Device and location are personal and optional: a
missing or garbled one is empty and refuses nobody (law 7).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from filters.model.message import Vouched
from filters.model.remembered import Remembered
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.sources import rooms, sources, vouched
from gateway.surfaces.sources.jwt import Tokens
from gateway.surfaces.sources.rooms import Spell, speller

MAX_NAME: Final = 256  # code points of a sender, room or registrant
MAX_OPTIONAL: Final = 512
LARGEST: Final = 1 << 63  # beyond, readers of JSON make a double of an integer, or refuse it
REMEMBERED: Final = 8192  # names that passed; beyond, they are forgotten and looked at anew

Name = Callable[[ParsedRequest], str]


class FactReaders:
    """The compiled sources of one route. Each is a function of a Reading, or None for what the route does not read."""

    __slots__ = ("device", "location", "registrant", "room", "sender", "shown_sender", "vouched")

    def __init__(self, settings: SurfaceSettings, tokens: Tokens | None) -> None:
        if not settings.sender:
            raise SurfaceError("sender: name where it is read from, such as “header:X-User-Id”")
        if settings.level and not settings.verified:
            raise SurfaceError("verified: the front's level needs it as well")
        self.sender = _sender(settings, tokens)
        self.room = _room(settings, tokens) if settings.room else None
        self.registrant = _registrant(settings, tokens) if settings.registrant else None
        self.device = _optional(settings, settings.device, "device", tokens) if settings.device else None
        self.location = _optional(settings, settings.location, "location", tokens) if settings.location else None
        self.vouched = _vouched(settings, tokens) if settings.verified else None
        # Whatever name a bullet shows is its own: nobody has to vouch for it.
        self.shown_sender = (
            _lenient(sources.first(settings.shown_sender, "shown_sender", tokens)) if settings.shown_sender else None
        )


def _sender(settings: SurfaceSettings, tokens: Tokens | None) -> Name:
    first = _only_trusted(
        settings.sender, "sender", tokens, "sender.untrusted", digests_of(settings), settings.digest_key
    )
    kinds = {sources.kind(source) for source in settings.sender}
    missing = "jwt.missing" if "jwt" in kinds else "sender.unknown" if "whoami" in kinds else "sender.missing"
    name = _needed(first, "sender", missing, joined="header" in kinds)
    if "whoami" in kinds:
        return _asked(name, first=settings.sender[0] == "whoami:")
    if len(settings.sender) == 1 and settings.sender[0].startswith("header:"):
        return _of_header(settings.sender[0], name)
    return name


def _asked(read: Name, *, first: bool) -> Name:
    """Where the platform could not be asked, and nothing else names the sender, it is that which is told. ``first``:
    what it says counts before all else; it was looked at when it came."""

    def name(reading: ParsedRequest) -> str:
        if first:
            told = reading.told
            if told is not None and told.sender:
                reading.degraded = told.degraded
                return told.sender
        try:
            return read(reading)
        except Refused:
            if reading.degraded:
                raise Refused("sender.unavailable") from None
            raise

    return name


def digests_of(settings: SurfaceSettings) -> frozenset[str]:
    """The sources of the sender of which a digest is kept."""
    if settings.digest_sender == "credentials":
        return frozenset(filter(sources.credential, settings.sender))
    return frozenset(settings.sender if settings.digest_sender == "always" else ())


def _room(settings: SurfaceSettings, tokens: Tokens | None) -> Name:
    name = _needed(rooms.first(settings.room, tokens), "room")
    spell = speller(settings.room_format, settings.room_ends_path)
    if spell is not None:
        name = _spelled(name, spell)
    if len(settings.room) == 1 and sources.kind(settings.room[0]) == "path":
        return _of_path(settings.room[0], name)
    return name


def _spelled(read: Name, spell: Spell) -> Name:
    def name(reading: ParsedRequest) -> str:
        return spell(read(reading))

    return name


def _of_header(source: str, careful: Name) -> Name:
    """``careful`` for the one header ``source``, with values that passed lately in one look-up."""
    key = source.partition(":")[2].lower().encode()
    good: Remembered[bytes | None, str] = Remembered(REMEMBERED)

    def name(reading: ParsedRequest) -> str:
        value = reading.fields.get(key)
        known = good.known.get(value)
        if known is not None and not reading.repeated and reading.request.peer_trusted:
            return known
        return good.put(value, careful(reading))

    return name


def _of_path(source: str, careful: Name) -> Name:
    """``careful`` for the one placeholder ``source``, with values that passed lately in one look-up."""
    placeholder = source.partition(":")[2]
    good: Remembered[str, str] = Remembered(REMEMBERED)

    def name(reading: ParsedRequest) -> str:
        value = reading.request.parameters.get(placeholder)
        if value is not None and value in good.known:
            return value
        told = careful(reading)
        return good.put(told, told)

    return name


def _needed(read: sources.Read, role: str, missing: str = "", *, joined: bool = False) -> Name:
    """``joined``: a comma is refused as well, because proxies join repeated headers with one (RFC 9110, 5.3)."""
    missing = missing or f"{role}.missing"

    def name(reading: ParsedRequest) -> str:
        try:
            value = read(reading)
        except Refused as refused:
            raise _as(refused, role) from None
        if type(value) is not str:
            if value is MISSING or value is None:
                raise Refused(missing)
            if type(value) is not int or not -LARGEST <= value < LARGEST:
                raise Refused(f"{role}.malformed")
            return str(value)
        if not value:
            raise Refused(missing)
        if len(value) > MAX_NAME or not value.isprintable() or value[0] == " " or value[-1] == " ":
            raise Refused(f"{role}.malformed")
        if joined and "," in value:
            raise Refused(f"{role}.twice")
        return value

    return name


def _as(refused: Refused, role: str) -> Refused:
    kind, _, what = refused.reason.partition(".")
    return Refused(f"{role}.{what}") if kind == "fact" else refused


def _only_trusted(
    listed: tuple[str, ...],
    key: str,
    tokens: Tokens | None,
    untrusted: str = "",
    digests: Collection[str] = (),
    salt: bytes = b"",
) -> sources.Read:
    """``listed``, where what a client could write itself counts only from a trusted peer.

    ``untrusted``: the refusal when it came from another; empty: then it is as if it had not come.
    """
    if not any(sources.kind(source) in sources.FORGEABLE for source in listed):
        return sources.first(listed, key, tokens, digests, salt)
    every = sources.first(listed, key, tokens, digests, salt)
    proven = tuple(source for source in listed if sources.kind(source) not in sources.FORGEABLE)
    own = sources.first(proven, key, tokens, digests, salt) if proven else None

    def read(reading: ParsedRequest) -> Any:
        if reading.request.peer_trusted:
            return every(reading)
        value = MISSING
        if own is not None:
            try:
                value = own(reading)
            except Refused as refused:
                if refused.reason != "jwt.missing":
                    raise
        if value is MISSING and untrusted and every(reading) is not MISSING:
            raise Refused(untrusted)
        return value

    return read


def _registrant(settings: SurfaceSettings, tokens: Tokens | None) -> Name:
    needed = _needed(
        _only_trusted(settings.registrant, "registrant", tokens, salt=settings.digest_key), "fact", "absent"
    )

    def name(reading: ParsedRequest) -> str:
        try:
            return needed(reading)
        except Refused as refused:
            if refused.reason in ("absent", "jwt.missing"):
                return ""
            raise

    return name


def _optional(settings: SurfaceSettings, listed: tuple[str, ...], key: str, tokens: Tokens | None) -> Name:
    return _lenient(_only_trusted(listed, key, tokens, salt=settings.digest_key))


def _lenient(first: sources.Read) -> Name:
    """What is missing or garbled is empty."""

    def name(reading: ParsedRequest) -> str:
        try:
            value = first(reading)
        except Refused:
            return ""
        if type(value) is int:
            return str(value)
        return value if type(value) is str and len(value) <= MAX_OPTIONAL and value.isprintable() else ""

    return name


def _vouched(settings: SurfaceSettings, tokens: Tokens | None) -> Callable[[ParsedRequest], Vouched | None]:
    def absent(first: sources.Read) -> sources.Read:
        def read(reading: ParsedRequest) -> Any:
            try:
                return first(reading)
            except Refused as refused:
                if refused.reason == "jwt.missing":
                    return MISSING
                raise

        return read

    def of(listed: tuple[str, ...], key: str) -> sources.Read | None:
        return absent(_only_trusted(listed, key, tokens)) if listed else None

    verified = of(settings.verified, "verified")
    assert verified is not None
    return vouched.compiled(verified, of(settings.level, "level"))
