"""Tokens as a source of facts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from filters.model.message import Vouched
from gateway.surfaces.input.decoded import Malformed
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError, TokenSettings
from gateway.surfaces.sources.jwt import Tokens

SECRET = b"0123456789abcdef0123456789abcdef"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
RSA_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NOW = 1_700_000_000

MakeRequest = Callable[..., Any]


class Clock:
    def __init__(self) -> None:
        self.seconds = NOW

    def __call__(self) -> int:
        return self.seconds * 1_000_000


def hs256(**changed: Any) -> TokenSettings:
    return TokenSettings(
        **({"algorithms": ("HS256",), "keys": (("", SECRET),), "leeway": 0.0, "require_exp": False} | changed)
    )


def signed(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm, headers=headers or None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def claims(make_request: MakeRequest, clock: Clock) -> Callable[..., Any]:
    """The claims of a bearer token, or the reason why there are none."""

    def run(
        token: str, settings: TokenSettings | None = None, header: str = "Authorization", prefix: str = "Bearer "
    ) -> Any:
        try:
            return Tokens(settings or hs256(), clock).claims(ParsedRequest(make_request([(header, prefix + token)])))
        except Refused as refused:
            return refused.reason

    return run


def test_a_token_that_never_ends_is_none_unless_one_says_so(claims: Callable[..., Any]) -> None:
    assert TokenSettings().require_exp
    strict = hs256(require_exp=True)
    assert claims(signed({"sub": "alice"}), strict) == "jwt.invalid"
    assert claims(signed({"sub": "alice", "exp": None}), strict) == "jwt.invalid"
    assert claims(signed({"sub": "alice", "exp": NOW + 1}), strict) == {"sub": "alice", "exp": NOW + 1}


def test_good(claims: Callable[..., Any]) -> None:
    assert claims(signed({"sub": "alice", "exp": NOW + 1})) == {"sub": "alice", "exp": NOW + 1}
    assert claims(signed({"sub": "alice"}), prefix="bearer ") == {"sub": "alice"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"exp": NOW}, "jwt.expired"),
        ({"exp": NOW - 5}, "jwt.expired"),
        ({"nbf": NOW + 1}, "jwt.invalid"),
        ({"iat": NOW + 1}, "jwt.invalid"),
        ({"exp": True}, "jwt.invalid"),
        ({"exp": None}, "jwt.invalid"),
        ({"nbf": "soon"}, "jwt.invalid"),
    ],
)
def test_times(claims: Callable[..., Any], payload: dict[str, Any], reason: str) -> None:
    assert claims(signed(payload)) == reason


def test_leeway(claims: Callable[..., Any]) -> None:
    assert claims(signed({"exp": NOW - 5, "nbf": NOW + 5}), hs256(leeway=10)) == {"exp": NOW - 5, "nbf": NOW + 5}


def unsigned(header: dict[str, Any], payload: bytes = b'{"sub":"alice"}', signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), payload, signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "é",
        unsigned({"alg": "none", "typ": "JWT"}),
        unsigned({"alg": "None"}),
        unsigned({"alg": "HS256"}),
        unsigned({"alg": ["HS256"]}),
        unsigned({}),
        unsigned({"alg": "HS256", "kid": ["x"]}),
        signed({"sub": "alice"}, SECRET + b"x"),
        signed({"sub": "alice"}, SECRET * 2, "HS512"),
        signed({"sub": "alice"}, crit=["exp"]),
        signed({"sub": "alice"})[:-2],
        signed({"sub": "a" * 9000}),
        base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.x",
        unsigned({"alg": "HS256"}, b"[" * 5000),
    ],
)
def test_invalid(claims: Callable[..., Any], token: str) -> None:
    assert claims(token) == "jwt.invalid"


def test_a_public_key_is_no_secret(claims: Callable[..., Any]) -> None:
    import hashlib
    import hmac

    head = unsigned({"alg": "HS256", "typ": "JWT"}).rpartition(".")[0]
    forged = hmac.new(RSA_PEM, head.encode(), hashlib.sha256).digest()
    token = head + "." + base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    both = TokenSettings(require_exp=False, algorithms=("RS256", "HS256"), keys=(("", RSA_PEM), ("", SECRET)))
    assert claims(token, both) == "jwt.invalid"
    assert claims(signed({"sub": "bob"}, RSA, "RS256"), both) == {"sub": "bob"}


@pytest.mark.parametrize(
    ("audience", "issuer", "payload", "good"),
    [
        (("a", "b"), "", {"aud": "a"}, True),
        (("a",), "", {"aud": ["x", "a"]}, True),
        (("a",), "", {"aud": "x"}, False),
        (("a",), "", {}, False),
        ((), "i", {"iss": "i"}, True),
        ((), "i", {"iss": "j"}, False),
        ((), "i", {}, False),
        ((), "", {"aud": "whoever", "iss": "whoever"}, True),
    ],
)
def test_audience_and_issuer(
    claims: Callable[..., Any], audience: tuple[str, ...], issuer: str, payload: dict[str, Any], good: bool
) -> None:
    assert claims(signed(payload), hs256(audience=audience, issuer=issuer)) == (payload if good else "jwt.invalid")


def test_jwks_and_kid(claims: Callable[..., Any]) -> None:
    keys = [
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "r", "use": "sig"},
        {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC.public_key())), "kid": "e"},
        {**json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(ED.public_key())), "kid": "o"},
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key())), "kid": "enc", "use": "enc"},
    ]
    settings = TokenSettings(
        require_exp=False, algorithms=("RS256", "ES256", "EdDSA"), jwks=json.dumps({"keys": keys}).encode()
    )
    for key, algorithm, kid in ((RSA, "RS256", "r"), (EC, "ES256", "e"), (ED, "EdDSA", "o")):
        assert claims(signed({"sub": kid}, key, algorithm, kid=kid), settings) == {"sub": kid}
        assert claims(signed({"sub": kid}, key, algorithm), settings) == {"sub": kid}
    assert claims(signed({"sub": "x"}, RSA, "RS256", kid="unknown"), settings) == "jwt.invalid"
    assert claims(signed({"sub": "x"}, RSA, "PS256", kid="r"), settings) == "jwt.invalid"


def test_other_places(claims: Callable[..., Any]) -> None:
    token = signed({"sub": "alice"})
    assert claims(token, hs256(source="header:X-Token"), "X-Token", "") == {"sub": "alice"}
    assert claims(token, hs256(source="cookie:session"), "Cookie", "a=b; session=") == {"sub": "alice"}
    assert claims(token, hs256(source="cookie:session"), "Cookie", "session=x; session=") == "jwt.invalid"
    assert claims(token, hs256(source="cookie:session"), "Cookie", "other=") == "jwt.missing"
    assert claims(token, prefix="Basic ") == "jwt.missing"
    assert claims(token, header="X-Other") == "jwt.missing"


def test_two_tokens(make_request: MakeRequest, clock: Clock) -> None:
    token = ("Authorization", "Bearer " + signed({"sub": "alice"}))
    with pytest.raises(Refused, match=r"jwt\.invalid"):
        Tokens(hs256(), clock).claims(ParsedRequest(make_request([token, token])))


def test_a_token_is_verified_once_and_expires_while_remembered(
    make_request: MakeRequest, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    real = jwt.decode
    monkeypatch.setattr(jwt, "decode", lambda *args, **more: verified.append(1) or real(*args, **more))
    tokens = Tokens(hs256(), clock)
    reading = ParsedRequest(make_request([("Authorization", "Bearer " + signed({"sub": "alice", "exp": NOW + 10}))]))
    for _ in range(3):
        assert tokens.claims(reading)["sub"] == "alice"
    assert len(verified) == 1
    clock.seconds += 10
    for _ in range(2):
        with pytest.raises(Refused, match=r"jwt\.expired"):
            tokens.claims(reading)


@pytest.mark.parametrize("bound", [0, 2])
def test_the_memory_is_bounded(make_request: MakeRequest, clock: Clock, bound: int) -> None:
    tokens = Tokens(hs256(max_cached=bound), clock)
    for number in range(5):
        reading = ParsedRequest(make_request([("Authorization", "Bearer " + signed({"sub": str(number)}))]))
        assert tokens.claims(reading) == {"sub": str(number)}
    assert len(tokens._cache) == bound


def test_facts_from_claims(make_surface: Callable[..., Any], make_request: MakeRequest) -> None:
    surface = make_surface(sender=("jwt:sub",), verified=("jwt:verified",), level=("jwt:/rank/credit",), token=hs256())
    token = signed({"sub": "alice", "verified": True, "rank": {"credit": 70}})
    headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {token}")]
    message = surface.decode(make_request(headers, trusted=False), b'{"content": "x"}').messages[0]
    assert (message.sender, message.vouched) == ("alice", Vouched(True, 0, 70))
    refused = surface.decode(make_request(headers[:1]), b'{"content": "x"}')
    assert isinstance(refused, Malformed)
    assert (refused.status, refused.reason, refused.challenge) == (401, "jwt.missing", b"Bearer")


def test_a_bad_token_is_no_absence(make_surface: Callable[..., Any], make_request: MakeRequest) -> None:
    surface = make_surface(sender=("jwt:sub", "header:X-User-Id"), token=hs256())
    headers = [("Content-Type", "application/json"), ("X-User-Id", "alice")]
    assert surface.decode(make_request(headers), b'{"content": "x"}').messages[0].sender == "alice"
    headers.append(("Authorization", "Bearer " + signed({"sub": "bob"}, SECRET + b"x")))
    refused = surface.decode(make_request(headers), b'{"content": "x"}')
    assert (refused.reason, refused.challenge) == ("jwt.invalid", b'Bearer error="invalid_token"')


@pytest.mark.parametrize(
    "changed",
    [
        {"algorithms": ()},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256", "XX1")},
        {"keys": (("", b"short"),)},
        {"keys": ()},
        {"keys": (("", RSA_PEM),)},
        {"keys": (("", b"-----BEGIN PUBLIC KEY-----\nxx"),)},
        {"jwks": b"{}"},
        {"jwks": b"no"},
        {"jwks": b'{"keys": []}' + b" " * (1 << 20)},
        {"jwks": b'{"keys": [{"kty": "XX"}]}'},
        {"source": "query:token"},
        {"source": "header:"},
    ],
)
def test_settings_that_make_no_sense(clock: Clock, changed: dict[str, Any]) -> None:
    with pytest.raises(SurfaceError, match="jwt"):
        Tokens(hs256(**changed), clock)


def test_one_token_in_many_spellings_fills_no_memory(make_request: MakeRequest, clock: Clock) -> None:
    tokens = Tokens(hs256(), clock)
    token = signed({"sub": "alice"})
    for prefix in ("Bearer ", "bearer ", "BEARER ", "Bearer  ", "Bearer    "):
        assert tokens.claims(ParsedRequest(make_request([("Authorization", prefix + token)]))) == {"sub": "alice"}
    assert len(tokens._cache) == 1
