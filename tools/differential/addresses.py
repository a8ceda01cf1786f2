# ruff: noqa: E501 -- tables of requests, read across
"""What is sent besides texts: addresses, methods, senders, rooms and framing that two readers could read differently."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Final

from tools.differential.corpus import BAD, FORM_TYPES, GOOD, JSON_TYPES, Sent, lines_of

JSON: Final = lines_of(JSON_TYPES[0])
FORM: Final = lines_of(FORM_TYPES[0])
DOCUMENT: Final = f'{{"content": "{GOOD}"}}'.encode()
METHODS: Final = ("PUT", "PATCH", "DELETE")

PATHS: Final = (
    "/api/json/1/comments", "/api/json/1/comments/", "//api/json/1/comments", "/api//json/1/comments", "/api/json//1/comments", "/api/json/1//comments",
    "/api/json/1/./comments", "/./api/json/1/comments", "/x/../api/json/1/comments", "/api/json/2/../1/comments", "/api/json/1/x/../comments",
    "/api/json/1/comments/.", "/api/json/1/comments/x/..", "/api/json/1/comments;a=b", "/api/json;a/1/comments", "/api;/json/1/comments",
    "/api/json/1;x/comments", "/;/api/json/1/comments", "/api/json/1/comments;", "/api/..;/api/json/1/comments", "/x/..;/api/json/1/comments",
    "/api/json/1/comments%20", "/api/json/1/comments%09", "/api/json/1/comments%00", "/api/json/1/comments%0a", "/api/json/1/comments%0d%0a",
    "/api/json/1/comments%2f", "/api/json/1/comments%2F", "/api/json/1%2fcomments", "/api%2fjson%2f1%2fcomments", "/api/json%2F1/comments",
    "/api/json/1%252fcomments", "/%61pi/json/1/comments", "/api/json/1/%63omments", "/api/json/1/%2563omments", "/api/json/1/c%6fmments",
    "/API/json/1/comments", "/api/json/1/Comments", "/api/json/1/COMMENTS", "/api/json/1/comments.json", "/api/json/1/comments.xml", "/api/json/1/comments.",
    "/api/json/1/comments..", "/api/json/1/comments~", "/api/json/1/comments:", "/api/json/1/comments::$DATA", "/api/json/1/comments*", "/api/json/1/comments!",
    "/api/json/1/comments,", "/api/json/1/comments'", "/api/json/1/comments(", "/api/json/1/comments+", "/api/json/1/comments%3f", "/api/json/1/comments%3fa=b",
    "/api/json/1/comments%23", "/api/json/1/comments?", "/api/json/1/comments?a", "/api/json/1/comments?&", "/api/json/1/comments??a=b", "/api/json/1/comments?/x",
    "\\api\\json\\1\\comments", "/api\\json/1/comments", "/api/json/1\\comments", "/api/json/1%5ccomments", "/api/json/1/comments%5c", "/api/json/%2e%2e/json/1/comments",
    "/api/json/1/%2e/comments", "/api/json/1/%2e%2e/1/comments", "/%2e/api/json/1/comments", "/api/%2e%2e/api/json/1/comments", "/api/json/..%2f1/comments",
    "/api/json/1/comments%e2%80%8b", "/api/json/1/comments%ef%bb%bf", "/api/json/1/comments%c2%a0", "/api/json/1/%ef%bd%83omments", "/api/json/1/comments%ff",
    "/api/json/1/%c0%afcomments", "/api/json/1%c0%afcomments", "/api/json/1/comments%u0020", "/api/json/1/comments%", "/api/json/1/comments%2", "/api/json/1/comments%zz",
    "/index.php/api/json/1/comments", "/index.php?s=/api/json/1/comments", "/index.php?r=api/json/1/comments", "/?/api/json/1/comments", "/app.php/api/json/1/comments",
    "/api/index.php/json/1/comments", "/public/index.php/api/json/1/comments", "/(S(abc))/api/json/1/comments", "/api/json/1/(X)/comments", "/api/json/1/comments/extra",
    "http://HOST/api/json/1/comments", "http://HOST:80/api/json/1/comments", "HTTP://HOST/api/json/1/comments", "http://HOST//api/json/1/comments", "//HOST/api/json/1/comments",
    "http://other.example/api/json/1/comments", "http://HOST@other.example/api/json/1/comments", "http://HOST/api/json/1/comments#x", "/api/json/1/comments#x",
    "/api/json/1/comments\t", "/api/json/ 1/comments", "api/json/1/comments", "*", "/api/json/1/comment%73", "/api/json/1/comment%C5%BF", "/api/j%73on/1/comments",
)  # fmt: skip

ROOMS: Final = (
    "1", "01", "+1", "-1", "1.0", "1.", "1e0", "0x1", "1_0", "1-foo", "1%20", "%201", "1%00", "1%0a", "1%09", "1;a", "1,", "1'", "%31", "%2531", "1.json", "1.html", "١", "１",
    "%D9%A1", "%EF%BC%91", "1%2f2", "1%5c2", "1%3f", "1%23", "1%26", "1%3d", "1+2", "1%2b2", "1%252b2", "1:2", "1@2", "1~", "1!", "1*", "1(2)", "%C3%A9", "e%CC%81",
    "%FF", "%C0%B1", "%E2%80%8B1", "1%E2%80%8B", "%EF%BB%BF1", "9223372036854775807", "9223372036854775808", "00", "0", "null", "undefined", "NaN", "__proto__", "constructor",
    "..", ".", "...", "%2e", "%2e%2e", "a" * 300, "%F0%9F%98%80", "%ED%A0%80", "A", "a%0d%0ab", "%7f", "%80", "a%22b", "a%27b", "a%3cb", "{room}", "%7Broom%7D", "$1", "1%25", "%25",
)  # fmt: skip

COOKIES: Final = (
    "user=alice", "user=alice; user=bob", "user=alice; USER=bob", "user=alice, user=bob", "user=alice;user=bob", "user=alice;; user=bob", 'user="alice"', 'user="alice; user=bob"',
    'a="x; user=bob; b="; user=alice', "user=al%69ce", "user=alice%3B%20user=bob", "user=%22alice%22", "user=alice\\", "user=a\\154ice", "=user=bob; user=alice", "user; user=alice",
    "user==alice", "user=alice=bob", "user =alice", " user=alice", "user= alice", "user=alice ", "user=alice\t; user=bob", "a=b; user=alice; $Path=/", '$Version="1"; user=alice; $Path="/"',
    "user[]=alice", "user[0]=alice; user=bob", "us%65r=bob; user=alice", "us%65r=bob", "user%00=bob; user=alice", "__Host-user=bob; user=alice", "user.=bob; user=alice", "user=alice&user=bob",
    "user=alice; user", "user=; user=alice", "user=alice; user=", "user=a,b", "user=\xe9", "user=\u7528", "user=a b", "user=a:b", "user=j:{\"a\":1}", "a=b user=bob; user=alice", "a=b\tuser=bob; user=alice",
    "a=b,user=bob; user=alice", "user=alice;" + "a=b;" * 120 + "user=bob", "\u200buser=bob; user=alice", "user\u00a0=bob; user=alice", "user+=bob; user=alice", "user_=bob; user=alice", "User=bob",
)  # fmt: skip

WHO: Final = (
    '{"user": "alice", "content": "hello"}', '{"user": 5, "content": "hello"}', '{"user": 5.0, "content": "hello"}', '{"user": -0, "content": "hello"}', '{"user": 1e2, "content": "hello"}',
    '{"user": 9007199254740993, "content": "hello"}', '{"user": 18446744073709551615, "content": "hello"}', '{"user": 18446744073709551616, "content": "hello"}', '{"user": true, "content": "hello"}',
    '{"user": null, "content": "hello"}', '{"user": ["alice"], "content": "hello"}', '{"user": {"id": 1}, "content": "hello"}', '{"user": "", "content": "hello"}', '{"user": " alice", "content": "hello"}',
    '{"user": "alice\\u0000", "content": "hello"}', '{"user": "al\\u0069ce", "content": "hello"}', '{"user": "alice", "user": "bob", "content": "hello"}', '{"user": "alice", "User": "bob", "content": "hello"}',
    '{"user": "alice", "content": "hello", "user ": "bob"}', '{"content": "hello"}', '{"user": "alice\\ud800", "content": "hello"}', '{"user": 0123, "content": "hello"}', '{"user": "\\ufeffalice", "content": "hello"}',
    '{"user": 12345678901234567, "content": "hello"}', '{"user": -5, "content": "hello"}', '{"__proto__": {"user": "bob"}, "content": "hello"}', '{"user": "alice", "content": ["hello", ["BAD"]]}',
)  # fmt: skip
WHO_FORM: Final = (
    "user=alice&content=hello", "user=alice&user=bob&content=hello", "user=alice&user[]=bob&content=hello", "user=alice&content=hello&user%00=bob", "user=al+ice&content=hello", "user=al%2Bice&content=hello",
    "user=al%20ice&content=hello", "user[id]=5&content=hello", "content=hello", "user=&content=hello", "USER=bob&user=alice&content=hello", "user=alice;user=bob&content=hello", "user=5&content=a+b%2Bc",
)  # fmt: skip


def addresses() -> Iterator[Sent]:
    """Spellings of one address, by every method; rooms; and addresses that headers name."""
    for path in PATHS:
        yield Sent("json", JSON, "", DOCUMENT, target=path)
        yield Sent("json", JSON, "", DOCUMENT, target=path, method="PUT")
    for kind, room in product(("json", "number"), ROOMS):
        yield Sent(kind, JSON, "", DOCUMENT, target=f"/api/{kind}/{room}/comments")
    for method in (*METHODS, "post", "Post", "POST ", "OPTIONS", "PROPFIND", "REPORT", "LINK", "QUERY", "POSTX"):
        yield Sent("json", JSON, "", DOCUMENT, method=method)
    for field, value in product(
        (
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-Forwarded-Path",
            "X-Original-URI",
            "X-Forwarded-Prefix",
            "X_Original_URL",
        ),
        (
            "/api/json/1/comments",
            "/api/both/1/comments?content=BAD",
            "api/json/1/comments",
            "http://HOST/api/json/1/comments",
        ),
    ):
        yield Sent("json", (*JSON, (field, value)), "", DOCUMENT, target="/other")
        yield Sent("json", (*JSON, (field, value.replace("/1/", "/2/"))), "", DOCUMENT)


def methods() -> Iterator[Sent]:
    """Other methods, named wherever a framework looks for one: on a judged address, and on one of them that is not."""
    spelled = (
        "put",
        "PUT",
        "Patch",
        " DELETE",
        "DELETE ",
        "PUT,POST",
        '"PUT"',
        "P%55T",
        "POST",
        "",
        "GET",
        "BOGUS",
        "DEL\u0000ETE",
    )
    names = (
        "_method",
        "_METHOD",
        "_method[]",
        "[_method]",
        "_method ",
        " _method",
        "%5Fmethod",
        "%255Fmethod",
        ".method",
        "_method%00",
        "_method[a]",
        "_meth%6Fd",
        "__method",
        "method",
        "\uff3fmethod",
    )
    fields = (
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X_HTTP_Method_Override",
        "x-http-method-override",
        "X-Http-Method.Override",
        "X-METHOD-OVERRIDE",
    )
    targets = ("/api/json/1/comments", "/edits/1")
    for target, method in product(targets, spelled):
        for field in fields:
            yield Sent("json", (*JSON, (field, method)), "", DOCUMENT, target=target)
        yield Sent("json", JSON, "", f'{{"content": "{BAD}", "_method": "{method}"}}'.encode(), target=target)
    for target, name, method in product(targets, names, spelled[:4]):
        yield Sent("json", JSON, "", DOCUMENT, target=f"{target}?{name}={method}")
        yield Sent("json", JSON, "", f'{{"content": "{BAD}", "{name}": "{method}"}}'.encode(), target=target)
        form_target = target.replace("json", "form")
        yield Sent("form", FORM, "", f"content={BAD}&{name}={method}".encode(), target=form_target)
        part = f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{method}\r\n'
        text = f'--edge\r\nContent-Disposition: form-data; name="content"\r\n\r\n{BAD}\r\n--edge--\r\n'
        yield Sent(
            "form", lines_of("multipart/form-data; boundary=edge"), "", (part + text).encode(), target=form_target
        )


def senders() -> Iterator[Sent]:
    """Cookies, and members of bodies, that say who sends."""
    for one in COOKIES:
        yield Sent("cookie", (*JSON, ("Cookie", one)), "", DOCUMENT)
        yield Sent("cookie", (*JSON, ("Cookie", "user=alice"), ("Cookie", one)), "", DOCUMENT)
    yield Sent("cookie", (*JSON, ("Cookie2", "user=bob"), ("Cookie", "user=alice")), "", DOCUMENT)
    for one in WHO:
        yield Sent("who", JSON, "", one.encode())
        yield Sent("who", FORM, "", one.encode())
    for one in WHO_FORM:
        yield Sent("who", FORM, "", one.encode())
        yield Sent("who", JSON, "", one.encode())
    for query in (
        "user=bob",
        "user[]=bob",
        "us%65r=bob",
        "a=1%26user=bob",
        "a=1%26user%3Dbob",
        "a;user=bob",
        "User=bob",
        "user%00=bob",
    ):
        yield Sent("who", JSON, query, WHO[0].encode())
        yield Sent("who", FORM, query, WHO_FORM[0].encode())


def framing() -> Iterator[Sent]:
    """Where a body ends, how it is coded, and in which characters."""
    form = b"content=hello"
    for route, lines, body in (("json", JSON, DOCUMENT), ("form", FORM, form)):
        for how in (
            "chunked",
            "small chunks",
            "extensions",
            "trailers",
            "upper",
            "leading zeros",
            "bare line feeds",
            "two last chunks",
            "no last chunk",
            "short",
            "long",
            "both",
            "twice",
            "signed",
            "lists",
        ):
            yield Sent(route, lines, "", body, framing=how)
        for coding, packed in (
            ("gzip", gzip.compress(body)), ("deflate", zlib.compress(body)), ("deflate", zlib.compress(body)[2:-4]), ("gzip", gzip.compress(body) + gzip.compress(body.replace(b"hello", b"BAD"))),
            ("gzip, gzip", gzip.compress(gzip.compress(body))), ("x-gzip", gzip.compress(body)), ("GZIP", gzip.compress(body)), ("identity", body), ("", body), ("gzip;q=1", gzip.compress(body)),
            ("gzip", body), ("br", body), ("utf-8", body), ("gzip", gzip.compress(body)[:-4]), ("gzip", gzip.compress(body) + b"BAD"), ("compress", body), ("zstd", body), ("aws-chunked", body),
        ):  # fmt: skip
            yield Sent(route, (*lines, ("Content-Encoding", coding)), "", packed)
    for charset, text in product(
        (
            "utf-8",
            "UTF-8",
            "utf8",
            '"utf-8"',
            "utf-16",
            "utf-16le",
            "utf-16be",
            "utf-32",
            "utf-7",
            "iso-8859-1",
            "gbk",
            "us-ascii",
            "ibm037",
            "unknown",
            "utf-8; charset=utf-16",
            "",
        ),
        ("hello", "caf\u00e9", "\u4f60\u597d"),
    ):
        document = f'{{"content": "{text}"}}'
        python = (
            charset.strip('"')
            if charset.strip('"')
            in ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-7", "iso-8859-1", "gbk", "ibm037")
            else "utf-8"
        )
        for kind in ("application/json", "application/json ", "application/vnd.api+json"):
            yield Sent("json", lines_of(f"{kind}; charset={charset}"), "", document.encode(python, "replace"))
            yield Sent("json", lines_of(f"{kind}; charset={charset}"), "", b"\xef\xbb\xbf" + document.encode())
        yield Sent(
            "form",
            lines_of(f"application/x-www-form-urlencoded; charset={charset}"),
            "",
            f"content={text}".encode(python, "replace"),
        )
        yield Sent(
            "form",
            lines_of(f"multipart/form-data; boundary=edge; charset={charset}"),
            "",
            b'--edge\r\nContent-Disposition: form-data; name="content"\r\n\r\n'
            + text.encode(python, "replace")
            + b"\r\n--edge--\r\n",
        )
    for mark in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-7"):
        yield Sent("json", JSON, "", DOCUMENT.decode().encode(mark))
    for boundary, used in (
        ('"a b"', "a b"), ("a b", "a b"), ('"a;b"', "a;b"), ('"a,b"', "a,b"), ("a'b", "a'b"), ('"a\\"b"', 'a"b'), ("a=b", "a=b"), ('"a=b"', "a=b"), ("a/b", "a/b"), ('"a:b?"', "a:b?"), ("-", "-"), ('""', ""),
        ('"edge "', "edge "), ('" edge"', " edge"), ("e" * 70, "e" * 70), ("e" * 71, "e" * 71), ("e" * 300, "e" * 300), ("%65dge", "edge"), ("%65dge", "%65dge"), ("edge;", "edge"), ("edge; x", "edge"), ("=?utf-8?q?edge?=", "edge"),
    ):  # fmt: skip
        part = f'--{used}\r\nContent-Disposition: form-data; name="content"\r\n\r\n'
        yield Sent(
            "form",
            lines_of(f"multipart/form-data; boundary={boundary}"),
            "",
            f"{part}{GOOD}\r\n--{used}--\r\n".encode(),
        )
        yield Sent(
            "form",
            lines_of(f"multipart/form-data; boundary={boundary}"),
            "",
            f"{part}{GOOD}\r\n{part}{BAD}\r\n--{used}--\r\n".encode(),
        )


def besides() -> Iterator[Sent]:
    """All of them."""
    for some in (addresses, methods, senders, framing):
        yield from some()
