"""What decides of which kind a message is, standing where it is not read: in another kind of body, or in the query too.

Platforms merge their sources, and which of them wins they settle in different ways: ``$_REQUEST`` takes the body before
the query, servlets the query before the body, Rails puts the members of a JSON body among them. So a name that decides
stands in one place. (That a query holds what is read from bodies is ``Ambiguity``'s.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from orjson import JSONDecodeError, loads

from gateway.surfaces.bodies.ambiguity import field_of
from gateway.surfaces.input.field_names import Names
from gateway.surfaces.input.forms import Field
from gateway.surfaces.input.reasons import Refused


class Elsewhere:
    """Of the conditions of one route. ``body``: the ``json:`` and ``form:`` sources that they read; ``query``: the
    ``query:`` ones."""

    __slots__ = ("_all", "_asked", "_not_in_forms", "_not_in_json", "_twice_in_forms", "_twice_in_json")

    def __init__(self, body: Sequence[str], query: Sequence[str]) -> None:
        in_json = _names(body, "json:")
        in_forms = _names(body, "form:")
        asked = [source[6:] for source in query]
        self._all = Names((*in_json, *in_forms, *asked))
        self._asked = Names(asked)
        self._not_in_json, self._twice_in_json = _split((*in_forms, *asked), in_json)
        self._not_in_forms, self._twice_in_forms = _split((*in_json, *asked), in_forms)

    def check_document(self, document: dict[str, Any], query: bytes) -> None:
        """Refuse an object of JSON with a member whose name decides in another place."""
        self._check(document, query, self._not_in_json, self._twice_in_json)

    def check_form(self, fields: Sequence[Field], query: bytes) -> None:
        """Refuse a form with a field whose name decides in another place."""
        self._check([field.name for field in fields], query, self._not_in_forms, self._twice_in_forms)

    def check_text(self, body: bytes) -> None:
        """Refuse a plain text that somebody could read as JSON, or as a form, with such a name in it: browsers send
        both as text/plain, and many platforms do not look at the type."""
        if not self._all.names:
            return
        if b"=" in body and self._all.among(body):
            raise Refused("body.ambiguous")
        if body.lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
            return
        try:
            document = loads(body)
        except JSONDecodeError:
            return
        several = document if type(document) is list else [document]
        if any(type(one) is dict and any(map(self._all.means, one)) for one in several):
            raise Refused("body.ambiguous")

    def _check(self, names: Collection[str], query: bytes, never: Names, twice: Names) -> None:
        if never.names and any(map(never.means, names)):
            raise Refused("form.twice")
        if query and twice.names and any(map(twice.means, names)) and self._asked.among(query):
            raise Refused("form.twice")


def _names(body: Iterable[str], kind: str) -> list[str]:
    return [name for source in body if source.startswith(kind) and (name := field_of(source))]


def _split(others: Iterable[str], own: Iterable[str]) -> tuple[Names, Names]:
    """Names of other places that are never read here, and those that are read here as well."""
    here = Names(own)
    others = list(others)
    return Names(name for name in others if not here.means(name)), Names(name for name in others if here.means(name))
