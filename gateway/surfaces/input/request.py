"""What a surface reads of a request besides its body."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, NamedTuple, Protocol

NO_NAMES: frozenset[bytes] = frozenset()


class Told(NamedTuple):
    """What the platform has said of who sends a request, for sources ``whoami:``.

    ``sender``: its own id of them; empty where it knows nobody by these credentials, or none came. ``reason``: nobody
    may send with this request, a key of REASONS. ``degraded``: the platform could not be asked now, and why, for the
    record; a ``sender`` beside it is one that it named a while ago. ``pending``: it has not been asked.
    """

    sender: str = ""
    reason: str = ""
    degraded: str = ""
    pending: bool = False


class Request(Protocol):
    """The head of a request, or of the handshake that opened a socket.

    ``method`` in capitals. ``fields``: every header by lower-case name, without surrounding white space, repeated
    ones joined and named in ``repeated``. ``query``: the raw bytes behind the ``?``. ``parameters``: what the route's
    placeholders matched, percent-decoded. ``peer_ip``: the client's address after trusted proxies; ``peer_trusted``:
    whether whoever connected may vouch for senders. ``told``: None where no platform is asked.
    """

    @property
    def method(self) -> bytes: ...
    @property
    def fields(self) -> Mapping[bytes, bytes]: ...
    @property
    def repeated(self) -> Set[bytes]: ...
    @property
    def query(self) -> bytes: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...
    @property
    def peer_ip(self) -> str: ...
    @property
    def peer_trusted(self) -> bool: ...
    @property
    def told(self) -> Told | None: ...


class Arrived(NamedTuple):
    """A Request as plain values, for whoever has no object of its own that looks like one."""

    method: bytes
    fields: Mapping[bytes, bytes]
    repeated: Set[bytes] = NO_NAMES
    query: bytes = b""
    parameters: Mapping[str, str] = {}
    peer_ip: str = ""
    peer_trusted: bool = False
    told: Told | None = None


class ElementRequest:
    """A Request as that of one element of its body, which is a body of its own (``each``). ``whole``: the document that
    holds the element. ``following``: it is not the first, so that what the query says was looked at already. A coding
    of the body is undone, and no field says otherwise."""

    __slots__ = (
        "fields", "following", "method", "parameters", "peer_ip", "peer_trusted", "query", "repeated", "told", "whole",
    )  # fmt: skip

    def __init__(self, request: Request, fields: Mapping[bytes, bytes], whole: Any, following: bool) -> None:
        self.method = request.method
        self.fields = fields
        self.repeated = request.repeated
        self.query = request.query
        self.parameters = request.parameters
        self.peer_ip = request.peer_ip
        self.peer_trusted = request.peer_trusted
        self.told = request.told
        self.whole = whole
        self.following = following


def following(request: Request) -> bool:
    """Whether it is an element behind the first."""
    return isinstance(request, ElementRequest) and request.following
