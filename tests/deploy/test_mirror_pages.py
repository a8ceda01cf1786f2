"""A web server of another user reads the mirror's folder: open rooms from the disk, guarded ones never."""

from __future__ import annotations

import asyncio
import gzip
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
import pytest_asyncio

from gateway.mirror.pages.names import folder_name
from tests.deploy.front import NAME, PROGRAMS, Front, Gate, prepared, running
from tests.deploy.test_fronts import ask
from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer
from tests.e2e.upstream import Received, created

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.whole]  # make deploy-check

SERVER = 'unmatched_upstream = "platform"\ntrusted_proxies = ["127.0.0.1/32"]\n'
ROUTES = """
[mirror]
dir = "{pages}"
page_size = 10
language = "en"
[[routes]]
name = "open"
match = "POST /api/open/{{room}}"
surface = "danmaku"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
page = "/videos/{{room}}"
takedown = {{ match = "DELETE /api/open/{{room}}/{{id}}", confirm_within = "1s" }}
upstream_id = "json:/id"
[[routes]]
name = "guarded"
match = "POST /api/guarded/{{room}}"
surface = "danmaku"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
page = "/videos/{{room}}"
access = "GET /rooms/{{room}}"
"""


class Town(NamedTuple):
    """A gate with a mirror, and nginx in front, whose workers run as a user of their own."""

    lab: Lab
    front: Front
    pages: Path

    async def bullets(self, route: str, room: str, *texts: str) -> str:
        """Let them fly and wait until the last is on its page; its id."""
        for text in texts:
            answer = await self.lab.node.say("alice", text, f"/api/{route}/{quote(room)}")
            assert answer.status == 201
        message_id = answer.headers["tidegate-message-id"]
        async with asyncio.timeout(30):
            folder = self.pages / folder_name(room)
            while not any(message_id in page.read_text() for page in folder.glob("[0-9]*.html")):
                await asyncio.sleep(0.05)
        return message_id

    async def get(self, path: str, *more: str) -> Answer:
        return await ask(self.front, f"/mirror/{path}", "--path-as-is", *more)


async def platform(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Members may read the guarded rooms."""
    if request.line.startswith("GET /rooms/") and "member=1" not in request.headers.get("cookie", ""):
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
    else:
        await created(request, reader, writer)


def laid_out(folder: Path) -> tuple[Path, Path]:
    """A folder that everybody may enter, one of the gate's alone in it, and where the mirror is to be."""
    folder.chmod(0o755)
    (folder / "gate").mkdir(mode=0o700)
    pages = folder / "www" / "mirror"
    pages.parent.mkdir(mode=0o755)
    return folder, pages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Town]:
    if os.geteuid():
        pytest.skip("needs root: nginx as a user of its own")
    # Not below the folder of the other tests, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="tidegate-mirror-") as made:
        folder, pages = laid_out(Path(made))
        more = ROUTES.format(pages=pages)
        async with lab(folder / "gate", server=SERVER, more=more) as behind:
            behind.upstream.behave = platform
            gate = Gate(behind.node.port, behind.node.control_port, pages=pages)
            async with running(PROGRAMS["nginx"], prepared(folder / "nginx"), gate) as front:
                yield Town(behind, front, pages)


def from_disk(answer: Answer) -> bool:
    """The gate's answers have a validator."""
    return answer.status == 200 and "etag" not in answer.headers


async def test_an_open_room(town: Town) -> None:
    await town.bullets("open", "7", *(f"bullet {number}" for number in range(12)), "你好")
    first, growing = await town.get("7/1.html"), await town.get("7/2.html")
    assert from_disk(first)
    assert from_disk(growing)
    assert b"bullet 0<" in first.body
    assert "你好".encode() in growing.body
    for page in (first, growing):
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["x-robots-tag"] == "noindex"
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    told = await town.get("7/1.json")
    assert from_disk(told)
    assert told.headers["content-type"].startswith("application/json")
    assert len(told.json()["bullets"]) == 10
    packed = await town.get("7/1.html", "--header", "Accept-Encoding: gzip")
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed.body) == first.body


