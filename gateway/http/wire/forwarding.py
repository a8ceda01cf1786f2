"""Heads that go on: rebuilt, never as they came (RFC 9110 section 7.6).

End-to-end fields keep their order and spelling. Hop-by-hop fields and those ``Connection`` names were left behind by
``head``; framing, Host, forwarding fields and ids are written here. ``Forwarded``, ``X-Real-IP`` and ``X-Forwarded-*``
pass only from a trusted peer: an upstream that believes them must not believe anybody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from gateway.http.wire.head import CHUNKED, OVERRIDES, RequestHead, ResponseHead
from gateway.http.wire.peers import Peer

_PASSED_BY_TRUSTED: Final = ((b"x-forwarded-port", b"X-Forwarded-Port"), (b"x-real-ip", b"X-Real-IP"))
_WITHOUT_BODY: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"DELETE"))

TRACE_FIELDS: Final = (b"traceparent", b"tracestate")
"""What a request says of its trace; the second means nothing without the first."""

_plain_id = re.compile(rb"[A-Za-z0-9._:/+=-]{1,64}").fullmatch
# https://www.w3.org/TR/trace-context/ section 3.2.2: a later version may have more behind the flags.
_trace_parent = re.compile(
    rb"(?!ff|00-.{53})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
).fullmatch

STATUS_LINES: Final[dict[int, bytes]] = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode()) for status in HTTPStatus
}


class _Digits:
    """Random hexadecimal digits: one system call for a hundred requests."""

    __slots__ = ("_at", "_drawn")

    SIZE: Final = 4096

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` of them, at most ``SIZE``."""
        start = self._at
        end = start + count
        if end > len(self._drawn):
            self._drawn = os.urandom(self.SIZE // 2).hex().encode("ascii")
            start, end = 0, count
        self._at = end
        return self._drawn[start:end]


_digits: Final = _Digits()


def forwarding_lines(head: RequestHead, peer: Peer, via: bytes) -> bytes:
    """X-Forwarded-For, -Proto, -Host and Via as the upstream shall see them; each line with its line end."""
    fields = head.fields
    if not peer.trusted:
        if b"via" not in fields:
            return peer.lines_for(head.host)
        lines = peer.lines.replace(b"Via: ", b"Via: %b, " % fields[b"via"], 1)
        return b"%bX-Forwarded-Host: %b\r\n" % (lines, head.host) if head.host else lines
    chain = fields.get(b"x-forwarded-for")
    address = (peer.ip or "unknown").encode()
    host = fields.get(b"x-forwarded-host", head.host)
    told = [
        b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n%bVia: %b1.1 %b\r\n"
        % (
            b"%b, %b" % (chain, address) if chain else address,
            fields.get(b"x-forwarded-proto", peer.scheme),
            b"X-Forwarded-Host: %b\r\n" % host if host else b"",
            fields[b"via"] + b", " if b"via" in fields else b"",
            via,
        )
    ]
    for name, spelled in _PASSED_BY_TRUSTED:
        if name in fields:
            told.append(b"%b: %b\r\n" % (spelled, fields[name]))
    if b"forwarded" in fields:
        told.append(b"Forwarded: %b\r\n" % fields[b"forwarded"])
    return b"".join(told)


def without(lines: list[bytes], names: Collection[bytes]) -> list[bytes]:
    """The lines whose name (lower case) is not among ``names``."""
    return [line for line in lines if line.partition(b":")[0].lower() not in names]


def request_head(
    head: RequestHead,
    target: bytes,
    length: int,
    extra: bytes,
    drop: Collection[bytes] = (),
    judged: bool = False,
    host: bytes = b"",
) -> bytes:
    """The head for the upstream, complete. ``length``: of the body that is really sent, or ``CHUNKED``.

    ``extra``: whole lines, those of ``forwarding_lines`` among them. ``drop``: names (lower case) of fields not to send
    on. ``judged``: fields that change method or address are left out, because the request was judged by those it says.
    ``host``: the Host field that is sent, the client's where empty.
    """
    lines = head.lines
    if drop:
        lines = without(lines, drop)
    if judged and head.overrides:
        lines = without(lines, OVERRIDES)
    if length == CHUNKED:
        framing = b"Transfer-Encoding: chunked\r\n"
    elif length or head.method not in _WITHOUT_BODY or b"content-length" in head.fields:
        framing = b"Content-Length: %d\r\n" % length
    else:
        framing = b""
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b%b%b\r\n" % (
        head.method,
        target,
        host or head.host,
        b"\r\n".join(lines),
        b"\r\n" if lines else b"",
        framing,
        extra,
    )


def ids(head: RequestHead, request_ids: bool, traces: bool) -> bytes:
    """X-Request-Id and traceparent lines where they are wanted and absent.

    Those that came stay as they came, but for a traceparent that is none (``mistraced``): a new one is made then.
    https://www.w3.org/TR/trace-context/ section 3.2: version 00, sampled.
    """
    lines = b""
    fields = head.fields
    if request_ids and b"x-request-id" not in fields:
        lines = b"X-Request-Id: %b\r\n" % _digits.take(32)
    if traces and _trace_parent(fields.get(b"traceparent", b"")) is None:
        # All zeroes are not a valid id, hence the last digit.
        lines += b"traceparent: 00-%b1-%b1-01\r\n" % (_digits.take(31), _digits.take(15))
    return lines


