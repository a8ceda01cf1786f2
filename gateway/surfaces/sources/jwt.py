"""JSON Web Tokens (RFC 7519) as a source of facts: verified once, then known until they expire.

Signatures are checked by PyJWT against keys and algorithms that the configuration pins; a token's own ``alg`` and
``kid`` only choose among them. Times are checked here, against the gateway's clock, because a cached token must
expire as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import jwt

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import MAX_JWKS, SurfaceError, TokenSettings
from gateway.surfaces.sources.cookies import cookie

FAMILIES = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}  # RFC 7518, section 3.1; RFC 8037


# A token is 8 KiB of brackets at worst: RecursionError comes from parsing those.
_INVALID = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


class Key(NamedTuple):
    """``value`` as PyJWT takes it; ``family`` is the JWK key type, so that a public key is never an HMAC secret."""

    family: str
    value: Any
    kid: str = ""


class Tokens:
    """Verifies and remembers. One per route; ``now_us`` is the gateway's clock, in microseconds since the epoch."""

    __slots__ = ("_bearer", "_cache", "_cookie", "_header", "_keys", "_now_us", "_options", "_settings")

    def __init__(self, settings: TokenSettings, now_us: Callable[[], int]) -> None:
        sort, _, name = settings.source.partition(":")
        if sort not in ("header", "cookie") or not name:
            raise SurfaceError(f"jwt source = {settings.source!r}: a token is read from header:NAME or cookie:NAME")
        unknown = [alg for alg in settings.algorithms if alg[:2] not in FAMILIES or alg not in _SUPPORTED]
        if not settings.algorithms or unknown:
            raise SurfaceError(f"jwt algorithms = {list(settings.algorithms)!r}: name some of {', '.join(_SUPPORTED)}")
        self._settings = settings
        self._header = b"cookie" if sort == "cookie" else name.lower().encode()
        self._cookie = name if sort == "cookie" else ""
        self._bearer = self._header == b"authorization"
        self._keys = _keys(settings)
        self._now_us = now_us
        self._cache: dict[bytes, tuple[int, dict[str, Any]]] = {}
        self._options = {
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": bool(settings.audience),
            "verify_iss": bool(settings.issuer),
            "require": [
                *(["exp"] if settings.require_exp else []),
                *(["aud"] if settings.audience else []),
                *(["iss"] if settings.issuer else []),
            ],
        }

    def claims(self, reading: ParsedRequest) -> dict[str, Any]:
        """The claims of the request's token, or ``Refused`` with ``jwt.missing``, ``jwt.invalid``, ``jwt.expired``."""
        value = reading.fields.get(self._header)
        if value is None:
            raise Refused("jwt.missing")
        if reading.repeated and self._header in reading.repeated:
            raise Refused("jwt.invalid")
        if self._cookie:
            value = self._from_cookie(value)
        digest = sha256(value).digest()
        known = self._cache.get(digest)
        if known is None:
            known = self._learn(value, digest)
        expires_us, claims = known
        if expires_us and self._now_us() >= expires_us:
            self._cache.pop(digest, None)
            raise Refused("jwt.expired")
        return claims

    def _from_cookie(self, header: bytes) -> bytes:
        try:
            found = cookie(header, self._cookie)
        except Refused:
            raise Refused("jwt.invalid") from None
        if found is MISSING:
            raise Refused("jwt.missing")
        return str(found).encode()

    def _learn(self, value: bytes, digest: bytes) -> tuple[int, dict[str, Any]]:
        """Verify what came, and remember it. Another spelling of “Bearer” is not remembered: one token in many
        spellings would push the others out."""
        token = value
        if self._bearer:
            if value[:7].lower() != b"bearer ":  # RFC 9110, section 11.1: schemes ignore case
                raise Refused("jwt.missing")
            token = value[7:].strip(b" ")
        if len(token) > self._settings.max_token:
            raise Refused("jwt.invalid")
        known = self._verified(token)
        if self._settings.max_cached and (not self._bearer or value == b"Bearer " + token):
            if len(self._cache) >= self._settings.max_cached:
                del self._cache[next(iter(self._cache))]  # the oldest: it is the nearest to its expiry
            self._cache[digest] = known
        return known

    def _verified(self, token: bytes) -> tuple[int, dict[str, Any]]:
        try:
            header = jwt.get_unverified_header(token)
        except _INVALID:
            raise Refused("jwt.invalid") from None
        algorithm = header.get("alg")
        kid = header.get("kid")
        if algorithm not in self._settings.algorithms:
            raise Refused("jwt.invalid")
        family = FAMILIES[algorithm[:2]]
        keys = [key for key in self._keys if key.family == family]
        for key in [key for key in keys if kid and key.kid == kid] or [key for key in keys if not key.kid or not kid]:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key.value,
                    algorithms=[algorithm],
                    audience=list(self._settings.audience) or None,
                    issuer=self._settings.issuer or None,
                    options=self._options,  # type: ignore[arg-type]
                )
            except _INVALID:
                continue
            return self._expiry_us(claims), claims
        raise Refused("jwt.invalid")

    def _expiry_us(self, claims: dict[str, Any]) -> int:
        """When the token ends, 0 for never; refuses one that has not begun (RFC 7519, sections 4.1.4 to 4.1.6)."""
        leeway_us = round(self._settings.leeway * 1_000_000)
        now_us = self._now_us()
        for name in ("nbf", "iat"):
            if name in claims and _microseconds(claims[name]) > now_us + leeway_us:
                raise Refused("jwt.invalid")
        return _microseconds(claims["exp"]) + leeway_us if "exp" in claims else 0


