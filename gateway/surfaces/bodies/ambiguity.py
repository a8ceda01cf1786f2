"""What is read here standing where it is not read: in the query, in a body of another kind, under another kind's name.

Platforms merge their sources (Rails and PHP's ``$_REQUEST`` put query and body into one table, servlets look into the
query first), and some read a body as what it looks like. What one of them could find there is refused, whether or not
the place that is read holds a value as well. Cookies are not merged by any of them today.
"""

from __future__ import annotations

from typing import Any, Final

from orjson import JSONDecodeError, loads

from gateway.surfaces.input import pointer
from gateway.surfaces.input.field_names import Names, of_pointer
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceSettings

_WHITE: Final = b" \t\r\n"


class Ambiguity:
    """One route's. ``mixed``: texts are read from bodies of several kinds."""

    __slots__ = ("_finds", "_foreign", "_forms", "_query", "mixed")

    def __init__(self, settings: SurfaceSettings) -> None:
        facts = _facts(settings)
        queried = Names(source.partition(":")[2] for source in facts if source.startswith("query:"))
        read = [field_of(source) for source in (*settings.text, *settings.parts, *facts)]
        self._query = Names(name for name in read if name and not queried.means(name))
        pointers = [source[5:] for source in settings.text if source.startswith("json:")]
        self._finds = [pointer.finder(name) for name in pointers]
        self._forms = Names(source[5:] for source in settings.text if source.startswith("form:"))
        in_json = Names(field for name in pointers if (field := field_of(f"json:{name}")))
        self._foreign = Names(name for name in self._forms.names if not in_json.means(name))
        kinds = {source.partition(":")[0] for source in settings.text}
        self.mixed = len(kinds - {"filename"} | ({"form"} if "filename" in kinds else set())) > 1

    def check_query(self, query: bytes) -> None:
        """Refuse a query that holds what is read from a body here, also for who decodes it before splitting."""
        if self._query.among(query):
            raise Refused("form.twice")

    def check(self, kind: str, document: Any, body: bytes) -> None:
        """Refuse a body that reads as another kind, with a judged text, than the one that its type says."""
        if kind == "json":
            if type(document) is dict and self._foreign.names and any(self._foreign.means(key) for key in document):
                raise Refused("text.elsewhere")
            self._as_form(body)
        elif kind == "text":
            self._as_form(body)
            self._as_json(body)
        # A form that is JSON as well has a name with quotes in it: no such form is taken.

    def _as_form(self, body: bytes) -> None:
        if b"=" in body and self._forms.among(body):
            raise Refused("body.ambiguous")

    def _as_json(self, body: bytes) -> None:
        start = body.lstrip(_WHITE)[:1]
        if not self._finds or start not in (b"{", b"["):
            return
        try:
            document = loads(body)
        except JSONDecodeError:
            return
        for find in self._finds:
            try:
                found = find(document) is not MISSING
            except Refused:
                found = True
            if found:
                raise Refused("body.ambiguous")


def elsewhere(settings: SurfaceSettings) -> list[str]:
    """The names by which a form would hold the texts that are read from JSON alone."""
    forms = Names(source[5:] for source in settings.text if source.startswith("form:"))
    found = (field_of(source) for source in settings.text if source.startswith("json:"))
    return [name for name in found if name and not forms.means(name)]


def field_of(source: str) -> str:
    kind, _, name = source.partition(":")
    if kind == "form":
        return name
    if kind in ("json", "whole"):
        try:
            tokens = pointer.tokens(name)
        except ValueError:
            return ""  # told where it is compiled
        return of_pointer(tokens) if tokens else ""
    return ""


def _facts(settings: SurfaceSettings) -> tuple[str, ...]:
    """All sources of a message but those of its text and parts."""
    return (
        *settings.sender,
        *settings.room_sources,
        *settings.device,
        *settings.registrant,
        *settings.location,
        *settings.verified,
        *settings.level,
        *settings.playback,
        *settings.shown_sender,
    )
