"""``[jwt]``: how the tokens are checked that ``jwt:`` sources read."""

from __future__ import annotations

from gateway.common.defaults import defaults
from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, setting
from gateway.config.values.source_names import SourceOf
from gateway.config.values.units import Duration, Readable
from gateway.surfaces.input.settings import Algorithm, TokenSettings

TOKEN = defaults(TokenSettings)


class Jwt(Section):
    """Keys or a JWKS file; both may be given. A token that fails any check counts as no token."""

    keys: tuple[Secret, ...] = setting((), "Shared secrets, or public keys (PEM).")
    jwks: Readable | None = setting(None, "JWKS file; a change of it is a reload.")
    algorithms: tuple[Algorithm, ...] = setting(TOKEN.algorithms, "Algorithms that are accepted.", min_length=1)
    audience: tuple[str, ...] = setting(
        TOKEN.audience, "Audiences of which a token must name one; empty: none is asked."
    )
    issuer: str = setting(TOKEN.issuer, "Issuer that a token must name; empty: none is asked.")
    source: SourceOf = setting(
        TOKEN.source, "header: or cookie: that holds the token; after “Bearer ” in Authorization."
    )
    leeway: Duration = setting(TOKEN.leeway, "Clock difference that is forgiven.", ge=0)
    require_exp: bool = setting(
        TOKEN.require_exp, "A token without exp, which never ends, counts as no token (RFC 7519, section 4.1.4)."
    )
    max_cached: int = setting(TOKEN.max_cached, "Checked tokens that a worker remembers until they expire.", ge=0)
    max_token: int = setting(
        TOKEN.max_token, "Longest token in bytes; a longer one counts as no token.", ge=256, le=65536
    )
