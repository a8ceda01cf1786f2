"""Who says who sends: unknown, doubled, forged and expired senders."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.e2e.lab import RULES, Lab, lab
from tests.e2e.node import Answer
from tests.e2e.wire import once

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "dowitcher"
PATH = "/api/articles/1/comments"
BODY = json.dumps({"content": PRIVATE}).encode()
SECRET = "a secret of this test, and of no other thing"
KEYS = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("ours", "foreign")}

# The address counts where a proxy is trusted: 127.0.0.1 is one for this node, as a front would be.
SERVER = 'unmatched_upstream = "platform"\ntrusted_proxies = ["127.0.0.2"]\n'
RULES_BY_ADDRESS = (
    RULES + '  { check = "limit", action = "reject", on_error = "pass", ground = "a", limits = ["ip 2/1h"] },\n'
)
MORE = """
[[routes]]
name = "untrusted"
match = "POST /api/untrusted/{{room}}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = ["header:X-User-Id", "cookie:user", "query:user"]
text = "json:/content"
[policies.by-address]
appeal = "off"
rules = [{rules}]
[[routes]]
name = "by-address"
match = "POST /api/addresses/{{room}}"
surface = "comment"
upstream = "platform"
policy = "by-address"
sender = "header:X-User-Id"
text = "json:/content"
[[routes]]
name = "tokens"
match = "POST /api/tokens/{{room}}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "jwt:sub"
text = "json:/content"
[[routes]]
name = "vouched"
match = "POST /api/vouched/{{room}}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "jwt:sub"
verified = "jwt:verified"
text = "json:/content"
[jwt]
audience = ["platform"]
leeway = "1s"
"""
BY_JWKS = 'jwks = "jwks.json"\nalgorithms = ["RS256"]\n'
BY_SECRET = f'keys = ["{SECRET}"]\nalgorithms = ["HS256"]\n'


def jwks(folder: Path, *names: str) -> None:
    """Write the key set, whole, as a rotation would."""
    keys = [
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[name].public_key())), "kid": name, "use": "sig"}
        for name in names
    ]
    (folder / "jwks.json.new").write_text(json.dumps({"keys": keys}), encoding="utf-8")
    (folder / "jwks.json.new").replace(folder / "jwks.json")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("senders")
    jwks(folder, "ours")
    more = MORE.format(rules=RULES_BY_ADDRESS) + BY_JWKS
    async with lab(folder, server=SERVER, more=more) as made:
        yield made
        await made.sound(PRIVATE, SECRET, "alice", "stranger", "eyJ")


async def say(gate: Lab, path: str, *lines: tuple[str, str], source: str = "127.0.0.1") -> Answer:
    """A comment with these header lines, doubled ones included; ``source`` is the client's address."""
    head = f"POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in lines) + f"Content-Length: {len(BODY)}\r\n\r\n"
    return await once(gate.node, head.encode() + BODY, source=source)


def told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json().get("reason", "")


# Headers


async def test_an_unknown_sender_is_told_so(gate: Lab) -> None:
    assert told(await gate.node.say("stranger", PRIVATE)) == (403, "identity.unknown")


@pytest.mark.parametrize(
    ("lines", "status", "reason"),
    [
        ((), 403, "sender.missing"),
        ((("X-User-Id", ""),), 403, "sender.missing"),
        ((("X-User-Id", "alice"), ("X-User-Id", "bob")), 400, "sender.twice"),
        ((("X-User-Id", "alice"), ("x-user-id", "alice")), 400, "sender.twice"),
        ((("X-User-Id", "alice, bob"),), 400, "sender.twice"),
        ((("X-User-Id", "alice"), ("X_User_Id", "bob")), 400, "head.underscore_name"),
        ((("X-User-Id", "a" * 257),), 400, "sender.malformed"),
        ((("X-User-Id", "alice\tbob"),), 400, "sender.malformed"),
        ((("X-User-Id", "alice\u200b"),), 400, "sender.malformed"),
        ((("X-User-Id", "\u202ealice"),), 400, "sender.malformed"),
    ],
)
async def test_a_sender_is_named_once_and_plainly(
    gate: Lab, lines: tuple[tuple[str, str], ...], status: int, reason: str
) -> None:
    before = len(gate.upstream.received)
    assert told(await say(gate, PATH, *lines)) == (status, reason)
    assert len(gate.upstream.received) == before


