"""What is shipped for nginx, HAProxy, Caddy and Envoy: accepted by each, and a gate behind each as a browser has it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
import websockets

from rig.ports import free_port, free_ports
from tests.certificates import make, trusting
from tests.deploy.front import FRONTS, NAME, PROGRAMS, Front, Gate, Places, checked, prepared, running
from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer
from tests.e2e.upstream import Received, created

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/articles/1/comments"
BROWSER = "127.0.0.9"
SERVER = """
listen = ["127.0.0.1:{{port}}"]
trusted_proxies = ["127.0.0.1/32"]
tls = {{{{ listen = "127.0.0.1:{named}", certificates = [{{{{ certificate = "c.pem", key = "c.key" }}}}] }}}}
proxy_protocol = {{{{ "127.0.0.1:{named}" = ["127.0.0.1"] }}}}
"""
# Behind fronts that carry bytes the browser is the peer, and nobody stands between to say who sends.
ROUTES = f"""
[[routes]]
name = "posts"
match = "POST /api/posts/{{room}}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = ["header:X-User-Id", "cookie:user"]
trust = ["{BROWSER}/32"]
keep = ["ip"]
text = "json:/content"
[[routes]]
name = "chat"
match = "GET /chat/{{room}}"
transport = "websocket"
surface = "group"
upstream = "echo"
policy = "comment"
sender = "cookie:user"
trust = ["{BROWSER}/32"]
text = "json:/content"
[upstreams.echo]
servers = ["http://127.0.0.1:ECHO"]
"""
POST = "/api/posts/1"


class Behind(NamedTuple):
    """A gate, and where it listens."""

    lab: Lab
    gate: Gate


async def echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Behind]:
    folder = tmp_path_factory.mktemp("behind")
    make(folder, NAME, stem="c")
    named = free_port()
    async with websockets.serve(echo, "127.0.0.1", 0) as platform:
        port = platform.sockets[0].getsockname()[1]
        async with lab(
            folder,
            listen=SERVER.format(named=named),
            server='unmatched_upstream = "platform"\n',
            more=ROUTES.replace("ECHO", str(port)),
        ) as made:
            yield Behind(made, Gate(made.node.port, made.node.control_port, named))
            await made.sound()


# Each with a gate behind it is for `make deploy-check`.
BEHIND = [pytest.param(name, marks=pytest.mark.whole) for name in PROGRAMS]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BEHIND)
async def front(
    request: pytest.FixtureRequest, behind: Behind, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Front]:
    one = PROGRAMS[request.param]
    places = prepared(tmp_path_factory.mktemp(request.param))
    if request.param == "haproxy-tcp":  # the gate's own certificate is the one that is seen
        (places.folder / f"{NAME}.pem").write_bytes((behind.lab.config.parent / "c.pem").read_bytes())
    async with running(one, places, behind.gate) as made:
        async with asyncio.timeout(30):  # until its first look at the gate is done
            while (await ask(made, "/warm")).status != 201:
                await asyncio.sleep(0.1)
        yield made


async def ask(front: Front, path: str, *more: str, body: Any = None, plain: bool = False) -> Answer:
    """One request; the answer's version of HTTP is its field ``:version``."""
    if body is not None:
        data = body if isinstance(body, str) else json.dumps(body)
        more = ("--data-binary", data, "--header", "Content-Type: application/json", *more)
    argv = front.curl(path, "--include", "--write-out", "\n%{http_version}", *more, source=BROWSER, plain=plain)
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await process.communicate()
    assert process.returncode == 0, (said, front.told()[-2000:])
    answer, _, version = out.rpartition(b"\n")
    while True:
        head, _, answer = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status >= 200:
            break
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    fields = {name.decode().lower(): value.strip().decode() for name, _, value in lines}
    return Answer(status, {**fields, ":version": version.decode()}, answer)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_each_file_is_accepted_by_its_program(name: str, tmp_path: Path) -> None:
    ports = free_ports(3)
    told = checked(PROGRAMS[name], prepared(tmp_path), Gate(*ports))
    assert told.returncode == 0, told.stderr
    # The certificate of these tests names nobody who could say whether it was revoked: Caddy tells so.
    said = [line for line in (told.stdout + told.stderr).splitlines() if "stapling OCSP" not in line]
    assert not [line for line in said if re.search("(?i)warn|deprecat", line)], said


async def test_a_judged_comment(front: Front, behind: Behind) -> None:
    passed = await ask(front, POST, "--cookie", "user=alice", body={"content": "sandpiper"})
    assert (passed.status, passed.headers[":version"]) == (201, front.http)
    seen = behind.lab.upstream.received[-1].headers
    assert (seen["x-forwarded-proto"], seen["host"]) == ("https", f"{NAME}:{front.places.https}")
    assert seen["x-forwarded-for"].split(", ")[0] == BROWSER
    record = behind.lab.judged(seen["tidegate-message-id"])
    assert (record["sender"], record["personal"]["plain"]["ip"]) == ("alice", BROWSER)
    refused = await ask(front, POST, "--cookie", "user=alice", body={"content": "代开发票"})
    assert (refused.status, refused.headers["content-type"]) == (403, "application/problem+json")
    assert (refused.json()["reason"], refused.json()["message_id"]) == (
        "keyword.match",
        refused.headers["tidegate-message-id"],
    )


