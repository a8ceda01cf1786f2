"""Keys rotate while the gateway runs: a changed JWKS file is followed, however it is put there, again and again."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "dunnock"
ROUTE = """
[jwt]
algorithms = ["HS256"]
jwks = "jwks.json"
[[routes]]
name = "tokens"
match = "POST /tokens/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "jwt:sub"
text = "json:/content"
"""


def secret(name: str) -> bytes:
    return name.encode().ljust(32, b"-")


def jwks(*names: str) -> str:
    """A set of secrets; each is known by its name."""
    keys = [
        {"kty": "oct", "kid": name, "k": base64.urlsafe_b64encode(secret(name)).rstrip(b"=").decode()} for name in names
    ]
    return json.dumps({"keys": keys})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "jwks.json").write_text(jwks("first"), encoding="utf-8")
    async with lab(folder, more=ROUTE) as made:
        yield made
        await made.sound(PRIVATE, "alice")


async def status(gate: Lab, name: str) -> int:
    """The answer to alice, whose token this key has signed."""
    token = jwt.encode({"sub": "alice", "exp": int(time.time()) + 3600}, secret(name), "HS256", headers={"kid": name})
    body = json.dumps({"content": PRIVATE}).encode()
    fields = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return (await gate.node.ask("POST", "/tokens/1", body, fields)).status


async def in_force(gate: Lab, name: str, *revoked: str) -> None:
    """Until this key is taken, and none of the others any more."""
    async with asyncio.timeout(30):
        while await status(gate, name) != 201:
            await asyncio.sleep(0.1)
    for other in revoked:
        assert await status(gate, other) == 401


def put(path: Path, text: str) -> None:
    """As rotating programs do: a new file takes the place of the old one."""
    aside = path.with_name("aside")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


async def test_keys_rotate_by_rename_again_and_again(gate: Lab) -> None:
    file = gate.config.with_name("jwks.json")
    await in_force(gate, "first")
    before = "first"
    for name in ("second", "third", "fourth"):
        put(file, jwks(name))
        await in_force(gate, name, before)
        before = name


async def test_keys_rotate_by_unlink_and_create_and_in_place(gate: Lab) -> None:
    file = gate.config.with_name("jwks.json")
    put(file, jwks("here"))
    await in_force(gate, "here")
    file.unlink()
    assert await status(gate, "here") == 201
    file.write_text(jwks("again"), encoding="utf-8")
    await in_force(gate, "again", "here")
    file.write_text(jwks("in-place"), encoding="utf-8")
    await in_force(gate, "in-place", "again")


async def test_a_broken_set_changes_nothing_and_a_mended_one_is_taken(gate: Lab) -> None:
    file = gate.config.with_name("jwks.json")
    put(file, jwks("sound"))
    await in_force(gate, "sound")
    put(file, "{")
    async with asyncio.timeout(30):
        while "not a JWK set" not in gate.node.told(everything=True):
            await asyncio.sleep(0.1)
    assert await status(gate, "sound") == 201
    put(file, jwks("mended"))
    await in_force(gate, "mended", "sound")


async def test_the_file_that_a_reload_names_is_followed(gate: Lab) -> None:
    """Mounted as Kubernetes does: a link to a link to a folder, and the middle one is swapped."""
    mounted = gate.config.with_name("mounted")
    for number in (1, 2):
        (mounted / f"..{number}").mkdir(parents=True)
        (mounted / f"..{number}" / "jwks.json").write_text(jwks(f"mounted-{number}"), encoding="utf-8")
    (mounted / "..data").symlink_to("..1")
    (mounted / "jwks.json").symlink_to("..data/jwks.json")
    text = gate.config.read_text(encoding="utf-8")
    put(gate.config, text.replace('"jwks.json"', '"mounted/jwks.json"'))
    answer = await gate.node.manage("POST", "/v1/reload", {"reason": "test"})
    assert answer.json()["result"]["ok"] is True
    assert await status(gate, "mounted-1") == 201
    (mounted / "..next").symlink_to("..2")
    (mounted / "..next").replace(mounted / "..data")
    await in_force(gate, "mounted-2", "mounted-1")
