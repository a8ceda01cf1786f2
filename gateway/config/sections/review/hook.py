"""An address of somebody else's that control calls by itself, and how what it says there is signed."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, WithJsonSchema

from gateway.config.values.secret import Secret, UnknownSecret
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration, Readable

SHORTEST_SECRET = 16
LONGEST_URL = 2048


def _url(value: Any) -> str:
    """``https://host/path?query``, as it was written. Addresses of chat robots hold a key: no message repeats them."""
    told = "is not an address: write “https://host/path”, or “env:NAME”"
    if not isinstance(value, str) or len(value) > LONGEST_URL or not (value.isascii() and value.isprintable()):
        raise ValueError(told)
    try:
        found = urlsplit(value)
        port = found.port
    except ValueError:
        raise ValueError(told) from None
    if found.scheme not in ("http", "https") or not found.hostname or port == 0 or " " in value:
        raise ValueError(told)
    if found.username is not None or found.fragment:
        raise ValueError("holds a name, a password or a fragment: leave them out; calls are signed")
    return value


def _long(value: SecretStr) -> SecretStr:
    told = value.get_secret_value()
    if not isinstance(value, UnknownSecret) and told and len(told) < SHORTEST_SECRET:
        raise ValueError(f"is too short: write at least {SHORTEST_SECRET} characters (openssl rand -hex 32)")
    return value


def _said(value: SecretStr) -> SecretStr:
    if not isinstance(value, UnknownSecret) and not value.get_secret_value():
        raise ValueError("is empty: write at least 16 characters (openssl rand -hex 32)")
    return _long(value)


HookUrl = Annotated[
    str, BeforeValidator(_url), WithJsonSchema({"type": "string", "pattern": "^https?://", "examples": ["https://…"]})
]
HookSecret = Annotated[Secret, AfterValidator(_said)]
OptionalHookSecret = Annotated[Secret, AfterValidator(_long)]


class Hook(Section):
    """Where to, and how long control waits and tries."""

    url: HookUrl = required("Where to: “https://host/path”; or “env:NAME”, “file:/path”, as it may hold a key.")
    previous_secrets: tuple[HookSecret, ...] = setting(
        (), "Secrets before it, while the receiver changes over: each call carries a signature by each.", max_length=4
    )
    ca: Readable | None = setting(None, "File with the certificates to trust; the system's if unset.")
    timeout: Duration = setting("10s", "An answer must be there within; beyond: tried again.", ge=0.1, le=60)
