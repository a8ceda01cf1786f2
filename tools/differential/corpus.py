# ruff: noqa: E501 -- tables of requests, read across
"""What is sent: every known way of writing a message that two readers could read differently, and mutations of them.

``GOOD`` is what a gate might judge, ``BAD`` what a platform might publish instead.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple

GOOD: Final = "hello"
BAD: Final = "BAD"
FIELD: Final = {"both": "content", "json": "content", "form": "content", "nested": "comment[body]"}
"""The kinds of judged routes whose texts are tried, and the name that the text has in a form there."""
KINDS: Final = (*FIELD, "cookie", "who", "number")
"""Those, and the ones whose sender (a cookie, a member of the body) or room (a number) is tried."""


class Sent(NamedTuple):
    """A request: which kind of route, its header lines but the length, its query and body. ``target``: where it is not
    the plain address of the route; ``HOST`` in it is the platform's. ``framing``: how the body is sent."""

    route: str
    lines: tuple[tuple[str, str], ...]
    query: str
    body: bytes
    target: str = ""
    method: str = "POST"
    framing: str = "length"

    @property
    def path(self) -> str:
        """Path and query, as they are sent."""
        target = self.target or f"/api/{self.route}/1/comments"
        return f"{target}?{self.query}" if self.query else target


JSON_TYPES: Final = (
    "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-16", "APPLICATION/JSON",
    "application/json, application/x-www-form-urlencoded", "text/json", "application/vnd.api+json", "application/json;",
    "application/merge-patch+json", "application/x-www-form-urlencoded; application/json", "text/plain", "",
)  # fmt: skip
FORM_TYPES: Final = (
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-Urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7", "application/x-www-form-urlencoded;charset=gbk", "text/plain", "",
    "application/x-www-form-urlencoded\t", "application/x-www-form-urlencoded, application/json",
)  # fmt: skip


def json_bodies(route: str) -> Iterator[bytes]:
    """Every known way of writing the text of ``route`` in JSON."""

    def text(one: str) -> str:
        return f'{{"body": {one}}}' if route == "nested" else one

    name = "comment" if route == "nested" else "content"
    good, bad = text(f'"{GOOD}"'), text(f'"{BAD}"')
    escaped = name.replace("o", "\\u006f", 1)
    names = (
        name, escaped, name.upper(), name.title(), f" {name}", f"{name} ", f"{name}\\u0000", f"{name}[]", f"[{name}]",
        f"{name}\\ud800", f"\\ufeff{name}", name.replace("t", "\\u0074"), f"{name}.", f"_{name}", f"data.{name}",
    )  # fmt: skip
    for other in names:
        yield f'{{"{name}": {good}, "{other}": {bad}}}'.encode("utf-8", "surrogatepass")
        yield f'{{"{other}": {bad}, "{name}": {good}}}'.encode("utf-8", "surrogatepass")
        yield f'{{"{other}": {bad}}}'.encode("utf-8", "surrogatepass")
    whole = f'{{"{name}": {good}}}'
    dirty = f'{{"{name}": {bad}}}'
    for one in (
        f"{whole}{dirty}", f"{whole}\n{dirty}", f"{whole}\x00{dirty}", f"[{whole}, {dirty}]", f"\ufeff{whole}", f"/**/{whole}",
        f'{{"{name}": {good}, /* "a": 1 */ "b": 2}}', f'{{"{name}": {good}, "{name}": {bad},}}', f"{{'{name}': {bad}}}",
        f'{{{name}: {bad}}}', f'{{"{name}": {good}}} // {dirty}', f'{{"{name}": [{good}, {bad}]}}', f'{{"a": NaN, "{name}": {good}}}',
        f'{{"a": 1e999, "{name}": {good}}}', f'{{"a": "\\x", "{name}": {bad}}}', f'{{"__proto__": {dirty}}}',
        f'{{"__proto__": {{"{name}": {bad}}}, "{name}": {good}}}', f'{{"constructor": {{"prototype": {dirty}}}}}',
        f'{{"{name}": {good}, "a": "&{name}={BAD}&b="}}', f'{{"a": "&{name}={BAD}&b=", "{name}": {good}}}',
        f'{{"{name}": null}}', f'{{"{name}": 5}}', f'{{"{name}": {{"$ne": "{BAD}"}}}}', f'{{"{name}": {text(chr(34) + "he" + chr(92) + "u0000llo" + chr(34))}}}',
        f'{{"{name}": {text(chr(34) + chr(92) + "ud800BAD" + chr(34))}}}', f'{{"{name}": {text(chr(34) + "a" + chr(92) + "/b" + chr(34))}}}',
        f'{{"{name}": {text(chr(34) + "tab" + chr(9) + chr(34))}}}', "[]", "null", '"BAD"', "5", "", " ", whole + " " * 40, "{" * 50,
    ):  # fmt: skip
        yield one.encode("utf-8", "surrogatepass")
    yield whole.encode("utf-16")
    yield whole.encode("utf-16-le")
    yield whole.encode("utf-32")
    yield f'{{"{name}": {text(chr(34) + "caf" + chr(34))}}}'.encode().replace(b"caf", b"caf\xe9")
    yield f'{{"{name}": {text(chr(34) + "x" + chr(34))}}}'.encode().replace(b"x", b"\xed\xa0\x80\xed\xb0\x80")
    yield f'{{"{name}": {text(chr(34) + "x" + chr(34))}}}'.encode().replace(b"x", b"\xc0\xafBAD")


