"""Opening handshakes on both sides (RFC 6455 sections 4.1 and 4.2), sans-I/O.

A client's handshake is checked, a new one is made for the upstream, the upstream's answer is checked against that one,
and the client gets an answer made for its own. Each side has its own key, so that neither vouches for the other.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha1
from os import urandom
from typing import Final, NamedTuple

from filters.model.errors import TidegateError
from filters.model.meaning import Meaning, titled
from gateway.http.wire.fields import TOKEN
from gateway.http.wire.forwarding import without
from gateway.http.wire.head import RequestHead, ResponseHead
from gateway.websocket.origins import Origins

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

REASONS: Final[dict[str, Meaning]] = {
    "handshake.not_websocket": titled(426, "This address speaks WebSocket only", "此地址仅支持 WebSocket"),
    "handshake.method": titled(
        405, "A WebSocket handshake is a GET request of HTTP/1.1", "WebSocket 握手必须是 HTTP/1.1 的 GET 请求"
    ),
    "handshake.body": titled(400, "A WebSocket handshake has no body", "WebSocket 握手不能带有请求体"),
    "handshake.version": titled(426, "This version of WebSocket is not spoken here", "不支持该 WebSocket 版本"),
    "handshake.key": titled(400, "The Sec-WebSocket-Key is missing or malformed", "Sec-WebSocket-Key 缺失或格式不正确"),
    "handshake.protocol": titled(400, "The Sec-WebSocket-Protocol is malformed", "Sec-WebSocket-Protocol 格式不正确"),
    "handshake.origin": titled(403, "Pages of this origin may not open a socket here", "该来源的页面不能在此建立连接"),
    "handshake.upstream": titled(
        502, "The upstream's answer to the handshake is not valid", "上游服务器对握手的响应无效"
    ),
}
"""As ``gateway.http.wire.errors.REASONS``."""

_token = re.compile(TOKEN).fullmatch

REPLACED: Final = frozenset(
    (
        b"sec-websocket-key",
        b"sec-websocket-accept",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
    )
)
"""Fields (lower case) of a handshake that never go on as they came."""


class HandshakeError(TidegateError):
    """A handshake that breaks a rule. ``detail``: a fixed word for logs, never what was sent."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason
        self.detail = detail

    @property
    def status(self) -> int:
        """The status of the answer."""
        return REASONS[self.reason].status

    @property
    def lines(self) -> bytes:
        """Fields that the answer needs: whole lines."""
        if self.status == 426:
            return b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        return b"Allow: GET\r\n" if self.status == 405 else b""


class ClientHandshake(NamedTuple):
    """What a client asks for. ``protocols``: sub-protocols in its order. ``extensions``: the field as sent."""

    key: bytes
    protocols: tuple[bytes, ...]
    extensions: bytes


class Agreement(NamedTuple):
    """What the upstream agreed to. Empty where nothing."""

    protocol: bytes
    extensions: bytes


def is_plain(head: RequestHead) -> bool:
    """Whether a request does not even ask for a WebSocket: no Upgrade names it, nor is there a field of a handshake."""
    return not _has(head.upgrade, b"websocket") and b"sec-websocket-key" not in head.fields


def check_client(head: RequestHead, origins: Origins) -> ClientHandshake:
    """Read a client's handshake (section 4.2.1). Raises ``HandshakeError``."""
    fields = head.fields
    repeated = head.repeated
    # ``upgrade`` is in lower case and empty under HTTP/1.0.
    if not _has(head.upgrade, b"websocket") or not _has(fields.get(b"connection", b"").lower(), b"upgrade"):
        raise HandshakeError("handshake.not_websocket")
    if head.method != b"GET" or head.minor != 1:
        raise HandshakeError("handshake.method")
    if head.length:
        raise HandshakeError("handshake.body")
    if fields.get(b"sec-websocket-version") != b"13":
        raise HandshakeError("handshake.version")
    key = fields.get(b"sec-websocket-key")
    if key is None or not _is_key(key):  # a repeated one is joined, and then too long
        raise HandshakeError("handshake.key")
    if b"origin" in repeated or not origins.allow(fields.get(b"origin"), head.host):
        raise HandshakeError("handshake.origin")
    protocols = _tokens(fields.get(b"sec-websocket-protocol"))
    if protocols is None or len(set(protocols)) != len(protocols):
        raise HandshakeError("handshake.protocol")
    return ClientHandshake(key, protocols, fields.get(b"sec-websocket-extensions", b""))


