"""A route's ``refusal``: answers and notices in the shape that the platform's own clients know.

A route has several, each with its conditions; the first that fits answers, and where none does we answer as ourselves:
a problem (RFC 9457), or a notice (docs/websocket.md). What a shape is made of stands in its texts in braces: members of
the problem, and values of the request or frame that is answered (``{json:/id}``), so that a client finds its question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from filters.model.meaning import CHINESE, ENGLISH
from gateway.http.server.problem import DELAYED, Problem
from gateway.http.server.sentences import TAGS

REFUSALS: Final = ("reject", "hold", "mute", "close")
"""What a shape tells unless it says otherwise. A mask refuses nothing, nor does a delay, or the end of a mute."""

MEMBERS: Final = (
    "title", "detail", "status", "reason", "id", "ground", "category", "appeal", "code",
    "retry_after", "retry_after_ms", "status_url",
)  # fmt: skip
ECHOED: Final = ("json", "form", "query", "header", "path")
"""Kinds of sources (docs/configuration.md) whose values an answer may repeat."""

MAX_ECHO: Final = 1024
"""Bytes of a repeated value as JSON; a longer one is none: nobody names a request by so much."""

Values = Callable[[str], Any]
"""From a source (``json:/id``) to its value in what is answered; None where it has none."""

PLACEHOLDER: Final = re.compile(rf"\{{({'|'.join(MEMBERS)}|(?:{'|'.join(ECHOED)}):[^{{}}]+)\}}")
ECHOES: Final = re.compile(rf"\{{(?:{'|'.join(ECHOED)}):[^{{}}]+\}}")
_SENTENCES: Final = frozenset(("title", "detail", "ground", "category"))
_NUMBERS: Final = frozenset(("status", "retry_after", "retry_after_ms"))
_SNIFFING: Final = "x-content-type-options"

_IN_QUOTES: Final = {ord(one): f"\\u{ord(one):04x}" for one in "<>&'`\u2028\u2029"}

_PAGE: Final = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font: 100%/1.6 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 10vh auto; max-width: 38rem; \
padding: 0 1rem }}
h1 {{ font-size: 1.4rem }} a {{ color: #0a4f9e }} small {{ color: #555; overflow-wrap: anywhere }}
@media (prefers-color-scheme: dark) {{ body {{ color: #eee; background: #161616 }} a {{ color: #8ec1ff }} \
small {{ color: #aaa }} }}
</style></head><body><main><h1>{title}</h1>{more}<p><small>{code}</small></p></main></body></html>
"""
_PAGE_LINES: Final = b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
_PAGE_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    CHINESE: ("处置依据:", "申诉", "请返回上一页修改后重试。"),
    ENGLISH: ("Ground: ", "Appeal", "Go back to change what you wrote."),
}


class ShapedAnswer(NamedTuple):
    """What goes on the wire of HTTP. ``lines``: header lines, each with its end."""

    status: int
    lines: bytes
    body: bytes
    content_type: bytes


