"""Synapse, as it comes from PyPI, and people with matrix-nio as their client."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.node import Node
from tests.platforms import install
from tests.platforms.acts import Acts, Edits, Enter, Told, last
from tests.platforms.gate import FREE
from tests.platforms.presets import preset_gate
from tests.platforms.program import Client, Program

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = Path(__file__).parent / "programs" / "matrix_people.py"
PRESET = "synapse"
WORKERS = 3
OFTEN = "{ per_second: 1000, burst_count: 1000 }"
HOMESERVER = """
server_name: chat.example
pid_file: %(folder)s/synapse.pid
listeners:
  - port: %(port)s
    type: http
    tls: false
    x_forwarded: true
    bind_addresses: ["127.0.0.1"]
    resources: [{ names: [client] }]
database: { name: sqlite3, args: { database: "%(folder)s/synapse.sqlite3" } }
log_config: %(folder)s/log.yaml
media_store_path: %(folder)s/media
signing_key_path: %(folder)s/signing.key
macaroon_secret_key: %(secret)s
form_secret: %(secret)s
report_stats: false
trusted_key_servers: []
enable_registration: true
enable_registration_without_verification: true
rc_message: %(often)s
rc_registration: %(often)s
rc_login: { address: %(often)s, account: %(often)s, failed_attempts: %(often)s }
rc_joins: { local: %(often)s, remote: %(often)s }
rc_joins_per_room: %(often)s
"""
LOG = """
version: 1
handlers: { console: { class: logging.StreamHandler } }
root: { level: WARNING, handlers: [console] }
"""


class Matrix(NamedTuple):
    """The server and its port."""

    program: Program
    port: int


class Member:
    """One log-in of somebody."""

    def __init__(self, people: Client, entered: dict[str, Any]) -> None:
        self.people = people
        self.number = entered["person"]
        self.sender = entered["id"]
        self.token = entered["token"]

    async def call(self, name: str, /, **arguments: Any) -> Any:
        return await self.people.call(name, person=self.number, **arguments)

    async def write(self, text: str) -> Told:
        return told(await self.call("send", content={"msgtype": "m.text", "body": text}))

    async def change(self, key: str, text: str) -> Told:
        content = {
            "msgtype": "m.text", "body": f"* {text}", "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": key},
        }  # fmt: skip
        return told(await self.call("send", content=content))

    async def read(self) -> list[str]:
        texts: list[str] = await self.call("read")
        return texts

    async def known(self) -> bool:
        return bool(await self.call("known"))


def told(answer: dict[str, Any]) -> Told:
    """Of what the client's program says."""
    return Told(answer["went"], answer.get("words", ""), answer.get("key", ""))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def synapse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    python = install.python("synapse") / "python"
    folder = tmp_path_factory.mktemp("synapse")
    port = free_port()
    said = {"folder": folder, "port": port, "often": OFTEN, "secret": secrets.token_hex(16)}
    (folder / "homeserver.yaml").write_text(HOMESERVER % said, encoding="utf-8")
    (folder / "log.yaml").write_text(LOG, encoding="utf-8")
    argv = [python, "-m", "synapse.app.homeserver", "-c", folder / "homeserver.yaml"]
    keys = await asyncio.create_subprocess_exec(*argv, "--generate-keys", cwd=folder)
    assert await keys.wait() == 0
    program = Program("synapse", argv, folder, f"http://127.0.0.1:{port}/_matrix/client/versions")
    await program.start()
    yield Matrix(program, port)
    await program.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(synapse: Matrix, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    async with preset_gate(PRESET, tmp_path_factory.mktemp("gate"), synapse.port, workers=WORKERS) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enter(node: Node, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Enter]:
    python = install.python("matrix-nio") / "python"
    people = Client([python, PEOPLE, f"http://127.0.0.1:{node.port}"], tmp_path_factory.mktemp("people"))
    await people.start()

    async def member(name: str, **more: Any) -> Member:
        return Member(people, await people.call("enter", name=name, **more))

    yield member
    await people.stop()


async def send(node: Node, member: Member, body: Any, path: str = "", method: str = "PUT") -> tuple[int, Any]:
    """One message on a connection of its own, so that any worker may get it."""
    path = path or f"/_matrix/client/v3/rooms/{await room(member)}/send/m.room.message/{secrets.token_hex(8)}"
    head = {"Authorization": f"Bearer {member.token}"}
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{node.port}{path}"
        async with session.request(method, url, json=body, headers=head) as answer:
            return answer.status, await answer.json(content_type=None)


def hello(text: str) -> dict[str, str]:
    """A message of its own: the same again would be a repetition."""
    return {"msgtype": "m.text", "body": f"hello, {text}"}


async def room(member: Member) -> str:
    """As it stands in a path."""
    return quote(await member.call("where"), safe="")


class TestSynapse(Acts, Edits):
    async def test_two_log_ins_of_one_person_share_limits_and_blocks(self, enter: Enter, node: Node) -> None:
        first, second = await enter("twice"), await enter("twice")
        assert first.token != second.token
        texts = [await (first, second)[number % 2].write(f"twice, {number}") for number in range(FREE + 2)]
        assert [one.went for one in texts] == [True] * FREE + [False] * 2
        here, there = await enter("blocked"), await enter("blocked")
        assert (await here.write("not blocked yet")).went
        block = {"scope": "sender", "value": here.sender, "reason": "spam", "ground": "agreement 6.1"}
        assert (await node.manage("POST", "/v1/blocks", block)).status < 300
        async with asyncio.timeout(10):
            while (await there.write("is it?")).went:
                pass
        refused = [await here.write("here"), await there.write("there")]
        assert [one.went for one in refused] == [False, False]
        assert await here.known()
        assert await there.known()

    async def test_a_patient_client_waits_as_long_as_it_is_told(self, enter: Enter) -> None:
        """What nio does by itself with M_LIMIT_EXCEEDED is to wait ``retry_after_ms``, and to send again."""
        hasty = await enter("hasty")
        answers = [await hasty.call("send", content={"msgtype": "m.text", "body": f"hasty {one}"})
                   for one in range(FREE + 1)]  # fmt: skip
        assert answers[-1]["code"] == "M_LIMIT_EXCEEDED"
        assert 1000 <= answers[-1]["retry"] <= 60_000
        assert not answers[-1]["gone"]

    @pytest.mark.parametrize("html", ["代<b>开</b>发票", "代&#24320;发票", "代<!-- -->开发票"])
    async def test_what_html_makes_of_it_counts(self, enter: Enter, html: str) -> None:
        member = await enter(f"html{len(html)}")
        content = {"msgtype": "m.text", "body": "ah", "format": "org.matrix.custom.html", "formatted_body": html}
        assert not told(await member.call("send", content=content)).went

    async def test_names_topics_and_reactions_are_judged(self, enter: Enter) -> None:
        nell = await enter("nell")
        event = (await nell.write("nell has a topic")).key
        reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "cheappills"}}
        for answer in (
            await nell.call("name", name="代开发票"),
            await nell.call("send", kind="m.reaction", content=reaction),
        ):
            assert not answer["went"]
            assert "The text breaks the rules" in answer["words"]
        good = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "👍"}}
        assert (await nell.call("send", kind="m.reaction", content=good))["went"]
        assert (await nell.call("name", name="Nell"))["went"]
        assert await nell.known()

    async def test_no_address_leads_around(self, enter: Enter, node: Node) -> None:
        """Every spelling of sending that Synapse has, each with a text that breaks the rules."""
        ray = await enter("ray")
        bad = {"msgtype": "m.text", "body": "ray has cheappills"}
        where = await room(ray)
        for method, path in (
            ("PUT", f"/_matrix/client/r0/rooms/{where}/send/m.room.message/1"),
            ("PUT", f"/_matrix/client/unstable/rooms/{where}/send/m.room.message/2"),
            ("PUT", f"/_matrix/client/api/v1/rooms/{where}/send/m.room.message/3"),
            ("POST", f"/_matrix/client/v3/rooms/{where}/send/m.room.message"),
            ("POST", f"/_matrix/client/api/v1/rooms/{where}/send/m.room.message"),
            ("PUT", f"/_matrix/client/v3/rooms/{where}/send/m.room.encrypted/4"),
            ("PUT", f"/_matrix/client/v3/rooms/{where}/send/org.example.note/5"),
            ("PUT", f"/_matrix/client/v3/rooms/{where}/state/org.example.note"),
        ):
            status, answer = await send(node, ray, bad, path, method)
            assert status in (400, 403), (path, answer)
        assert not any("cheap" in text for text in await ray.read())

    async def test_what_else_people_read_is_judged(self, enter: Enter, node: Node) -> None:
        """Each by a body that Synapse takes, as it does with other words, and refused with these by the gateway."""
        una = await enter("una")
        events = [quote((await una.write(f"una has {one} topics")).key) for one in range(2)]
        room_of = await send(node, una, {"name": "una's own"}, "/_matrix/client/v3/createRoom", "POST")
        where, own = await room(una), quote(room_of[1]["room_id"])
        for method, path, body in (
            ("POST", "createRoom", {"name": "?"}),
            ("PUT", f"rooms/{where}/redact/{events[0]}/1?", {"reason": "?"}),
            ("POST", f"rooms/{where}/redact/{events[1]}", {"reason": "?"}),
            ("PUT", f"presence/{quote('@una:chat.example')}/status", {"presence": "online", "status_msg": "?"}),
            ("PUT", f"rooms/{own}/state/m.room.topic/", {"topic": "?"}),
            ("PUT", f"rooms/{own}/state/m.room.topic", {"topic": "ah", "m.topic": {"m.text": [{"body": "?"}]}}),
            ("PUT", f"rooms/{own}/state/im.vector.modular.widgets/w", {"type": "m.custom", "url": "/", "name": "?"}),
            ("POST", f"rooms/{own}/leave", {"reason": "?"}),
        ):
            for number, words in enumerate(("cheappills", f"una says {method} {len(path)}")):
                target = "/_matrix/client/v3/" + path.replace("?", str(number))
                told = json.loads(json.dumps(body).replace("?", words))
                status, answer = await send(node, una, told, target, method)
                assert (status == 200) is (number == 1), (target, status, answer)
                assert number or "The text breaks the rules" in answer["error"], answer

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node) -> None:
        sam, tom = await enter("sam"), await enter("tom")
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        await tom.call("sync")
        assert await sam.call("upload", size=300_000) == 300_000
        assert (await sam.call("typing"))["went"]
        key = (await sam.write("sam writes to tom")).key
        assert "sam writes to tom" in await tom.call("sync", wait=10_000)
        assert (await tom.call("receipt", event=key))["went"]
        assert (await sam.call("redact", event=key))["went"]
        assert "sam writes to tom" not in await tom.read()
        assert sum(1 for one in node.records() if one["kind"] == "judged") == before + 1

    async def test_a_waiting_sync_is_answered_at_once(self, enter: Enter, synapse: Matrix, node: Node) -> None:
        """Long polling is held by nobody but the platform."""
        una = await enter("una")
        url = f"http://127.0.0.1:{node.port}/_matrix/client/v3/sync"
        head = {"Authorization": f"Bearer {una.token}"}
        async with aiohttp.ClientSession(headers=head) as session:
            async with session.get(url, params={"timeout": "0"}) as answer:
                since = (await answer.json())["next_batch"]

            async def wait() -> float:
                async with session.get(url, params={"timeout": "60000", "since": since}) as answer:
                    assert "una, now" in await answer.text()
                    return time.monotonic()

            waiting = asyncio.create_task(wait())
            await una.call("sync")  # the other has begun to wait before this is answered
            assert (await una.write("una, now")).went
            sent = time.monotonic()
            assert await waiting - sent < 5

    async def test_a_log_out_ends_it_on_every_worker(self, enter: Enter, node: Node) -> None:
        leo, left = await enter("leo"), await enter("leo")
        for number in range(FREE):  # whichever worker: each knows them afterwards, or asks
            status, answer = await send(node, leo, {"msgtype": "m.text", "body": f"leo, {number}"})
            assert status == 200, answer
        assert (await leo.call("log_out"))["went"]
        await asyncio.sleep(1)
        for _ in range(20):
            status, answer = await send(node, leo, {"msgtype": "m.text", "body": "leo, gone"})
            assert (status, answer["errcode"]) == (401, "M_UNKNOWN_TOKEN")
        assert await left.known()
        assert "leo, gone" not in await left.read()

    async def test_invented_tokens_reach_nobody(self, enter: Enter, node: Node) -> None:
        mole = await enter("mole")
        mole.token = "syt_invented"
        status, answer = await send(node, mole, {"msgtype": "m.text", "body": "mole"})
        assert (status, answer["errcode"]) == (401, "M_UNKNOWN_TOKEN")

    async def test_a_platform_that_stops_is_told_as_declared(self, enter: Enter, node: Node, synapse: Matrix) -> None:
        """Whoever is known is judged, and the record says what became of it; nobody else comes in."""
        pat, new = await enter("pat"), await enter("new")
        path = f"/_matrix/client/v3/rooms/{await room(pat)}/send/m.room.message/"
        for number in range(FREE - 2):
            assert (await send(node, pat, hello(f"a{number}"), f"{path}a{number}"))[0] == 200
        synapse.program.pause()
        try:
            began = time.monotonic()
            status, answer = await send(node, new, hello("b"), f"{path}b")
            assert (status, answer["errcode"]) == (503, "M_UNKNOWN")
            assert time.monotonic() - began < 10
            bad = {"msgtype": "m.text", "body": "pat has cheappills"}
            status, answer = await send(node, pat, bad, f"{path}c")
            assert (status, answer["errcode"]) in (
                (403, "M_FORBIDDEN"),
                (503, "M_UNKNOWN"),
            )
        finally:
            synapse.program.resume()
        assert (await send(node, new, hello("d"), f"{path}d"))[0] == 200
        await synapse.program.stop()
        status, answer = await send(node, pat, hello("e"), f"{path}e")
        assert (status, answer["errcode"]) in ((502, "M_UNKNOWN"), (503, "M_UNKNOWN"))
        await synapse.program.start()
        async with asyncio.timeout(60), aiohttp.ClientSession(f"http://127.0.0.1:{node.port}") as session:
            while True:  # the gate lets a server rest that failed
                async with session.get("/_matrix/client/versions") as found:
                    if found.status == 200:
                        break
                await asyncio.sleep(0.1)
        assert (await send(node, new, hello("f"), f"{path}f"))[0] == 200
        assert last(node)["sender"] == new.sender
        assert await pat.known()