def new_key() -> bytes:
    """A key for a handshake of ours: 16 random bytes in base64."""
    return b64encode(urandom(16))


def upstream_lines(asked: ClientHandshake, key: bytes, *, extensions: bool) -> bytes:
    """What a rebuilt request head needs to be a handshake (section 4.1): whole lines.

    For ``forwarding.request_head`` as ``extra``, with ``REPLACED`` as ``drop``; all other end-to-end fields go on
    (Origin, Cookie, Authorization …). ``extensions``: whether the client's offer goes on; on judged routes it does
    not, so that frames can be read.
    """
    lines = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n" % key
    if asked.protocols:
        lines += b"Sec-WebSocket-Protocol: %b\r\n" % b", ".join(asked.protocols)
    if extensions and asked.extensions:
        lines += b"Sec-WebSocket-Extensions: %b\r\n" % asked.extensions
    return lines


def check_upstream(head: ResponseHead, asked: ClientHandshake, key: bytes, *, extensions: bool) -> Agreement:
    """Read the upstream's 101 (section 4.1, the client's requirements). Raises ``HandshakeError``."""
    fields = head.fields
    if head.status != 101 or not _has(fields.get(b"upgrade", b"").lower(), b"websocket"):
        raise HandshakeError("handshake.upstream", "upgrade")
    if not _has(fields.get(b"connection", b"").lower(), b"upgrade"):
        raise HandshakeError("handshake.upstream", "connection")
    if fields.get(b"sec-websocket-accept") != accept(key):
        raise HandshakeError("handshake.upstream", "accept")
    protocol = fields.get(b"sec-websocket-protocol", b"")
    if protocol and protocol not in asked.protocols:
        raise HandshakeError("handshake.upstream", "protocol")
    agreed = fields.get(b"sec-websocket-extensions", b"")
    if agreed and not (extensions and _names(agreed) <= _names(asked.extensions)):
        raise HandshakeError("handshake.upstream", "extensions")
    return Agreement(protocol, agreed)


def client_answer(head: ResponseHead, asked: ClientHandshake, agreed: Agreement, extra: bytes = b"") -> bytes:
    """Our 101 (section 4.2.2), with the upstream's end-to-end fields (Set-Cookie …). ``extra``: whole lines."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept(asked.key),
    ]
    if agreed.protocol:
        lines.append(b"Sec-WebSocket-Protocol: " + agreed.protocol)
    if agreed.extensions:
        lines.append(b"Sec-WebSocket-Extensions: " + agreed.extensions)
    lines += without(head.lines, REPLACED)
    return b"%b\r\n%b\r\n" % (b"\r\n".join(lines), extra)


def accept(key: bytes) -> bytes:
    """The Sec-WebSocket-Accept that proves that ``key`` was read (section 4.2.2, point 5.4)."""
    return b64encode(sha1(key + GUID, usedforsecurity=False).digest())


def _is_key(key: bytes) -> bool:
    try:
        return len(key) == 24 and len(b64decode(key, validate=True)) == 16
    except Base64Error:
        return False


def _has(value: bytes, token: bytes) -> bool:
    """Whether a comma-separated list in lower case has ``token``."""
    return value == token or token in [part.strip(b" \t") for part in value.split(b",")]


def _tokens(value: bytes | None) -> tuple[bytes, ...] | None:
    """The tokens of a list; None where one is not a token."""
    if value is None:
        return ()
    tokens = tuple(part.strip(b" \t") for part in value.split(b","))
    return tokens if all(_token(token) for token in tokens) else None


def _names(extensions: bytes) -> set[bytes]:
    return {part.partition(b";")[0].strip(b" \t").lower() for part in extensions.split(b",")}