def _names(name: str) -> tuple[str, ...]:
    head = name.partition("[")[0]
    return (
        name, f"{name}[]", f"[{name}]", f"{name}]", f"[{name}", f"{name}[0]", f"{name}[a]", f"{name}.a", f"{name}%00", f"{name}%00a",
        f"%20{name}", f"{name}%20", f"+{name}", f"{name}+", f"{name.title()}", name.upper(), f"%63{name[1:]}", f"%2563{name[1:]}",
        f"!{name}", f"?{name}", f"{name}:x", f"{name}.", f".{name}", f"_{name}", f"{name}%E2%80%8B", f"%EF%BB%BF{name}", f"{name}%09",
        f"{name}%0A", f"{name};", f"{head}.body", f"{head}[body]", f"{head}%5Bbody%5D", f"{head}[body][]", f"{head}[ body]",
        f"{head}[body", f"{head}]body[", f"{head}[][body]", f"{head}[0][body]", f"{head}__body", f"{head} [body]", "data[content]", f"{name}*",
        f"__proto__[{name}]", f"constructor[prototype][{name}]", "%ff" + name, f"{name}%ff", f"c\u0327{name}", f"ｃ{name[1:]}",
    )  # fmt: skip


def _form(name: str) -> Iterator[bytes]:
    for other in _names(name):
        for one in (
            f"{name}={GOOD}&{other}={BAD}", f"{other}={BAD}&{name}={GOOD}", f"{other}={BAD}", f"{name}={GOOD};{other}={BAD}",
            f"{name}={GOOD}&a=1;{other}={BAD}",
        ):  # fmt: skip
            yield one.encode()
    for one in (
        f"{name}={GOOD}", f"{name}=a%20b+c", f"{name}=%E4%BD%A0%E5%A5%BD", f"{name}=%C4%E3", f"{name}=%zz{BAD}", f"{name}=%u0042AD",
        f"{name}=%2542AD", f"{name}=he%00llo", f"{name}=a=b", f"{name}", f"={BAD}", f"&&{name}={GOOD}&&", f"?{name}={BAD}", f"{name}={GOOD}#&a={BAD}",
        f"{name}=a%0D%0Ab", f"{name}=%ED%A0%80", f"{name}=%F0%9F%98%80", f"{name}={GOOD}&_method=PUT", f"{name}={GOOD}&_charset_=utf-7",
        f"_charset_=gbk&{name}=%C4%E3", f"{name}={GOOD}&utf8=%E2%9C%93", f'{{"{name}": "{BAD}", "a": "&{name}={GOOD}&b="}}', f"{name}=%26{name}%3D{BAD}",
        f"{name}=<b>{GOOD}</b>", f"{name}=" + "a" * 300, "&".join(f"a{number}=1" for number in range(300)) + f"&{name}={BAD}",
        f"{name}={GOOD}\r\n{name}={BAD}", f"{name}={GOOD}\n&{name}={BAD}", f"{name}={GOOD}\x00&{name}={BAD}", f"{name} ={BAD}", f"\n{name}={BAD}",
    ):  # fmt: skip
        yield one.encode()


def _part(disposition: str, value: str, more: str = "") -> str:
    return f"--edge\r\n{disposition}\r\n{more}\r\n{value}\r\n"