@pytest.mark.parametrize("line", [("X-User-Id", "alice"), ("Cookie", "user=alice")])
async def test_a_peer_that_nobody_trusts_names_no_sender(gate: Lab, line: tuple[str, str]) -> None:
    assert told(await say(gate, "/api/untrusted/1", line)) == (403, "sender.untrusted")


async def test_nor_does_it_in_the_query(gate: Lab) -> None:
    assert told(await say(gate, "/api/untrusted/1?user=alice")) == (403, "sender.untrusted")


async def test_a_trusted_proxy_names_the_sender(gate: Lab) -> None:
    answer = await say(gate, "/api/untrusted/1", ("X-User-Id", "alice"), source="127.0.0.2")
    assert answer.status == 201


async def test_the_address_is_whom_the_trusted_proxy_names(gate: Lab) -> None:
    async def via(chain: str, source: str = "127.0.0.2") -> int:
        lines = (("X-User-Id", "alice"), ("X-Forwarded-For", chain))
        return (await say(gate, "/api/addresses/1", *lines, source=source)).status

    # What stands left of the last untrusted address is the client's own invention.
    assert [await via(f"192.0.2.{number}, 198.51.100.7") for number in range(4)] == [201, 201, 429, 429]
    assert await via("198.51.100.8") == 201


# Tokens


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "alice", "aud": "platform", "exp": int(time.time()) + 600, **more}


def token(algorithm: str = "RS256", key: Any = None, kid: str = "ours", **more: Any) -> str:
    key = key or (SECRET if algorithm == "HS256" else KEYS[kid])
    return jwt.encode(claims(**more), key, algorithm=algorithm, headers={"kid": kid} if algorithm == "RS256" else None)