def _microseconds(date: object) -> int:
    """A NumericDate (RFC 7519, section 2)."""
    if isinstance(date, bool) or not isinstance(date, int | float) or not 0 < date < 1e12:
        raise Refused("jwt.invalid")
    return int(date * 1_000_000)


_SUPPORTED = tuple(
    sorted(name for name in jwt.algorithms.get_default_algorithms() if name != "none" and name[:2] in FAMILIES)
)


def _keys(settings: TokenSettings) -> tuple[Key, ...]:
    keys = [_plain_key(kid, raw) for kid, raw in settings.keys]
    size = max((int(name[2:]) // 8 for name in settings.algorithms if name.startswith("HS")), default=0)
    if any(key.family == "oct" and len(key.value) < size for key in keys):
        raise SurfaceError(
            f"jwt keys: a secret is shorter than {size} bytes (RFC 7518, section 3.2); make a longer one"
        )
    if len(settings.jwks) > MAX_JWKS:
        raise SurfaceError(f"jwt jwks: larger than {MAX_JWKS} bytes; does it name the right file?")
    if settings.jwks:
        try:
            listed = json.loads(settings.jwks)["keys"]
            keys += [
                Key(str(jwk["kty"]), jwt.PyJWK(jwk).key, str(jwk.get("kid", "")))
                for jwk in listed
                if jwk.get("use", "sig") == "sig"
            ]
        except (jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SurfaceError(f"jwt jwks: not a JWK set (RFC 7517): {type(error).__name__}") from None
    wanted = {FAMILIES[algorithm[:2]] for algorithm in settings.algorithms}
    if lacking := wanted - {key.family for key in keys}:
        raise SurfaceError(f"jwt: no key of type {', '.join(sorted(lacking))} for the algorithms that are named")
    return tuple(keys)


def _plain_key(kid: str, raw: bytes) -> Key:
    """A secret, or a public key in PEM."""
    if not raw.lstrip().startswith(b"-----BEGIN"):
        return Key("oct", raw, kid)
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(raw)
    except ValueError:
        raise SurfaceError("jwt key: not a public key in PEM (write “-----BEGIN PUBLIC KEY-----” …)") from None
    family = (
        "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC" if isinstance(key, ec.EllipticCurvePublicKey) else "OKP"
    )
    return Key(family, key, kid)
