"""``[jwt]``: how the tokens are checked that ``jwt:`` sources read."""

from __future__ import annotations

from typing import Literal

from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, setting
from gateway.config.values.sources import SourceOf
from gateway.config.values.units import Duration, Readable

Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]


class Jwt(Section):
    """Keys or a JWKS file; both may be given. A token that fails any check counts as no token."""

    keys: tuple[Secret, ...] = setting((), "Shared secrets, or public keys (PEM).")
    jwks: Readable | None = setting(None, "JWKS file; a change of it is a reload.")
    algorithms: tuple[Algorithm, ...] = setting(("RS256",), "Algorithms that are accepted.", min_length=1)
    audience: tuple[str, ...] = setting((), "Audiences of which a token must name one; empty: none is asked.")
    issuer: str = setting("", "Issuer that a token must name; empty: none is asked.")
    source: SourceOf = setting(
        "header:Authorization", "header: or cookie: that holds the token; after “Bearer ” in Authorization."
    )
    leeway: Duration = setting("30s", "Clock difference that is forgiven.", ge=0)
    max_cached: int = setting(65_536, "Checked tokens that a worker remembers until they expire.", ge=0)
    max_token: int = setting(8192, "Longest token in bytes; a longer one counts as no token.", ge=256, le=65536)
