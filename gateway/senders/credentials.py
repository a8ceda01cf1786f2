"""A request's credentials: the named headers and cookies, and a keyed digest that stands for them.

Nothing keeps a credential longer than its question: what is remembered is a digest, keyed with a salt of this node, so
that nobody who reads a worker's memory or the state server's can try tokens against it. Which spellings mean one
credential to a platform is not known here, so those that are known to be read alike have one digest: a cookie in
quotes (RFC 6265, section 4.1.1) or percent-encoded, a scheme in any case (RFC 9110, section 11.1). Two that differ in
more have two, and are asked twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.cookies import cookies_like, raw_cookie

SIZE: Final = 16
"""Bytes of a digest."""
NONE: Final = bytes(SIZE)
"""In the place of a credential that did not come."""

_printable: Final = re.compile(rb"[!-~](?:[ -~]*[!-~])?").fullmatch
_cookie_value: Final = re.compile(rb'"[!#-+\--:<-\[\]-~]+"|[!#-+\--:<-\[\]-~]+').fullmatch
_PERCENT: Final = 0x25
_QUOTE: Final = 0x22


class Credential:
    """One header or cookie that the configuration names. ``salt``: at most 64 bytes."""

    __slots__ = ("_keyed", "_name", "_scheme", "_text", "cookie", "field")

    def __init__(self, source: str, salt: bytes) -> None:
        kind, _, name = source.partition(":")
        self.cookie = kind == "cookie"
        self._text = name
        self._name = name.lower().encode()
        self.field = b"cookie" if self.cookie else self._name
        self._scheme = not self.cookie and self._name == b"authorization"
        self._keyed = blake2b(key=salt, digest_size=SIZE, person=b"tidegate whoami")
        self._keyed.update(source.encode() if self.cookie else kind.encode() + b":" + self._name)
        self._keyed.update(b"\0")

    def value(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> bytes:
        """What the request presents; empty for nothing. ``Refused`` where it is not sure which of several counts."""
        value = fields.get(self.field)
        if not value:
            return b""
        if repeated and self.field in repeated:
            raise Refused("sender.twice")
        if not self.cookie:
            return value
        try:
            return raw_cookie(value, self._text)
        except Refused as refused:
            raise Refused("sender." + refused.reason.partition(".")[2]) from None

    def digest(self, value: bytes) -> bytes:
        """What stands for ``value``."""
        if self.cookie:
            if value[0] == _QUOTE and value[-1] == _QUOTE:
                value = value[1:-1]
            if _PERCENT in value:
                value = unquote_to_bytes(value)
        elif self._scheme:
            scheme, blank, rest = value.partition(b" ")
            if blank:
                value = scheme.lower() + b" " + rest.strip()
        made = self._keyed.copy()
        made.update(value)
        return made.digest()

    def check(self, value: bytes) -> None:
        """Whether ``value`` may be sent on in a head of ours. ``Refused("sender.malformed")``."""
        if (_cookie_value if self.cookie else _printable)(value) is None:
            raise Refused("sender.malformed")

    def line(self, value: bytes) -> bytes:
        """Of a cookie its pair, of a header its line."""
        name = self._text.encode()
        return name + b"=" + value if self.cookie else name + b": " + value

    def all_digests(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> list[bytes]:
        """Of whatever a platform could take for it: a log-out is not refused for being unclear."""
        value = fields.get(self.field)
        if not value:
            return []
        if self.cookie:
            values = cookies_like(value, self._text)
        else:
            values = [value, *(value.split(b", ") if repeated and self._name in repeated else ())]
        return [self.digest(one) for one in values if one]


class NamedCredentials:
    """All that one platform is asked with. ``most``: bytes, all together."""

    __slots__ = ("_named", "_only", "_sender", "field", "most")

    def __init__(self, sources: tuple[str, ...], salt: bytes, most: int) -> None:
        self._named = tuple(Credential(source, salt) for source in sources)
        self._only = self._named[0] if len(self._named) == 1 else None
        self.most = most
        fields = {one.field for one in self._named}
        self.field = fields.pop() if len(fields) == 1 else b""  # that holds all of them
        self._sender = blake2b(key=salt, digest_size=SIZE, person=b"tidegate whoami")
        self._sender.update(b"sender\0")

    def of_sender(self, sender: str) -> bytes:
        """What stands for whom the platform named: a log-out may end all that somebody presents elsewhere."""
        made = self._sender.copy()
        made.update(sender.encode("utf-8", "surrogatepass"))
        return made.digest()

    def key(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> bytes:
        """What stands for the request's credentials: a digest of each, ``NONE`` for one that did not come. Empty where
        none did. ``Refused``."""
        only = self._only
        if only is not None:
            value = only.value(fields, repeated)
            if not value:
                return b""
            if len(value) > self.most:
                raise Refused("sender.malformed")
            return only.digest(value)
        key = b""
        size = 0
        some = False
        for one in self._named:
            value = one.value(fields, repeated)
            size += len(value)
            if size > self.most:
                raise Refused("sender.malformed")
            some = some or value != b""
            key += one.digest(value) if value else NONE
        return key if some else b""

    def lines(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> list[bytes]:
        """The header lines of the question, without line ends. ``Refused`` where one could be read in two ways."""
        lines: list[bytes] = []
        cookies: list[bytes] = []
        for one in self._named:
            value = one.value(fields, repeated)
            if value:
                one.check(value)
                (cookies if one.cookie else lines).append(one.line(value))
        if cookies:
            lines.append(b"Cookie: " + b"; ".join(cookies))
        return lines

    def digests(self, fields: Mapping[bytes, bytes], repeated: Set[bytes]) -> list[bytes]:
        """Of everything in a request that may be one of them."""
        return [digest for one in self._named for digest in one.all_digests(fields, repeated)]


def parts(key: bytes) -> list[bytes]:
    """The digests in a key."""
    if len(key) == SIZE:
        return [key]
    found = [key[at : at + SIZE] for at in range(0, len(key), SIZE)]
    return [part for part in found if part != NONE]
