"""Where a value is read from, compiled once per route: ``header:X-User-Id``, ``json:/user/id``, ``jwt:sub`` …

Where elements of an array are messages, ``json:`` is read within one, and ``whole:`` in the document around them.
Of the sender more: ``whoami:``, what the platform says (``Told``); ``ip:`` and ``const:NAME``, which name no person.
With ``hash:`` before a source a keyed digest of it is kept.

A source gives the value, or MISSING, or raises ``Refused`` with ``fact.twice``, ``fact.malformed`` or a reason of
its own (``jwt.expired``, ``body.key_case``). Whoever asks turns the first two into its own (``sender.twice``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b, sha256
from typing import Any

from gateway.common.addresses import counted
from gateway.surfaces.input import pointer
from gateway.surfaces.input.field_names import Names
from gateway.surfaces.input.forms import urlencoded
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import ElementRequest
from gateway.surfaces.input.settings import SurfaceError
from gateway.surfaces.sources.cookies import cookie
from gateway.surfaces.sources.jwt import Tokens

Read = Callable[[ParsedRequest], Any]

# A client can write these itself; jwt: carries its own proof and path: is where the message goes.
FORGEABLE = frozenset(("header", "cookie", "query", "json", "whole", "form"))
WEAK = frozenset(("ip", "const"))
"""What names no person: limits count it, and nothing else is held against it."""
KINDS = (*sorted(FORGEABLE), "jwt", "path")
OF_SENDERS = ("whoami", *sorted(WEAK))
HASHED = "hash:"


# What proves who somebody is, by the names that are usual: fields of RFC 9110, RFC 6265 and RFC 6750, sessions, keys.
_credential = re.compile(
    r"authorization|^cookie$|sess|token|jwt|secret|passw|api[-_]?key|(?:^|[-_.])s?sid$|^auth", re.IGNORECASE
).search


def credential(source: str) -> bool:
    """Whether ``source``, by its name, holds what its owner could be impersonated with. A claim of a token is none."""
    sort, _, name = source.partition(":")
    return sort in FORGEABLE and _credential(name) is not None


def digested(read: Read) -> Read:
    """``read``, of which nothing is kept but a digest: ``sha256:`` and the first 128 bits."""

    def digest(reading: ParsedRequest) -> Any:
        value = read(reading)
        if type(value) is not str or not value:
            return value
        scheme, blank, rest = value.partition(" ")  # RFC 9110, section 11.1: schemes ignore case
        same = f"{scheme.lower()} {rest.strip()}" if blank else value
        return "sha256:" + sha256(same.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    return digest


def salted(read: Read, salt: bytes) -> Read:
    """``read``, of which nothing is kept but a digest that nobody can make who has not the salt: ``hash:`` and 128
    bits."""
    keyed = blake2b(key=salt, digest_size=16, person=b"tidegate sender")

    def digest(reading: ParsedRequest) -> Any:
        value = read(reading)
        if value is MISSING or value is None or value == "":
            return value
        if type(value) is not str and type(value) is not int:
            raise Refused("fact.malformed")
        made = keyed.copy()
        made.update(str(value).encode("utf-8", "surrogatepass"))
        return HASHED + made.hexdigest()

    return digest


def kind(source: str) -> str:
    """``header`` of ``header:X-User-Id`` and of ``hash:header:X-User-Id``."""
    return source.removeprefix(HASHED).partition(":")[0]


def first(
    sources: tuple[str, ...], key: str, tokens: Tokens | None, digests: Collection[str] = (), salt: bytes = b""
) -> Read:
    """The function that reads the first of ``sources`` that is present; one that is empty or null gives way to the next
    that is not. A token that is not valid is no absence. Of ``digests`` a digest is read. ``salt``: of ``hash:``."""
    reads = [compiled(source, key, tokens, salt) for source in sources]
    return first_of(
        [digested(read) if source in digests else read for source, read in zip(sources, reads, strict=True)]
    )


def first_of(reads: Sequence[Read]) -> Read:
    """The function that reads the first of several that is present (``first``)."""
    if len(reads) == 1:
        return reads[0]

    def read(reading: ParsedRequest) -> Any:
        empty: Any = MISSING
        for one in reads:
            try:
                value = one(reading)
            except Refused as refused:
                if refused.reason != "jwt.missing":
                    raise
            else:
                if value is not MISSING and value is not None and value != "":
                    return value
                if empty is MISSING:
                    empty = value
        return empty

    return read


def compiled(source: str, key: str, tokens: Tokens | None = None, salt: bytes = b"") -> Read:
    """The function that reads ``source``; ``key`` names the setting in errors."""
    if source.startswith(HASHED):
        return salted(compiled(source.removeprefix(HASHED), key, tokens), salt)
    sort, colon, name = source.partition(":")
    if sort in OF_SENDERS and colon and key == "sender" and (name != "") is (sort == "const"):
        return _weak(f"const:{name}") if sort == "const" else _address if sort == "ip" else _whoami
    if sort not in KINDS or not colon or not name:
        raise SurfaceError(f"{key} = {source!r} is not a source: write one of {', '.join(KINDS)}, a colon and a name")
    if sort == "jwt":
        if tokens is None:
            raise SurfaceError(f"{key} = {source!r} needs to know how tokens are verified: add the jwt settings")
        return _claim(tokens, name)
    try:
        return _READERS[sort](name)
    except ValueError as error:
        raise SurfaceError(f"{key} = {source!r}: {error}") from None


def _whoami(reading: ParsedRequest) -> Any:
    """What the platform has said of who sends this."""
    told = reading.told
    if told is None:
        return MISSING
    if told.reason:
        raise Refused(told.reason)
    if told.pending:
        reading.pending = True
        return "?"
    reading.degraded = told.degraded
    return told.sender or MISSING


def _address(reading: ParsedRequest) -> Any:
    """The client's address, as addresses are counted. A peer on a unix socket has none."""
    ip = reading.request.peer_ip
    if not ip:
        return MISSING
    reading.weak = True
    return f"ip:{counted(ip)}"


