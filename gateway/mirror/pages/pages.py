"""Pages as bytes: HTML that a person reads without a script, and the same as JSON.

What comes from a person is escaped by the template engine, whatever it is. Control characters that HTML has no place
for become U+FFFD; those that turn the direction of text are kept, because each text has a direction of its own.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

import brotli
import orjson
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from gateway.mirror.pages.bullet import Bullet
from gateway.mirror.pages.language import LANGUAGES, Words
from gateway.mirror.pages.names import folder_name, room_path

NEIGHBOURS = 12  # newest pages that a head links to, beside the first
GZIP_LEVEL, BROTLI_QUALITY = 6, 5
FAR = 253_402_300_799  # the last second of the year 9999, beyond which no calendar goes

_LIST_BEGINS: Final = b"<!--list-->\n"
_LIST_ENDS: Final = b"<!--/list-->"
_OPENS, _CLOSES, _ITEM = b"<ol>\n", b"</ol>", b"<li "
# Marks of our own that no text can hold: in a text each "<" is escaped.

_total = re.compile(rb'<main [^>]*data-total="([0-9]+)"').search
_controls = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_directions = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class BulletRow(NamedTuple):
    """A bullet as the template writes it."""

    id: str
    iso: str
    shown_at: str
    place: str
    sender: str
    labels: tuple[str, ...]
    text: str


class Pages:
    """``language`` is zh or en, ``prefix`` the configured ``mirror.path``. ``delay``: the longest of any room, in
    seconds; heads tell of it."""

    def __init__(self, language: str, prefix: str, delay: float = 0.0) -> None:
        self._words = LANGUAGES[language]
        self._prefix = prefix
        self._delayed = self._words.delayed.format(f"{delay:g}") if delay else ""
        environment, self._style = _environment()
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        # A page needs nothing but its style; should the escaping ever fail, nothing runs.
        self._policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        self._bullet: Callable[[BulletRow, Words], str] = environment.get_template("bullet.html").module.bullet  # type: ignore[attr-defined]
        self._page = environment.get_template("page.html")
        self._head = environment.get_template("head.html")

    @property
    def policy(self) -> str:
        """The Content-Security-Policy that every page declares."""
        return self._policy

    def items(self, bullets: Iterable[Bullet], known: dict[str, str]) -> Markup:
        """Bullets as items of a list. What was rendered is kept in ``known``, by id: most are asked for again."""
        items = []
        for bullet in bullets:
            item = known.get(bullet.id)
            if item is None:
                item = known[bullet.id] = self._bullet(_row(bullet), self._words)
            items.append(item)
        return Markup("").join(items)

    def html(self, room: str, number: int, items: Markup, removed: int, total: int = -1) -> bytes:
        """A numbered page. ``removed``: how many bullets no longer stand on it. ``total``: of an open page, how many
        bullets the room has on all pages."""
        return self._page.render(
            words=self._words,
            style=self._style,
            policy=self._policy,
            room=_name(room),
            number=number,
            items=items,
            removed=removed,
            total=total,
        ).encode()

    def head(self, room: str, newest: Markup, total: int, number: int) -> bytes:
        """The room's head: its newest bullets, newest first, and links to its pages, of which ``number`` is the open
        one; 0 where there is none."""
        links = [1, *range(max(2, number - NEIGHBOURS + 1), number + 1)] if number else []
        return self._head.render(
            words=self._words,
            style=self._style,
            policy=self._policy,
            room=_name(room),
            folder=folder_name(room),
            base=room_path(self._prefix, room),
            items=newest,
            total=total,
            pages=links,
            delayed=self._delayed,
        ).encode()


def fragment(head: bytes) -> bytes:
    """The list alone, out of a head: what a platform's page includes."""
    return head[head.index(_LIST_BEGINS) + len(_LIST_BEGINS) : head.rindex(_LIST_ENDS)]


def items_of(html: bytes, newest: int) -> list[Markup]:
    """The last ``newest`` items of a numbered page, in its order, as they stand there."""
    body = html[html.index(_OPENS) + len(_OPENS) : html.rindex(_CLOSES)]
    return [Markup((_ITEM + item).decode()) for item in body.rsplit(_ITEM, newest)[1:]]  # noqa: S704 - escaped when it was made


def total_of(html: bytes) -> int:
    """How many bullets the room of an open page has."""
    found = _total(html)
    return int(found[1]) if found else 0


def page_json(room: str, number: int, bullets: Iterable[Bullet], removed: int, *, complete: bool) -> bytes:
    """A numbered page as JSON; ``at`` in milliseconds since the epoch."""
    document: dict[str, Any] = {
        "room": room,
        "page": number,
        "complete": complete,
        "removed": removed,
        "bullets": [bullet.told() for bullet in bullets],
    }
    return orjson.dumps(document)


def head_json(room: str, total: int, number: int) -> bytes:
    """The head as JSON: how many bullets there are, and which page is the open one."""
    return orjson.dumps({"room": room, "bullets": total, "pages": number})


def compressed(data: bytes) -> dict[str, bytes]:
    """A complete page's encodings, by suffix; the same for the same bytes."""
    return {
        ".gz": gzip.compress(data, GZIP_LEVEL, mtime=0),
        ".br": brotli.compress(data, quality=BROTLI_QUALITY, mode=brotli.MODE_TEXT),
    }


@lru_cache(maxsize=1)
def _environment() -> tuple[Environment, Markup]:
    environment = Environment(loader=PackageLoader("gateway.mirror.pages"), autoescape=True, auto_reload=False)
    style = resources.files("gateway.mirror.pages").joinpath("templates", "style.css").read_text(encoding="utf-8")
    return environment, Markup(style)  # noqa: S704 - a file of ours, and no text of anybody


def script() -> bytes:
    """``embed.js``."""
    return resources.files("gateway.mirror.pages").joinpath("templates", "embed.js").read_bytes()


def _row(bullet: Bullet) -> BulletRow:
    shown_at = day_and_time(bullet.at // 1000)
    return BulletRow(
        bullet.id,
        f"{shown_at[:10]}T{shown_at[11:]}Z",
        shown_at,
        place_in_video(bullet.playback_ms) if bullet.playback_ms >= 0 else "",
        _clean(bullet.sender),
        tuple(map(_clean, bullet.labels)) if bullet.labels else (),
        _clean(bullet.text),
    )


def _clean(text: str) -> str:
    return text if text.isprintable() else _controls.sub("\ufffd", text)


def _name(room: str) -> str:
    """A room's name for places that cannot isolate its direction, such as a title."""
    return _directions.sub("", _clean(room))


@lru_cache(maxsize=4096)
def day_and_time(seconds: int) -> str:
    """``2026-11-21 08:00:00`` in UTC from seconds since the epoch."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(max(seconds, 0), FAR)))


def place_in_video(milliseconds: int) -> str:
    """``1:02:03`` or ``2:03`` from the beginning of a video."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
