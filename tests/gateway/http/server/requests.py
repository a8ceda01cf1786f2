"""Requests as a client writes them, answers of an upstream, and what was refused for which reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from gateway.http.wire.head import parse_response

HOST = b"Host: h.example\r\n"
OK = parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: 2")
STREAMED = parse_response(b"HTTP/1.1 200 OK")


def post(body: bytes, path: bytes = b"/j/a", lines: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path, HOST, lines, len(body), body)


def get(path: bytes = b"/a", lines: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path, HOST, lines)


def chunked(*chunks: bytes, path: bytes = b"/j/a", lines: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks)
    return b"POST %b HTTP/1.1\r\n%b%bTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (path, HOST, lines, body)


def reason(written: bytes) -> str:
    return str(orjson.loads(written.rpartition(b"\r\n\r\n")[2])["reason"])


def settings(bench: Any, **changes: Any) -> None:
    bench.server.configure(replace(bench.server.settings, **changes))