def _weak(name: str) -> Read:
    def read(reading: ParsedRequest) -> Any:
        reading.weak = True
        return name

    return read


def _header(name: str) -> Read:
    key = name.lower().encode()

    def read(reading: ParsedRequest) -> Any:
        value = reading.fields.get(key)
        if value is None:
            return MISSING
        if reading.repeated and key in reading.repeated:
            raise Refused("fact.twice")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Refused("fact.malformed") from None

    return read


def _cookie(name: str) -> Read:
    def read(reading: ParsedRequest) -> Any:
        value = reading.fields.get(b"cookie")
        if value is None:
            return MISSING
        if b"cookie" in reading.repeated:  # RFC 6265, section 5.4: a user agent sends one
            raise Refused("fact.twice")
        return cookie(value, name)

    return read


def _query(name: str) -> Read:
    wanted = Names((name,))

    def read(reading: ParsedRequest) -> Any:
        query = reading.request.query
        if not query:
            return MISSING
        try:
            fields = [field for field in urlencoded(query) if "&" in field.name or wanted.means(field.name)]
        except Refused:
            raise Refused("fact.malformed") from None
        if not fields:
            return MISSING
        if len(fields) > 1 or fields[0].name != name:
            raise Refused("fact.twice")
        return fields[0].value

    return read


def _path(name: str) -> Read:
    def read(reading: ParsedRequest) -> Any:
        return reading.request.parameters.get(name, MISSING)

    return read


def _json(name: str) -> Read:
    find = pointer.compiled(name)

    def read(reading: ParsedRequest) -> Any:
        return find(reading.document)

    return read


def _whole(name: str) -> Read:
    """What stands in the document beside the elements that are messages."""
    find = pointer.compiled(name)

    def read(reading: ParsedRequest) -> Any:
        request = reading.request
        return find(request.whole) if isinstance(request, ElementRequest) else MISSING

    return read


def _form(name: str) -> Read:
    def read(reading: ParsedRequest) -> Any:
        form = reading.form
        field = form.fields.get(name) if form is not None else None
        if field is None:
            return MISSING
        if field.file:
            raise Refused("fact.malformed")
        return field.value

    return read


def _claim(tokens: Tokens, name: str) -> Read:
    find = pointer.compiled(name if name.startswith("/") else "/" + name.replace("~", "~0").replace("/", "~1"))
    claims = tokens.claims

    def read(reading: ParsedRequest) -> Any:
        return find(claims(reading))

    return read


_READERS: dict[str, Callable[[str], Read]] = {
    "header": _header,
    "cookie": _cookie,
    "query": _query,
    "path": _path,
    "json": _json,
    "whole": _whole,
    "form": _form,
}
