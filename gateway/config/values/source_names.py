"""Where a value is read from: ``header:X-User-Id``, ``json:/content``, ``jwt:sub``, ``form:msg``, ``path:room`` …

The surfaces compile these to closures; here they are only checked, so that a slip is found before the start.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from gateway.config.values.spelled import OrOne

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")  # RFC 6901, section 3

KINDS = {
    "header": "a header's name",
    "json": "a JSON Pointer, such as “json:/content”",
    "whole": "a JSON Pointer into the document around the elements that are messages (each)",
    "jwt": "a claim's name",
    "form": "a form field's name",
    "cookie": "a cookie's name",
    "query": "a query parameter's name",
    "path": "the name of a {placeholder} in the route's match",
    "text": "nothing: “text:” is the whole plain body",
    "filename": "the name of a form's field that uploads a file, or * for every file",
}
TEXTS = ("json", "form", "text", "filename")
"""What judged text is read by."""


def source(value: Any, *, spread: bool = False) -> str:
    """One source, as it was written. ``spread``: it may mean several places, by ``*``."""
    kind, colon, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not colon or kind not in KINDS:
        raise ValueError(f"is not a source: write {', '.join(f'{kind}:' for kind in KINDS)} and a name")
    good = {
        "header": TOKEN.fullmatch(name),
        "cookie": TOKEN.fullmatch(name),
        "path": NAME.fullmatch(name),
        "json": name.startswith("/") and POINTER.fullmatch(name),
        "whole": name.startswith("/") and POINTER.fullmatch(name),
        "text": not name,
    }.get(kind, name)
    if kind in ("json", "whole") and "*" in name.split("/") and not spread:
        raise ValueError(
            "has * for a key: a JSON Pointer names one place; write each, as a list of sources (* is for text and each)"
        )
    if not good:
        raise ValueError(f"does not name its source: after “{kind}:” write {KINDS[kind]}")
    return str(value)


def text_source(value: Any) -> str:
    """One source of judged text: in JSON, ``*`` stands for every element of an array."""
    return source(value, spread=True)


def each(value: Any) -> str:
    """Which elements are messages, or nothing."""
    good = isinstance(value, str) and (not value or (value.endswith("/*") and POINTER.fullmatch(value)))
    if not good or "*" in value[:-2].split("/"):
        raise ValueError("is no array: write “/*” for a body that is one, or “/key/*” for one within an object")
    return str(value)


SENDERS = {
    **{kind: told for kind, told in KINDS.items() if kind not in ("text", "filename")},
    "whoami": "nothing: “whoami:” is what the platform says",
    "ip": "nothing: “ip:” is the client's address",
    "const": "a name for everybody, such as “const:visitor”",
}
HASH = "hash:"


def hashed_source(value: Any) -> str:
    """A source, or one of which a keyed digest is kept."""
    inner = value.removeprefix(HASH) if isinstance(value, str) else value
    source(inner)
    return str(value)


def sender_source(value: Any) -> str:
    """One source of the sender, as it was written."""
    inner = value.removeprefix(HASH) if isinstance(value, str) else ""
    kind, colon, name = inner.partition(":")
    if not colon or kind not in SENDERS:
        raise ValueError(f"is not a source: write {', '.join(f'{kind}:' for kind in SENDERS)} and a name")
    if kind in KINDS:
        source(inner)
    elif bool(name) is not (kind == "const") or (kind == "const" and NAME.fullmatch(name) is None):
        raise ValueError(f"does not name its source: after “{kind}:” write {SENDERS[kind]}")
    return str(value)


def optional_hashed(value: Any) -> str:
    """Such a source, or nothing."""
    return "" if value == "" else hashed_source(value)


def optional_source(value: Any) -> str:
    """A source, or nothing."""
    return "" if value == "" else source(value)


def pointer(value: Any) -> str:
    """A JSON Pointer (RFC 6901) that does not point at the whole document."""
    if not isinstance(value, str) or not value.startswith("/") or POINTER.fullmatch(value) is None:
        raise ValueError("is not a JSON Pointer: write “/key” or “/outer/inner” (~1 for a slash, ~0 for a tilde)")
    return value


def several(value: Any) -> Any:
    """One text, or a list of them."""
    return [value] if isinstance(value, str) else value


def place(value: Any) -> str:
    """A source, or several in braces with what stands between them."""
    if not isinstance(value, str) or "{" not in value:
        return source(value)
    within = re.findall(r"\{([^{}]*)\}", value)
    between = re.sub(r"\{[^{}]*\}", "", value)
    if not within or re.fullmatch(r"[!-z|~]*", between) is None or "%" in between:
        raise ValueError("is not composed of sources: write such as “{form:content_type}:{form:object_pk}”")
    if "}{" in value:
        raise ValueError(
            "has two sources with nothing between them: “ab” and “c” would be the same room as “a” and “bc”"
        )
    for one in within:
        if one.startswith(("text:", "filename:")):
            raise ValueError(f"has “{one.partition(':')[0]}:” in it: a room is no text")
        try:
            source(one)
        except ValueError as error:
            raise ValueError(f"has {{{one}}}, which {error}") from None
    return value


_FORM = "(" + "|".join(KINDS) + "):.*"

SourceOf = Annotated[str, BeforeValidator(source), WithJsonSchema({"type": "string", "pattern": f"^{_FORM}$"})]
MaybeSource = Annotated[
    str, BeforeValidator(optional_source), WithJsonSchema({"type": "string", "pattern": f"^({_FORM})?$"})
]
_SENDER = f"({HASH})?(" + "|".join(SENDERS) + "):.*"
SenderOf = Annotated[str, BeforeValidator(sender_source), WithJsonSchema({"type": "string", "pattern": f"^{_SENDER}$"})]
SendersOf = Annotated[tuple[SenderOf, ...], BeforeValidator(several), OrOne()]
MaybeHashed = Annotated[
    str,
    BeforeValidator(optional_hashed),
    WithJsonSchema({"type": "string", "pattern": f"^(({HASH})?{_FORM})?$"}),
]
TextsOf = Annotated[
    tuple[
        Annotated[str, BeforeValidator(text_source), WithJsonSchema({"type": "string", "pattern": f"^{_FORM}$"})], ...
    ],
    BeforeValidator(several),
    OrOne(),
]
EachOf = Annotated[str, BeforeValidator(each), WithJsonSchema({"type": "string", "pattern": r"^(/.*\*)?$"})]
SourcesOf = Annotated[tuple[SourceOf, ...], BeforeValidator(several), OrOne()]
Place = Annotated[
    str, BeforeValidator(place), WithJsonSchema({"type": "string", "pattern": f"^({_FORM}|.*\\{{{_FORM}\\}}.*)$"})
]
PlacesOf = Annotated[tuple[Place, ...], BeforeValidator(several), OrOne()]
Pointer = Annotated[str, BeforeValidator(pointer), WithJsonSchema({"type": "string", "pattern": "^/"})]