def _multipart(name: str) -> Iterator[tuple[str, bytes]]:
    plain = "multipart/form-data; boundary=edge"
    good = _part(f'Content-Disposition: form-data; name="{name}"', GOOD)
    ends = ("--edge--\r\n", "--edge--", "", "--edge\r\n", "--edge--\r\ntrailing")
    dispositions = [f'Content-Disposition: form-data; name="{other}"' for other in _names(name)] + [
        f"Content-Disposition: form-data; name={name}", f"content-disposition:form-data;name={name}", f'Content-Disposition: form-data; NAME="{name}"',
        f'Content-Disposition: form-data; name="{name}"; name="x"', f'Content-Disposition: form-data; name="x"; name="{name}"',
        f"Content-Disposition: form-data; name='{name}'", f"Content-Disposition: form-data; name*=utf-8''{name}",
        f"Content-Disposition: form-data; name=\"x\"; name*=utf-8''{name}", 'Content-Disposition: form-data; name*0="con"; name*1="tent"',
        f'Content-Disposition: form-data; name="=?utf-8?Q?{name}?="', f'Content-Disposition: form-data; name="{name}"; filename=""',
        f'Content-Disposition: form-data; name="{name}"; filename="a.txt"', f'Content-Disposition: form-data; name="{name}"; filename',
        f"Content-Disposition: form-data; name=\"{name}\"; filename*=utf-8''a", f'Content-Disposition: attachment; name="{name}"',
        f'Content-Disposition: form-data; name="\\{name}"', f'Content-Disposition: form-data; name="{name}\\""', f'Content-Disposition: form-data; name="{name}',
        f'Content-Disposition: form-data; name="a;name={name}"', f'Content-Disposition: form-data; x="; name={name}; "; name=a',
        f'Content-Disposition: form-data;\r\n name="{name}"', f'Content-Disposition : form-data; name="{name}"', f'Content-Disposition: form-data; name = "{name}"',
        f'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="{name}"', f'X: y\r\nContent-Disposition: form-data; name="{name}"',
        f'Content-Disposition: form-data, name="{name}"', f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: text/html',
        f'Content-Disposition: form-data; name="{name}"\r\nContent-Transfer-Encoding: base64', f'Content-Disposition:\tform-data;\tname="{name}"\t',
        f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain; charset=utf-16', f'content-disposition: FORM-DATA; name="{name}"',
        f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: application/json', f"Content-Disposition: form-data; name=\"{name.replace('o', '%6f', 1)}\"",
    ]  # fmt: skip
    for disposition in dispositions:
        bad = _part(disposition, BAD)
        for one in (good + bad, bad + good, bad):
            yield plain, (one + ends[0]).encode()
    for end in ends[1:]:
        yield plain, (good + end).encode()
    for kind in (
        'multipart/form-data; boundary="edge"', "multipart/form-data; boundary=edge; charset=gbk", "multipart/form-data;boundary=edge;boundary=other",
        "multipart/form-data; boundary=other; boundary=edge", "multipart/form-data; boundary='edge'", "multipart/form-data; boundary*=utf-8''edge",
        "multipart/form-data; boundary= edge", "multipart/form-data, boundary=edge", "multipart/mixed; boundary=edge", "multipart/form-data; BOUNDARY=edge",
        "multipart/form-data; boundary=edge,other", "multipart/form-data; boundary=ed\\ge", 'multipart/form-data; boundary="ed\\ge"', "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; x=\"; boundary=other\"; boundary=edge", "multipart/related; boundary=edge",
    ):  # fmt: skip
        bad = f'--other\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{BAD}\r\n--other--\r\n'
        yield kind, (good + ends[0]).encode()
        yield kind, (good + ends[0] + bad).encode()
        yield kind, (bad + good + ends[0]).encode()
    for before in ("preamble\r\n", "\r\n", "--edge ", "--edgeX\r\n", " "):
        yield plain, (before + good + ends[0]).encode()
    bare = good.replace("\r\n", "\n")
    yield plain, (bare + "--edge--\n").encode()
    yield plain, (good + bare + ends[0]).encode()
    # A delimiter that only some see, in the text itself, and in a field that nobody judges.
    marks = ("--edge", "--edge ", "--edge\t", "--edge--", "-edge", "--edgeX", "--EDGE")
    for end, mark in product(("\n", "\r", "\r\n", "\n\n", "", " "), marks):
        hidden = f'{GOOD}{end}{mark}{end or chr(10)}Content-Disposition: form-data; name="{name}"{end * 2}{BAD}'
        yield plain, (_part(f'Content-Disposition: form-data; name="{name}"', hidden) + ends[0]).encode()
        for other in ('name="x"', 'name="x"; filename="a.txt"'):
            part = _part(f"Content-Disposition: form-data; {other}", hidden)
            yield plain, (good + part + ends[0]).encode()
            yield plain, (part + good + ends[0]).encode()


