"""A client's WebSocket under gevent: plain sockets, which gevent makes cooperative, and the frames of the gateway.

The parser is the gateway's own (``gateway.websocket.frames``), which its tests hold to RFC 6455 with an independent
client; here it only has to be quick. One greenlet reads and writes: thousands of viewers have no second one.
"""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from hashlib import sha1
from os import urandom
from time import perf_counter
from urllib.parse import urlsplit

from gateway.websocket.frames import (
    ControlFrame,
    FrameParser,
    ProtocolError,
    SocketMessage,
    close_payload,
    masked_frame,
)
from gateway.websocket.handshake import GUID
from gateway.websocket.opcodes import CLOSE, NORMAL, PING, PONG, TEXT

MAX_HEAD = 16_384
MAX_MESSAGE = 1 << 20
READ = 65_536


class NotOpened(Exception):
    """The handshake failed. Says the status or what was wrong, never an address."""


class Gone(Exception):
    """The peer closed, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    """One open WebSocket. ``url``: of the host, http(s); ``path``: of the route."""

    def __init__(self, url: str, path: str, headers: dict[str, str], timeout: float = 5.0) -> None:
        """Connect and shake hands (RFC 6455 section 4.1) within ``timeout`` seconds each. Raises ``NotOpened``."""
        parts = urlsplit(url)
        secure = parts.scheme in ("https", "wss")
        host, port = parts.hostname or "127.0.0.1", parts.port or (443 if secure else 80)
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise NotOpened(type(error).__name__) from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
            self._parser = FrameParser(masked=False, max_message=MAX_MESSAGE)
            self._waiting = self._shake_hands(f"{host}:{port}", path, headers)
        except (OSError, NotOpened) as error:
            self._socket.close()
            raise NotOpened(str(error) if isinstance(error, NotOpened) else type(error).__name__) from error

    def _shake_hands(self, host: str, path: str, headers: dict[str, str]) -> list[bytes]:
        key = b64encode(urandom(16)).decode()
        lines = {
            "Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13", **headers,
        }  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._socket.recv(READ)
            if not more or len(data) > MAX_HEAD:
                raise NotOpened("no answer to the handshake")
            data += more
        answer, _, rest = data.partition(b"\r\n\r\n")
        status, *fields = answer.split(b"\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            raise NotOpened(status[9:12].decode("ascii", "replace") + " to the handshake")
        accept = b64encode(sha1(key.encode() + GUID, usedforsecurity=False).digest())
        told = [value.strip() for name, _, value in (f.partition(b":") for f in fields)
                if name.lower() == b"sec-websocket-accept"]  # fmt: skip
        if told != [accept]:
            raise NotOpened("a wrong Sec-WebSocket-Accept")
        return self._texts(rest) if rest else []

    def send(self, text: bytes) -> None:
        """One text frame. Raises ``OSError`` where the peer is gone."""
        self._socket.settimeout(5.0)
        self._socket.sendall(masked_frame(TEXT, text))

    def receive(self, until: float) -> list[bytes]:
        """Texts that came, in order; empty where none did by ``until`` (``perf_counter``). Pings are answered.

        Raises ``Gone``, or ``OSError`` where the connection broke.
        """
        if self._waiting:
            texts, self._waiting = self._waiting, []
            return texts
        while (left := until - perf_counter()) > 0:
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(READ)
            except TimeoutError:
                return []
            if not data:
                raise Gone(1006)
            texts = self._texts(data)
            if texts:
                return texts
        return []

    def close(self) -> None:
        """Say goodbye and hang up; nothing is waited for."""
        try:
            self._socket.settimeout(1.0)
            self._socket.sendall(masked_frame(CLOSE, close_payload(NORMAL)))
        except OSError:
            pass  # it is gone already
        self._socket.close()

    def _texts(self, data: bytes) -> list[bytes]:
        texts: list[bytes] = []
        for event in self._parser.feed(data):
            if isinstance(event, SocketMessage):
                texts.append(event.payload)
            elif isinstance(event, ProtocolError):
                raise Gone(event.code)
            elif isinstance(event, ControlFrame) and event.opcode == PING:
                self._socket.sendall(masked_frame(PONG, event.payload))
            elif event.opcode == CLOSE:
                raise Gone(event.close_code)
        return texts