def public_pem() -> bytes:
    return KEYS["ours"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def confused() -> str:
    """Signed with HMAC, and the public key, which everybody knows, as its secret (CVE-2016-10555)."""
    from hashlib import sha256
    from hmac import digest

    from jwt.utils import base64url_encode

    head, payload, _ = token("HS256").split(".")
    signed = f"{head}.{payload}".encode()
    return f"{head}.{payload}.{base64url_encode(digest(public_pem(), signed, sha256)).decode()}"


def altered() -> str:
    head, _, signature = token().split(".")
    _, payload, _ = token(sub="bob").split(".")
    return f"{head}.{payload}.{signature}"


async def test_a_good_token_names_the_sender(gate: Lab) -> None:
    answer = await say(gate, "/api/tokens/1", ("Authorization", f"Bearer {token()}"))
    assert answer.status == 201
    assert gate.judged(answer.headers["tidegate-message-id"])["sender"] == "alice"


BAD_TOKENS = {
    "expired": (lambda: token(exp=int(time.time()) - 60), "jwt.expired"),
    "not yet": (lambda: token(nbf=int(time.time()) + 600), "jwt.invalid"),
    "another audience": (lambda: token(aud="elsewhere"), "jwt.invalid"),
    "no audience": (lambda: jwt.encode({"sub": "alice"}, KEYS["ours"], algorithm="RS256"), "jwt.invalid"),
    "shared secret": (lambda: token("HS256"), "jwt.invalid"),
    "foreign key": (lambda: token(key=KEYS["foreign"]), "jwt.invalid"),
    "unknown kid": (lambda: token(kid="foreign"), "jwt.invalid"),
    "no signature": (lambda: jwt.encode(claims(), None, algorithm="none"), "jwt.invalid"),
    "signature cut off": (lambda: token().rpartition(".")[0] + ".", "jwt.invalid"),
    "public key as secret": (confused, "jwt.invalid"),
    "another algorithm": (lambda: token("RS512", KEYS["ours"]), "jwt.invalid"),
    "altered": (altered, "jwt.invalid"),
    "no token": (lambda: "garbage", "jwt.invalid"),
    "endless": (lambda: "eyJ" + "A" * 9000, "jwt.invalid"),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_bad_token_names_nobody(gate: Lab, name: str) -> None:
    make, reason = BAD_TOKENS[name]
    answer = await say(gate, "/api/tokens/1", ("Authorization", f"Bearer {make()}"))
    assert told(answer) == (401, reason)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_no_token_is_told_as_such(gate: Lab) -> None:
    # A header that a client may write does not stand in for a token.
    assert told(await say(gate, "/api/tokens/1", ("X-User-Id", "alice"))) == (401, "jwt.missing")
    assert told(await say(gate, "/api/tokens/1", ("Authorization", "Basic YTpi"))) == (401, "jwt.missing")


async def test_two_tokens_are_none(gate: Lab) -> None:
    lines = [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token(sub='bob')}")]
    assert told(await say(gate, "/api/tokens/1", *lines)) == (401, "jwt.invalid")


async def test_a_remembered_token_ends_when_it_ends(gate: Lab) -> None:
    """A token checked once is remembered, and still expires: leeway is one second."""
    line = ("Authorization", f"Bearer {token(exp=time.time() + 0.2)}")
    assert (await say(gate, "/api/tokens/1", line)).status == 201
    end = time.monotonic() + 5
    while (answer := await say(gate, "/api/tokens/1", line)).status == 201 and time.monotonic() < end:
        await asyncio.sleep(0.05)  # there is a limit of messages as well
    assert told(answer) == (401, "jwt.expired")


@pytest.mark.parametrize(
    ("verified", "status", "reason"),
    [(True, 201, ""), (False, 403, "identity.unverified"), (1_000_000_001, 403, "identity.expired")],
)
async def test_a_token_may_vouch_for_an_identity(gate: Lab, verified: Any, status: int, reason: str) -> None:
    line = ("Authorization", f"Bearer {token(sub='stranger', verified=verified)}")
    assert told(await say(gate, "/api/vouched/1", line)) == (status, reason)


async def test_keys_rotate_without_a_restart(gate: Lab) -> None:
    """The file changes; old keys end, new ones count, and nobody sends a signal."""
    old, new = (("Authorization", f"Bearer {token(kid=name)}") for name in ("ours", "foreign"))
    assert told(await say(gate, "/api/tokens/1", new)) == (401, "jwt.invalid")
    jwks(gate.config.parent, "foreign")
    end = time.monotonic() + 15
    while (await say(gate, "/api/tokens/1", new)).status != 201:
        assert time.monotonic() < end
    assert told(await say(gate, "/api/tokens/1", old)) == (401, "jwt.invalid")


async def test_a_broken_key_file_keeps_the_good_keys(gate: Lab) -> None:
    (gate.config.parent / "jwks.json").write_text('{"keys": [{"kty": "RSA"', encoding="utf-8")
    answer = await gate.node.manage("POST", "/v1/reload", {"reason": "keys"})
    assert "jwks" in str(answer.json())
    line = ("Authorization", f"Bearer {token(kid='foreign')}")
    assert (await say(gate, "/api/tokens/1", line)).status == 201


async def test_shared_secrets(gate: Lab) -> None:
    """The other kind of key, by a reload: what public keys proved counts no more."""
    text = gate.config.read_text(encoding="utf-8")
    gate.config.write_text(text.replace(BY_JWKS, BY_SECRET), encoding="utf-8")
    reloaded = await gate.node.manage("POST", "/v1/reload", {"reason": "keys"})
    assert reloaded.status == 200, reloaded

    async def with_token(text: str) -> tuple[int, str]:
        return told(await say(gate, "/api/tokens/1", ("Authorization", f"Bearer {text}")))

    assert await with_token(token("HS256")) == (201, "")
    assert await with_token(token("HS256", exp=int(time.time()) - 60)) == (401, "jwt.expired")
    assert await with_token(token("HS256", "x" * 40)) == (401, "jwt.invalid")
    assert await with_token(token("HS512", "x" * 80)) == (401, "jwt.invalid")
    assert await with_token(jwt.encode(claims(), None, algorithm="none")) == (401, "jwt.invalid")
    assert await with_token(token(kid="foreign")) == (401, "jwt.invalid")
