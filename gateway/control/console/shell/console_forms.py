"""What a browser sends: fields of a form, bounded, and the marks by which a form of ours is told from a stranger's."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.calls import received

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 400  # a list of fifty lines has a handful each
TOKEN = "csrf"  # noqa: S105 - the field's name
HEADER = "X-CSRF-Token"


def whole(told: str) -> int | None:
    """A number that is not below 0, and that any of ours can be; None where it is none."""
    return int(told) if told.isascii() and told.isdigit() and len(told) < 16 else None


class Fields:
    """Texts by name, in the order in which they came."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __call__(self, name: str) -> str:
        """The first of that name, without spaces around it; empty where there is none."""
        return self._values.get(name, [""])[0].strip()

    def raw(self, name: str) -> str:
        """As it was typed: a password may begin with a space."""
        return self._values.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        return [value.strip() for value in self._values.get(name, ())]

    def number(self, name: str) -> int | None:
        """None where it is none."""
        return whole(self(name))


async def fields(request: web.Request) -> Fields:
    """Of the form, or of the query. Raises ``ControlError``."""
    if request.method in ("GET", "HEAD"):
        return Fields(list(request.query.items())[:MOST_FIELDS])
    body = await received.body(request)
    if body and request.content_type != FORM:
        raise ControlError(400, "control.invalid", "A form is sent as application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (ValueError, UnicodeError):
        raise ControlError(400, "control.invalid", "This form cannot be read.") from None
    return Fields(pairs)


def foreign(request: web.Request) -> bool:
    """Whether another site has sent this: browsers say so, and no script can make them say otherwise."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return True
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != request.host.lower()
    except ValueError:  # an origin that is no address
        return True


def check(request: web.Request, given: Fields, csrf: str) -> None:
    """Raises ``ControlError`` where what changes something was not sent by a page of this session."""
    told = request.headers.get(HEADER, "") or given(TOKEN)
    if foreign(request) or not hmac.compare_digest(told.encode("utf-8", "surrogateescape"), csrf.encode()):
        raise ControlError(403, "console.forged", "This was not sent from a page of this session: go back, and reload.")