async def test_what_the_gate_has_comes_from_the_gate(town: Town) -> None:
    await town.bullets("open", "房 1", "from far away")
    for path, part in (
        ("7/", b"bullet 11"),
        ("7/fragment", b"bullet 11"),
        ("7/index.json", b'"pages":2'),
        ("embed.js", b"data-room"),
        ("nobody/1.html", b""),
        ("%E6%88%BF%201/1.html", b"from far away"),
    ):
        answer = await town.get(path)
        assert not from_disk(answer), path
        assert part in answer.body, path
    assert from_disk(await town.get("=E6=88=BF=201/1.html"))


async def test_private_files_are_never_served(town: Town) -> None:
    await town.bullets("open", "private", "words")
    hidden = sorted(path.name for path in (town.pages / "private").glob(".*"))
    assert ".routes" in hidden
    tries = [f"private/{name}" for name in hidden]
    tries += [".projector/checkpoint", "private/../.projector/checkpoint", "private/%2e%2e/.projector/checkpoint"]
    for path in [*tries, "../gate/tidegate.toml", "private/..%2f..%2fgate/tidegate.toml", ""]:
        answer = await town.get(path)
        assert answer.status in (201, 400, 403, 404), path  # 201: it leads out of the mirror, to the platform
        assert b"words" not in answer.body, path


async def test_a_guarded_room(town: Town) -> None:
    await town.bullets("guarded", "secret", *(f"whisper {number}" for number in range(11)))
    for path in ("secret/1.html", "secret/2.html", "secret/1.json", "secret/1.html.gz", "secret/index.html", "secret/"):
        assert (await town.get(path)).status in (403, 404), path
        assert (await town.get(path, "--header", "Accept-Encoding: gzip")).status in (403, 404), path
    member = await town.get("secret/1.html", "--cookie", "member=1")
    assert (member.status, member.headers["cache-control"][:7]) == (200, "private")
    assert b"whisper 0<" in member.body


async def test_a_removal_reaches_the_page_at_once(town: Town) -> None:
    message_id = await town.bullets("open", "8", "stays", "goes")
    assert b"goes" in (await town.get("8/1.html")).body
    taken = await town.lab.node.manage("POST", "/v1/takedowns", {"reason": "order 7", "id": message_id})
    assert taken.status in (200, 201, 202), taken
    async with asyncio.timeout(30):
        while b"goes" in (page := await town.get("8/1.html")).body:
            await asyncio.sleep(0.05)
    assert from_disk(page)
    assert b"stays" in page.body


async def test_a_reload_that_guards_a_room_closes_it(town: Town) -> None:
    text = town.lab.config.read_text(encoding="utf-8")
    await town.bullets("open", "9", "in the open")
    for change, status in (('access = "GET /rooms/{room}"\n', 403), ("", 200)):
        town.lab.config.write_text(
            text.replace('match = "POST /api/open/{room}"\n', f'match = "POST /api/open/{{room}}"\n{change}'),
            encoding="utf-8",
        )
        assert (await town.lab.node.manage("POST", "/v1/reload", {"reason": "access"})).json()["result"]["ok"]
        async with asyncio.timeout(30):
            while (await town.get("9/1.html")).status != status:
                await asyncio.sleep(0.05)


async def test_without_the_gate_the_static_version_stays(town: Town) -> None:
    await town.bullets("open", "10", "still here")
    await town.bullets("guarded", "hidden", "not for all")
    assert await town.lab.node.stop() == 0
    for path in ("10/1.html", "10/"):
        page = await town.get(path)
        assert page.status == 200, path
        assert b"still here" in page.body
        assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in ("hidden/1.html", "hidden/", "hidden/.routes", "10/.routes", ".projector/checkpoint"):
        answer = await town.get(path)
        assert answer.status == 503, path
        assert answer.headers["content-type"] == "application/problem+json", (path, answer)
    assert NAME in town.front.curl("/")[-1]