def continued(head: RequestHead, request_ids: bool, sampled: bool) -> tuple[bytes, str, str, str, str]:
    """What names a request of whose trace it was decided: (lines, trace id, parent, first span, upstream's span).

    Sampled, it goes on with the upstream's span as its parent; else nothing of ours is in its trace, and a traceparent
    that came stays as it came. A new one says whether it is sampled (section 3.2.2.5).
    """
    found = _trace_parent(head.fields.get(b"traceparent", b""))
    lines = b"" if not request_ids or b"x-request-id" in head.fields else b"X-Request-Id: %b\r\n" % _digits.take(32)
    trace = found[1] if found is not None else _digits.take(31) + b"1"
    own, upstream = _digits.take(15) + b"1", _digits.take(15) + b"8"
    if sampled or found is None:
        lines += b"traceparent: 00-%b-%b-%b\r\n" % (trace, upstream, b"01" if sampled else b"00")
    parent = found[2].decode("ascii") if found is not None else ""
    return lines, trace.decode("ascii"), parent, own.decode("ascii"), upstream.decode("ascii")


def drawn(count: int) -> str:
    """Random hexadecimal digits for an id, which is never all zeroes."""
    return (_digits.take(count - 1) + b"1").decode("ascii")


def parent_sampled(head: RequestHead) -> bool | None:
    """Whether who sent it samples its trace (section 3.2.2.5); None where it is in none."""
    found = _trace_parent(head.fields.get(b"traceparent", b""))
    return None if found is None else int(found[3], 16) & 1 == 1


def trace_fields(head: RequestHead, sampled: bool) -> tuple[bytes, ...]:
    """Fields that go no further: of a trace that cannot be read both, of one that goes on by our span its parent."""
    if mistraced(head):
        return TRACE_FIELDS
    return TRACE_FIELDS[:1] if sampled else ()


def mistraced(head: RequestHead) -> bool:
    """Whether its traceparent cannot be read: then it and its tracestate go no further (section 4.3, steps 2 and 4)."""
    told = head.fields.get(b"traceparent")
    return told is not None and _trace_parent(told) is None


def trace_id(head: RequestHead, added: bytes) -> str:
    """The trace that this request is part of, 32 hexadecimal digits; empty where nobody traces it. ``added``: what
    ``ids`` gave."""
    found = _trace_parent(head.fields.get(b"traceparent", b""))
    if found is not None:
        return found[1].decode("ascii")
    at = added.find(b"traceparent: 00-")
    return added[at + 16 : at + 48].decode("ascii") if at >= 0 else ""


def request_id(head: RequestHead, added: bytes) -> str:
    """The id by which this request goes on, for the access log. ``added``: what ``ids`` gave.

    Empty where the client's own is not plainly an id: it could write anything into it, and so into the log.
    """
    own = head.fields.get(b"x-request-id")
    if own is None:
        return added[14:46].decode("ascii") if added.startswith(b"X-Request-Id: ") else ""
    return own.decode("ascii") if _plain_id(own) else ""


def response_head(
    head: ResponseHead, *, method: bytes, minor: int, keep_alive: bool, extra: bytes = b""
) -> tuple[bytes, bool, bool]:
    """The head for the client: (head, whether its body is chunked, whether the connection can stay open).

    ``minor``: the client's version. ``extra``: whole lines, such as ``Tidegate-Message-Id``.
    """
    status = head.status
    length = head.length
    if keep_alive and minor and length >= 0:
        # Nearly every answer: all of its head but ``extra`` is the same for every client, and made once.
        return (head.relayed or _relayed(head)) + extra + b"\r\n", False, True
    chunked = False
    if length >= 0:
        # A 204 must not have it; a 304 and the answer to a HEAD say what the body would have been.
        framing = b"" if status == 204 else b"Content-Length: %d\r\n" % length
    elif method == b"HEAD" or status in (204, 304):
        framing = b""
    elif minor:
        chunked = True
        framing = b"Transfer-Encoding: chunked\r\n"
    else:
        keep_alive = False
        framing = b""
    if not keep_alive:
        framing += b"Connection: close\r\n"
    elif minor == 0:
        framing += b"Connection: keep-alive\r\n"
    return _started(head, framing) + extra + b"\r\n", chunked, keep_alive


def _relayed(head: ResponseHead) -> bytes:
    head.relayed = _started(head, b"" if head.status == 204 else b"Content-Length: %d\r\n" % head.length)
    return head.relayed


def _started(head: ResponseHead, framing: bytes) -> bytes:
    """The head for the client as far as the upstream has it to say, with ``framing`` behind it."""
    lines = head.lines
    if head.status == 426 and b"upgrade" in head.fields:
        # RFC 9110 section 15.5.22: it must say which protocols it means.
        framing += b"Upgrade: %b\r\nConnection: Upgrade\r\n" % head.fields[b"upgrade"]
    start = STATUS_LINES.get(head.status)
    if start is None or (head.reason and not start.endswith(head.reason + b"\r\n")):
        start = b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)
    return b"%b%b%b%b" % (start, b"\r\n".join(lines), b"\r\n" if lines else b"", framing)


def informational_head(head: ResponseHead) -> bytes:
    """A 1xx answer, relayed."""
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (
        head.status,
        head.reason,
        b"".join(line + b"\r\n" for line in head.lines),
    )


def own_head(status: int, lines: bytes, length: int, content_type: bytes) -> bytes:
    """The head of an answer of our own, complete; ``lines``: further whole lines."""
    return b"%b%b%b%b\r\n" % (
        STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status,
        lines,
        b"Content-Type: %b\r\n" % content_type if length else b"",
        b"" if status in (204, 304) else b"Content-Length: %d\r\n" % length,
    )
