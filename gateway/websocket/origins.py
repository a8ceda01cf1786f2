"""Which web pages may open a WebSocket: browsers send Origin, and nothing else keeps one site off another's sockets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_PORTS: Final = {b"http": b"80", b"https": b"443"}
_origin = re.compile(rb"(https?)://([A-Za-z0-9.\-_*]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?").fullmatch


class Origins:
    """A route's list: ``https://a.example``, ``https://*.a.example`` (any depth below), ``same`` (as Host), ``*``.

    A request without Origin does not come from a web page and is let through, unless ``required``. Origin ``null`` (a
    sandboxed page, a file) matches only ``*`` or ``null`` in the list.
    """

    __slots__ = ("_any", "_below", "_exact", "_opaque", "_required", "_same")

    def __init__(self, allowed: Iterable[str] = ("same",), *, required: bool = False) -> None:
        self._required = required
        self._any = self._same = self._opaque = False
        self._exact: set[tuple[bytes, bytes, bytes]] = set()
        self._below: set[tuple[bytes, bytes, bytes]] = set()  # the host begins with a dot
        for text in allowed:
            if text == "*":
                self._any = True
            elif text == "same":
                self._same = True
            elif text == "null":
                self._opaque = True
            else:
                self._add(text)

    def allow(self, origin: bytes | None, host: bytes) -> bool:
        """Whether a request with this Origin field (None: without) to this Host may open a socket."""
        if origin is None:
            return not self._required
        if self._any:
            return True
        if origin == b"null":
            return self._opaque
        parts = _parts(origin)
        if parts is None or b"*" in parts[1]:
            return False
        scheme, name, port = parts
        if parts in self._exact:
            return True
        if self._same and _parts(scheme + b"://" + host) == parts:
            return True
        if self._below:
            dot = name.find(b".")
            while dot >= 0:
                if (scheme, name[dot:], port) in self._below:
                    return True
                dot = name.find(b".", dot + 1)
        return False

    def _add(self, text: str) -> None:
        parts = _parts(text.encode("ascii", "replace"))
        if parts is None or b"*" in parts[1].removeprefix(b"*."):
            raise ValueError(f'{text!r}: write https://a.example, https://*.a.example, "same", "null" or "*"')
        scheme, name, port = parts
        if name.startswith(b"*."):
            self._below.add((scheme, name[1:], port))
        else:
            self._exact.add(parts)


def _parts(origin: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Scheme, host and port (RFC 6454 section 4); None where it is none."""
    matched = _origin(origin.lower())
    if matched is None:
        return None
    scheme, name, port = matched.groups()
    return scheme, name, port or _PORTS[scheme]
