"""Reading a request's head, strictly, beside the standard library's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from http.client import parse_headers

from benchmarks.micro.case import Case
from gateway.http.wire.head import parse_request
from rig.comments import Comments

BROWSER = (
    b"POST /api/articles/17/comments HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n"
    b"Content-Length: 120\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n"
    b"Accept: application/json\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: zh-CN,zh;q=0.9\r\n"
    b"Content-Type: application/json\r\nOrigin: https://www.example.com\r\nReferer: https://www.example.com/a/17\r\n"
    b"Cookie: sid=4f1d2c; theme=dark"
)


def cases() -> Iterator[Case]:
    ours = Comments(1).next().partition(b"\r\n\r\n")[0]
    for name, head in (("the load's request", ours), ("a browser's", BROWSER)):

        def strict(head: bytes = head) -> object:
            return parse_request(head)

        def plain(head: bytes = head) -> object:
            line, _, fields = head.partition(b"\r\n")
            return line.split(b" "), parse_headers(io.BytesIO(fields + b"\r\n\r\n"))

        yield Case("head", name, strict, "http.client", plain)