async def test_what_a_client_claims_is_not_the_fronts_word(front: Front, behind: Behind) -> None:
    claims = {
        "X-User-Id": "bob",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }
    fields = [part for name, value in claims.items() for part in ("--header", f"{name}: {value}")]
    if front.http == "1.1":  # bytes are carried: the browser itself is whom the route trusts here
        fields = fields[2:]
    passed = await ask(front, POST, "--cookie", "user=alice", *fields, body={"content": "sandpiper"})
    assert passed.status == 201
    seen = behind.lab.upstream.received[-1].headers
    record = behind.lab.judged(seen["tidegate-message-id"])
    assert (record["sender"], record["personal"]["plain"]["ip"]) == ("alice", BROWSER)
    told = [seen.get(name, "") for name in ("x-forwarded-host", "x-forwarded-port", "x-real-ip", "forwarded")]
    assert not any("203.0.113.9" in value or "evil" in value or value == "1" for value in told)
    assert "evil" not in seen["x-forwarded-for"]


async def test_a_judged_message_on_a_socket(front: Front) -> None:
    tls = trusting_front(front.places)
    url = f"wss://{NAME}:{front.places.https}/chat/7"
    async with websockets.connect(
        url, host="127.0.0.1", ssl=tls, additional_headers={"Cookie": "user=alice"}, proxy=None,
        local_addr=(BROWSER, 0), origin=f"https://{NAME}:{front.places.https}",
    ) as alice:  # fmt: skip
        await alice.send('{"content": "hello"}')
        assert json.loads(await asyncio.wait_for(alice.recv(), 30)) == {"content": "hello"}
        await alice.send('{"content": "代开发票"}')
        told = json.loads(await asyncio.wait_for(alice.recv(), 30))
        assert (told["verdict"], told["reason"]) == ("reject", "keyword.match")
    assert alice.close_code == 1000


async def test_a_large_upload(front: Front, behind: Behind, tmp_path: Path) -> None:
    data = bytes(range(256)) * 32768  # 8 MiB
    (tmp_path / "large").write_bytes(data)
    sent = await ask(front, "/upload", "--upload-file", str(tmp_path / "large"))
    assert sent.status == 201
    received = behind.lab.upstream.received[-1]
    assert hashlib.sha256(received.body).digest() == hashlib.sha256(data).digest()


async def test_the_gate_itself_refuses_what_is_too_large(front: Front, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 3_000_000)
    more = ("--data-binary", f"@{tmp_path / 'large'}", "--header", "Content-Type: application/json")
    # Envoy ends a stream behind such an answer at once (RFC 9113 section 8.1), which curl 7.88 takes for a failure.
    refused = await ask(front, POST, "--cookie", "user=alice", "--http1.1", *more)
    assert (refused.status, refused.json()["reason"]) == (413, "body.too_large")


async def test_an_event_stream_arrives_as_it_is_written(front: Front, behind: Behind) -> None:
    heard = asyncio.Event()

    async def stream(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: one\n\n")
        await writer.drain()
        await heard.wait()
        writer.write(b"data: two\n\n")
        await writer.drain()
        writer.close()

    behind.lab.upstream.behave = stream
    try:
        argv = front.curl("/events", "--no-buffer", source=BROWSER)
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readuntil(b"\n\n"), 30) == b"data: one\n\n"
        heard.set()
        assert await asyncio.wait_for(process.stdout.read(), 30) == b"data: two\n\n"
        assert await process.wait() == 0
    finally:
        behind.lab.upstream.behave = created


async def test_connections_to_the_gate_are_kept(front: Front, behind: Behind) -> None:
    path = "/page?[1-40]"  # forty requests of one client
    argv = front.curl(path, "--output", "/dev/null", "--write-out", "%{http_code}\n", source=BROWSER)
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.split() == [b"201"] * 40
    kept = await behind.lab.node.metric("tidegate_connections")
    assert kept <= 12  # of all tests until here
    assert kept or front.http == "1.1"  # bytes that are carried end with their client


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "haproxy-tcp"])
async def test_a_gate_that_is_away(name: str, tmp_path: Path) -> None:
    places = prepared(tmp_path)
    async with running(PROGRAMS[name], places, Gate(*free_ports(2))) as made:
        answer = await ask(made, "/page")
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
    assert (answer.headers["retry-after"], answer.json()["status"]) == ("2", 503)


def trusting_front(places: Places) -> ssl.SSLContext:
    from gateway.http.accepting.certificates import PairFiles

    return trusting(PairFiles(places.folder / f"{NAME}.pem", places.folder / f"{NAME}.key"))


EXPECTED = {
    "nginx.conf": r"keepalive_timeout 60s;",
    "Caddyfile": r"keepalive 60s",
    "envoy.yaml": r"idle_timeout: 60s    # below the gate",
}


@pytest.mark.parametrize("file", EXPECTED)
async def test_who_ends_a_connection_that_rests(file: str) -> None:
    """The front before the gate: else a request meets a connection that is being closed, and is answered with 502."""
    from gateway.http.server.settings import ServerSettings

    (kept,) = re.findall(EXPECTED[file].replace("60", r"(\d+)"), (FRONTS / file).read_text(encoding="utf-8"))
    assert int(kept) + 5 < ServerSettings().idle_timeout