def lines_of(kind: str) -> tuple[tuple[str, str], ...]:
    """The header line of a Content-Type; none where it is empty."""
    return (("Content-Type", kind),) if kind else ()


MORE: Final = (
    ("Connection", "Content-Type"), ("Connection", "close, Content-Type"), ("Content-Type", "text/plain"), ("Content-Encoding", "identity"),
    ("Content-Encoding", "gzip"), ("X-HTTP-Method-Override", "PUT"), ("Content-Disposition", "form-data"), ("Accept-Charset", "utf-16"),
    ("Content-Transfer-Encoding", "base64"), ("Content_Type", "application/json"), ("X-Original-URL", "/nested/other"), ("Transfer-Encoding", "identity"),
)  # fmt: skip


def seeds() -> Iterator[Sent]:
    """All that is written down here."""
    for route, name in FIELD.items():
        for number, body in enumerate(json_bodies(route)):
            for kind in JSON_TYPES if number % 7 == 0 else JSON_TYPES[:2]:
                yield Sent(route, lines_of(kind), "", body)
        for number, body in enumerate(_form(name)):
            for kind in FORM_TYPES if number % 11 == 0 else FORM_TYPES[:1]:
                yield Sent(route, lines_of(kind), "", body)
        for kind, body in _multipart(name):
            yield Sent(route, lines_of(kind), "", body)
        document = b'{"comment": {"body": "hello"}}' if route == "nested" else b'{"content": "hello"}'
        form = f"{name}={GOOD}".encode()
        for other in _names(name):
            yield Sent(route, lines_of(JSON_TYPES[0]), f"{other}={BAD}", document)
            yield Sent(route, lines_of(FORM_TYPES[0]), f"{other}={BAD}", form)
        for more, (kind, body) in product(MORE, ((JSON_TYPES[0], document), (FORM_TYPES[0], form))):
            yield Sent(route, (*lines_of(kind), more), "", body)
            yield Sent(route, (more, *lines_of(kind)), "", body)


PIECES: Final = (
    b"&", b"=", b"[", b"]", b"%00", b"%20", b"\x00", b'"', b"\\", b"{", b"}", b",", b":", b"\r\n", b"\n", b"--edge", b"; name=content",
    b"content", b"BAD", b"hello", b"+", b";", b"%5B", b"\xef\xbb\xbf", b"\xc2\xa0", b"\t", b".", b"[]", b"\\u0000", b"null", b"'",
)  # fmt: skip


def mutated(count: int, seed: int, known: Sequence[Sent]) -> Iterator[Sent]:
    """``count`` requests of ``known`` with one to three changes each: pieces put in, taken out, doubled, of other
    requests; where an address or a header is what is odd, there as well."""
    chosen = random.Random(seed)
    for _ in range(count):
        sent = chosen.choice(known)
        where = chosen.randrange(3)
        if where == 0 and sent.target:
            yield sent._replace(target=_line(chosen, sent.target, [one.target for one in known[-200:]]))
        elif where == 1 and sent.lines:
            at = chosen.randrange(len(sent.lines))
            name, value = sent.lines[at]
            line = name, _line(chosen, value, [one.lines[-1][1] for one in known[-200:] if one.lines])
            yield sent._replace(lines=(*sent.lines[:at], line, *sent.lines[at + 1 :]))
        else:
            yield sent._replace(body=_changed(chosen, sent.body, [one.body for one in known])[:4000])


def _line(chosen: random.Random, text: str, others: Sequence[str]) -> str:
    """``text`` changed, without ends of lines: what those do is another matter."""
    changed = _changed(chosen, text.encode(), [other.encode() for other in others])
    return changed[:2000].decode(errors="replace").translate(dict.fromkeys(map(ord, "\r\n\0 ")))


def _changed(chosen: random.Random, what: bytes, others: Sequence[bytes]) -> bytes:
    body = bytearray(what)
    for _ in range(chosen.randint(1, 3)):
        place = chosen.randint(0, len(body))
        match chosen.randrange(5):
            case 0 | 1:
                body[place:place] = chosen.choice(PIECES)
            case 2:
                del body[place : place + chosen.randint(1, 6)]
            case 3:
                end = min(len(body), place + chosen.randint(1, 20))
                body[place:place] = body[place:end]
            case _:
                body[place:place] = chosen.choice(others)[:60]
    return bytes(body)
