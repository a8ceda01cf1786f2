"""``[routes.refusal]``, or ``[[routes.refusal]]`` for several: answers and notices that the platform's clients know."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator

from gateway.config.values.section import Section, setting
from gateway.config.values.source_names import TOKEN, source
from gateway.config.values.spelled import OrOne
from gateway.http.server.shapes import ECHOED, MEMBERS, REFUSALS

_BRACES = re.compile(r"\{([A-Za-z_]+(?::[^{}]*)?)\}")
_MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=utf-8)?")
_BODILESS = (204, 205, 304)  # RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5
_OURS = frozenset(
    [
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "location",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_ADDRESS = re.compile(r"(?:/(?!/)|https?://[A-Za-z0-9.:-]+/)[!-~]*")  # RFC 3986: visible ASCII


def placeholders(value: Any) -> list[str]:
    """All of them in a text, or in the texts of a table or list, the keys included."""
    if isinstance(value, str):
        return _BRACES.findall(value)
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for one in inner for name in placeholders(one)]


def _known(value: Any) -> None:
    for name in placeholders(value):
        if ":" not in name:
            if name not in MEMBERS:
                raise ValueError(
                    f"has the unknown placeholder {{{name}}}: known are {', '.join(MEMBERS)}, and values of what is "
                    f"answered ({', '.join(f'{kind}:' for kind in ECHOED)})"
                )
            continue
        if name.partition(":")[0] not in ECHOED:
            raise ValueError(f"has the placeholder {{{name}}}: of a request, {', '.join(ECHOED)} can be repeated")
        try:
            source(name)
        except ValueError as error:
            raise ValueError(f"has the placeholder {{{name}}}, which {error}") from None


class Refusal(Section):
    """What the gateway says in the platform's own words, where its clients know nothing of RFC 9457."""

    verdicts: tuple[Literal["reject", "hold", "delay", "mask", "mute", "unmute", "close"], ...] = setting(
        REFUSALS, "What it tells: refusals, and on a WebSocket also the other notices.", min_length=1
    )
    reasons: tuple[str, ...] = setting(
        (), "Reason codes, or groups of them (“limit” for all “limit.…”); empty: whatever the reason is."
    )
    accepts: Literal["", "text/html"] = setting(
        "", "Only for requests whose Accept prefers this: forms of browsers, not requests of scripts."
    )
    status: int | None = setting(None, "HTTP status; our own if unset, 303 with redirect.", ge=200, le=599)
    body: dict[str, Any] | list[Any] | str | None = setting(
        None,
        "A table or list, sent as JSON, or a text. In its texts {title}, {detail}, {status}, {reason}, {id}, {ground}, "
        "{category}, {appeal}, {code}, {retry_after}, {retry_after_ms} and {status_url} (of a message that is held: "
        "where its sender asks what became of it) are filled in, and values of what is answered: "
        "{json:/pointer}, {form:…}, {query:…}, {header:…}, {path:…}. A text that is {status}, {retry_after}, "
        "{retry_after_ms} or such a value alone keeps its type; null where there is none.",
    )
    type: str = setting("", "Media type of a body; unset: application/json, or text/plain for a text. HTML is escaped.")
    page: bool = setting(False, "Instead of a body: an HTML page of ours, in the reader's language.")
    redirect: str = setting(
        "",
        "Instead of a body: an address that the browser is sent to, with placeholders. Not for failures of ours (5xx).",
    )
    silent: bool = setting(False, "Instead of a body, on a WebSocket: nothing is said.")
    headers: dict[str, str] = setting({}, "Further header fields.")

    @field_validator("body", mode="after")
    @classmethod
    def _filled(cls, value: Any) -> Any:
        _known(value)
        return value

    @field_validator("status", mode="after")
    @classmethod
    def _with_body(cls, value: int | None) -> int | None:
        if value in _BODILESS:
            raise ValueError("has no body, by HTTP: clients would take it for their next answer; write 200")
        return value

    @field_validator("type", mode="after")
    @classmethod
    def _media_type(cls, value: str) -> str:
        if value and _MEDIA.fullmatch(value) is None:
            raise ValueError("is not a media type: write such as “text/html; charset=utf-8”")
        return value

    @field_validator("redirect", mode="after")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            _known(value)
            if _ADDRESS.fullmatch(value) is None:
                raise ValueError("is not an address: write “/path?why={reason}”, or “https://host/path”")
        return value

    @field_validator("headers", mode="after")
    @classmethod
    def _one_line_each(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if TOKEN.fullmatch(name) is None:
                raise ValueError("has a name that is no header's: use letters, digits and -")
            if name.lower() in _OURS:
                raise ValueError(
                    f"has “{name}”, which says how an answer is sent: we write it (type, status, redirect)"
                )
            if not text.isprintable() or not text.isascii():
                raise ValueError(f"has characters in “{name}” that no header can carry: write visible ASCII")
        return value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Refusals = Annotated[tuple[Refusal, ...], BeforeValidator(_several), OrOne()]