class _Text:
    """A text with placeholders. ``pieces``: literals, and at each odd place the name of what goes between them."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)

    def filled(self, problem: Problem, values: Values | None, written: Callable[[str], str] | None = None) -> str:
        pieces = list(self.pieces)
        for at in range(1, len(pieces), 2):
            value = _value(pieces[at], problem, values)
            if type(value) is bool:
                text = "true" if value else "false"
            else:
                text = str(value) if isinstance(value, str | int | float) else ""
            pieces[at] = text if written is None else written(text)
        return "".join(pieces)

    def alone(self, problem: Problem, values: Values | None) -> Any:
        """As a value of JSON: a placeholder that stands alone keeps its type."""
        pieces = self.pieces
        if len(pieces) == 3 and not pieces[0] and not pieces[2] and (":" in pieces[1] or pieces[1] in _NUMBERS):
            return _value(pieces[1], problem, values)
        return self.filled(problem, values)


class AnswerShape:
    """One shape, and what it answers.

    ``body``: a table or a list, sent as JSON, or a text of ``media_type``; in HTML values are escaped. Or ``page``: a
    page of ours in the reader's language. Or ``redirect``: another address (303, or ``status``), for what is no failure
    of ours: those keep their status in any shape, because balancers and monitors act on it. Or ``silent``: nothing is
    said. ``status`` 0 keeps the problem's own. ``headers``: more of them. ``verdicts`` and ``reasons`` (a code, or what
    stands before a dot in it; empty: all) say what it answers, ``accepts`` whom: ``text/html`` for who prefers pages.
    ``listed``: it is a body of JSON, of which a list can be made.
    """

    __slots__ = (
        "_content", "_lines", "_media_type", "_redirect", "_speaks", "accepts", "echoes", "listed", "page", "reasons",
        "silent", "status", "verdicts",
    )  # fmt: skip

    def __init__(
        self, status: int = 0, body: Mapping[str, Any] | Sequence[Any] | str = "",
        headers: Mapping[str, str] | None = None, *, verdicts: Sequence[str] = REFUSALS, reasons: Sequence[str] = (),
        accepts: str = "", media_type: str = "", page: bool = False, redirect: str = "", silent: bool = False,
    ) -> None:  # fmt: skip
        self.status = status
        self.verdicts = frozenset(verdicts)
        self.reasons = tuple(reasons)
        self.accepts = accepts
        self.page = page
        self.silent = silent
        self._redirect = _Text(PLACEHOLDER.split(redirect)) if redirect else None
        self._content = _compiled(body)
        self.listed = not (isinstance(body, str) or page or redirect or silent)
        if isinstance(body, str):
            self._media_type = media_type or "text/plain; charset=utf-8"
        else:
            self._media_type = media_type or "application/json"
        self._lines = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in (headers or {}).items())
        names = list(_names(self._content)) + list(self._redirect.pieces[1::2] if self._redirect else ())
        self.echoes = any(":" in name for name in names)
        said = any(name.lower() == "content-language" for name in headers or ())
        if self.echoes and self._redirect is None and not any(name.lower() == _SNIFFING for name in headers or ()):
            self._lines += b"X-Content-Type-Options: nosniff\r\n"
        self._speaks = page or (not said and not _SENTENCES.isdisjoint(names))

    def fits(self, verdict: str, problem: Problem, accept: bytes | None) -> bool:
        """Whether it answers this. ``accept``: the field of that name (RFC 9110, section 12.5.1)."""
        if verdict not in self.verdicts or (self._redirect is not None and problem.status >= 500):
            return False
        if self.accepts and not prefers_pages(accept):
            return False
        return not self.reasons or any(is_of(problem.reason, group) for group in self.reasons)

    def text(self, problem: Problem, values: Values | None) -> bytes:
        """The body, or the text of a notice."""
        content = self._content
        if type(content) is _Text:
            return content.filled(problem, values, _writing(self._media_type)).encode("utf-8", "replace")
        if type(content) is str:
            return content.encode()
        try:
            return orjson.dumps(_filled(content, problem, values))
        except TypeError:  # a value that is written by itself is too deep within others
            return orjson.dumps(_filled(content, problem, None))

    def answer(self, problem: Problem, spoken: bytes, values: Values | None) -> ShapedAnswer:
        """The answer to one request. ``spoken``: the header lines that say which language the problem is in."""
        lines = (spoken if self._speaks else b"") + self._lines
        if self._redirect is not None:
            place = self._redirect.filled(problem, values, _quoted)
            if place.startswith("//"):  # where a value is empty: what comes next would be a host
                place = "/" + place.lstrip("/")
            return ShapedAnswer(self.status or 303, b"%bLocation: %b\r\n" % (lines, place.encode()), b"", b"")
        status = problem.status if problem.status >= 500 else self.status or problem.status
        if self.page:
            return ShapedAnswer(status, lines + _PAGE_LINES, _page(problem, spoken), b"text/html; charset=utf-8")
        return ShapedAnswer(status, lines, self.text(problem, values), self._media_type.encode())


class AnswerShapes:
    """Those of a route, in order. ``values``: what is answered, where a request's own are at hand (``bound``).
    ``vary``: the header line of whatever is answered, where it hangs on what a client accepts (RFC 9110, 12.5.5).
    """

    __slots__ = ("_shapes", "echoes", "values", "vary")

    def __init__(self, *shapes: AnswerShape, values: Values | None = None) -> None:
        self._shapes = shapes
        self.vary = b"Vary: Accept\r\n" if any(shape.accepts for shape in shapes) else b""
        self.echoes = any(shape.echoes for shape in shapes)
        self.values = values

    def bound(self, values: Values) -> AnswerShapes:
        """The same for one request."""
        return AnswerShapes(*self._shapes, values=values)

    def of(self, verdict: str, problem: Problem, accept: bytes | None = None) -> AnswerShape | None:
        """The first that fits; None for our own."""
        for shape in self._shapes:
            if shape.fits(verdict, problem, accept):
                return shape
        return None

    def answer(self, problem: Problem, accept: bytes | None, spoken: bytes) -> ShapedAnswer | None:
        """What is answered to one request; None for a problem of our own."""
        shape = self.of(_verdict(problem), problem, accept)
        if shape is None:
            return None
        return shape.answer(problem, spoken, self.values)

    def answer_each(
        self, told: ShapedAnswer, problem: Problem, each: Sequence[tuple[Problem, Values | None]], accept: bytes | None,
        worded: Callable[[Problem], tuple[Problem, bytes]],
    ) -> ShapedAnswer:  # fmt: skip
        """``told``, the answer to ``problem``, as a list of one for each of several, where it is JSON. ``worded`` puts
        them into the language of the reader."""
        leading = self.of(_verdict(problem), problem, accept)
        if leading is None or not leading.listed:
            return told
        bodies = []
        for one, values in each:
            spoken = worded(one)[0]
            own = self.of("reject", spoken, accept)
            bodies.append((own if own is not None and own.listed else leading).text(spoken, values))
        return told._replace(body=b"[%b]" % b",".join(bodies))


def _verdict(problem: Problem) -> str:
    """What is answered to a request: a refusal, or the news (202) that a message waits."""
    if problem.status >= 300:
        return "reject"
    return "delay" if problem.reason == DELAYED else "hold"


def is_of(reason: str, group: str) -> bool:
    """Whether a reason code is ``group``, or one of its codes: ``limit.sender`` is of ``limit``."""
    return reason == group or reason.startswith(group + ".")


def prefers_pages(accept: bytes | None) -> bool:
    """Whether an Accept field names HTML, and JSON not at all or less: a browser's form, and no script's request."""
    if not accept:
        return False
    html = json = 0.0
    for part in accept[:MAX_ECHO].lower().split(b","):
        name, *parameters = [piece.strip() for piece in part.split(b";")]
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith(b"q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if name in (b"text/html", b"application/xhtml+xml"):
            html = max(html, quality)
        elif name.endswith(b"json"):
            json = max(json, quality)
    return html > json


def _value(name: str, problem: Problem, values: Values | None) -> Any:
    if ":" in name:
        value = None if values is None else values(name)
        return value if _short(value) else None
    if name == "id":
        return problem.message_id
    if name == "code":
        return problem.appeal_code
    if name == "appeal":
        return problem.appeal.replace("{id}", problem.message_id)
    if name == "retry_after":
        return math.ceil(problem.retry_after)
    if name == "retry_after_ms":
        return math.ceil(problem.retry_after * 1000)
    return getattr(problem, name)


def _short(value: Any) -> bool:
    try:
        return len(orjson.dumps(value)) <= MAX_ECHO
    except (TypeError, ValueError):  # a lone surrogate, a number that is too long
        return False


def _compiled(body: Any) -> Any:
    if isinstance(body, str):
        pieces = PLACEHOLDER.split(body)
        return body if len(pieces) == 1 else _Text(pieces)
    if isinstance(body, Mapping):
        return {key if (name := _compiled(key)) == key else name: _compiled(value) for key, value in body.items()}
    if isinstance(body, Sequence):
        return [_compiled(value) for value in body]
    return body


def _filled(node: Any, problem: Problem, values: Values | None) -> Any:
    kind = type(node)
    if kind is _Text:
        return node.alone(problem, values)
    if kind is dict:
        return {
            key.filled(problem, values) if type(key) is _Text else key: _filled(value, problem, values)
            for key, value in node.items()
        }
    if kind is list:
        return [_filled(value, problem, values) for value in node]
    return node


def _names(node: Any) -> Sequence[str]:
    """The placeholders in it."""
    if type(node) is _Text:
        return node.pieces[1::2]
    inner = [*node, *node.values()] if type(node) is dict else node if type(node) is list else ()
    return [name for one in inner for name in _names(one)]


def _writing(media_type: str) -> Callable[[str], str] | None:
    """How a value is written within a text of this type, so that it stays a value."""
    name = media_type.partition(";")[0].strip().lower()
    if name.endswith(("html", "xml")):
        return escape
    if name.endswith(("json", "script")):
        return _within_quotes
    return None


def _within_quotes(text: str) -> str:
    """Within a string of JSON or of a script, also where that stands in HTML."""
    return orjson.dumps(text).decode()[1:-1].translate(_IN_QUOTES)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _page(problem: Problem, spoken: bytes) -> bytes:
    language = CHINESE if b"Content-Language: %b\r\n" % TAGS[CHINESE] in spoken else ENGLISH
    ground, appeal, back = _PAGE_WORDS[language]
    more = [escape(problem.detail)] if problem.detail else []
    if problem.ground:
        more.append(ground + escape(problem.ground))
    if problem.appeal:
        address = escape(problem.appeal.replace("{id}", problem.message_id))
        more.append(f'<a href="{address}">{appeal}</a>')
    more.append(back)
    return _PAGE.format(
        lang=TAGS[language].decode(), title=escape(problem.title), more="".join(f"<p>{one}</p>" for one in more),
        code=escape(f"{problem.reason} {problem.message_id}".strip()),
    ).encode("utf-8", "replace")  # fmt: skip
