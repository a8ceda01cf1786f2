"""The method for which a form stands, where the platform is told by its ``_method``: exactly one field, and nothing
that any reader could take for a second one."""

from __future__ import annotations

from typing import Final

from gateway.surfaces.bodies.content import media_type
from gateway.surfaces.bodies.multipart import multipart
from gateway.surfaces.input.field_names import METHOD
from gateway.surfaces.input.forms import urlencoded
from gateway.surfaces.input.named_method import FIELD
from gateway.surfaces.input.reasons import Refused

_FORMS: Final = ("form", "multipart")


def in_form(content_type: bytes, body: bytes) -> bytes:
    """What ``_method`` names in a form, in capitals; empty in any other kind of body, and where it is not there. Raises
    ``Refused`` where it stands there twice, is spelled in another way, or the form cannot be read."""
    media = media_type(content_type)
    if media.kind not in _FORMS:
        return b""
    fields = multipart(body, media.boundary) if media.kind == "multipart" else urlencoded(body)
    found = [field for field in fields if METHOD.means(field.name)]
    if not found:
        return b""
    if len(found) > 1 or found[0].name != FIELD or found[0].file:
        raise Refused("form.twice")
    value = found[0].value
    return value.upper().encode() if value.isascii() and value.isalpha() else b""
