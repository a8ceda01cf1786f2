"""The method that a body or a query names: ``_method``, by which HTML forms stand for PUT, PATCH and DELETE.

Rack (Rails), Symfony (Laravel), Spring's HiddenHttpMethodFilter, Phoenix and Express's method-override read it from
forms, Symfony also from queries and from JSON. Whether the platform does is not known here; so a message that names
one must be judged alike by both methods, or not at all.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.surfaces.input.field_names import METHOD
from gateway.surfaces.input.forms import urlencoded
from gateway.surfaces.input.reasons import Refused

FIELD: Final = "_method"


def of_values(values: tuple[str, ...]) -> bytes:
    """The method in capitals, empty for none. ``Refused`` where there are several: which one counts, readers differ."""
    named = {value.strip(" \t\"'").upper() for value in values} - {""}
    if len(named) > 1:
        raise Refused("form.twice")
    return named.pop().encode("utf-8", "replace") if named else b""


def of_document(document: dict[str, Any]) -> bytes:
    """What a JSON object names; anything but a string names nothing."""
    value = document.get(FIELD)
    return of_values((value,)) if isinstance(value, str) else b""


def of_query(query: bytes) -> bytes:
    """What a query names."""
    if b"method" not in query.lower():
        return b""
    try:
        return of_values(tuple(field.value for field in urlencoded(query) if METHOD.means(field.name)))
    except Refused as refused:
        if refused.reason == "form.twice":
            raise
        return b""
