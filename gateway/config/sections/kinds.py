"""``[[routes.messages]]``: the kinds of message at one address."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from gateway.config.values.section import Section, required, setting
from gateway.config.values.source_names import PlacesOf, SourcesOf, TextsOf, source
from gateway.surfaces.bodies import when


def _condition(value: dict[str, Any]) -> dict[str, Any]:
    when.check(value)
    for one in when.read_by(value):
        if one == when.WHOLE:
            continue
        try:
            source(one)
        except ValueError as error:
            raise ValueError(f"reads “{one}”, which {error}") from None
    return value


When = Annotated[dict[str, Any], AfterValidator(_condition), WithJsonSchema({"type": "object", "minProperties": 1})]


class MessageKind(Section):
    """One kind: what is unset is as the route says. The first whose condition holds is it."""

    when: When = required(
        "What makes a body or frame this kind: sources (json:, whole:, form:, query:, header:, path:) and a value, a "
        "list of values, or { prefix, sha256, present, absent, null, array }; any, all and not hold further tables."
    )
    relay: bool = setting(False, "It is no message: relayed untouched, and nothing else is said of it.")
    text: TextsOf = setting((), "Its judged texts.")
    room: PlacesOf = setting((), "Where it is sent.")
    edit: bool | None = setting(None, "Whether it replaces an earlier one.")
    policy: str = setting("", "Which policy judges it.")
    parts: SourcesOf = setting((), "Its parts that nothing here can judge.")
    optional_text: bool | None = setting(None, "Whether it may have no text.")
