"""What the platform hears of an approved message, over a real socket, and what its answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from gateway import config as configuration
from gateway.config import Config
from gateway.control.adapters import platform
from gateway.control.adapters.platform import PlatformSide
from gateway.control.releasing.publishing import PlatformPublisher, Published
from gateway.parking.parked import ParkedRequest

HELD, RELEASE = "01a20094-b11c-7000-8001-0054a58fe235", "01a20094-b11c-7000-8000-ff54a58fe235"
PUBLISH = """
match = "POST /internal/{room}/comments"
headers = { Authorization = "Bearer s3cret" }
on_behalf = "X-On-Behalf-Of"
"""
REPLAY = """
replay = ["Authorization"]
"""
TOML = """
[upstreams.platform]
servers = ["http://127.0.0.1:{port}"]

[policies.p]
appeal = "off"
rules = []

[[routes]]
name = "comments"
match = "POST /api/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "p"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
{more}

[routes.release]
{release}
"""
PARKED = ParkedRequest(
    HELD, 1_800_000_000_000_000, "comments", "comment", "文章/1", "alice", ("buy this",), "keyword.match", "g", (), "d",
    "POST", "/api/r1/comments?lang=zh",
    (
        ("host", "forum.example"), ("content-type", "application/json"), ("x-user-id", "alice"),
        ("cookie", "session=1"), ("authorization", "Bearer u"), ("x-csrf-token", "t"), ("accept-language", "zh"),
        ("connection", "keep-alive"), ("content-length", "3"), ("tidegate-message-id", "forged"), ("digest", "x"),
    ),
    b'{"content": "buy this", "n": 1.50}', labels=("广告",),
)  # fmt: skip


class Site:
    """A platform that answers as told and keeps what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status, self.body = 201, b'{"id": 77}'
        self.asked: list[tuple[web.Request, bytes]] = []
        self.hang: asyncio.Event | None = None
        self.port = 0
        self.release, self.more = PUBLISH, 'upstream_id = "json:/id"'

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request, await request.read()))
        if self.hang is not None:
            await self.hang.wait()
        return web.Response(status=self.status, body=self.body)

    def config(self) -> Config:
        path = self.folder / "tidegate.toml"
        path.write_text(TOML.format(port=self.port, release=self.release, more=self.more))
        return configuration.load(path)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    if made.hang is not None:
        made.hang.set()
    await runner.cleanup()


@pytest.fixture
async def publisher(site: Site) -> AsyncIterator[PlatformPublisher]:
    client = PlatformSide(site.config, asyncio.get_running_loop())
    yield PlatformPublisher(client)
    client.close()


async def test_the_address_for_publishing(site: Site, publisher: PlatformPublisher) -> None:
    assert await publisher.publish(PARKED, RELEASE, None) == Published("delivered", 201, "", "77")
    ((asked, body),) = site.asked
    assert (asked.method, asked.raw_path) == ("POST", "/internal/%E6%96%87%E7%AB%A0%2F1/comments")
    assert body == PARKED.body
    fields = asked.headers
    assert (fields["Authorization"], fields["X-On-Behalf-Of"]) == ("Bearer s3cret", "alice")
    assert (fields["Idempotency-Key"], fields["Tidegate-Releases"]) == (HELD, HELD)
    assert fields["Tidegate-Message-Id"] == RELEASE
    assert fields["Content-Type"] == "application/json"
    for name in ("Cookie", "X-Csrf-Token", "X-User-Id", "Accept-Language"):
        assert name not in fields


async def test_a_replay_with_named_credentials(site: Site, publisher: PlatformPublisher) -> None:
    site.release = REPLAY
    await publisher.publish(PARKED, RELEASE, None)
    ((asked, body),) = site.asked
    assert (asked.method, asked.raw_path, body) == ("POST", "/api/r1/comments?lang=zh", PARKED.body)
    fields = asked.headers
    assert (fields["Host"], fields["Authorization"], fields["X-User-Id"]) == ("forum.example", "Bearer u", "alice")
    assert (fields["Accept-Language"], fields["Tidegate-Message-Id"]) == ("zh", RELEASE)
    for name in ("Cookie", "X-Csrf-Token"):
        assert name not in fields


async def test_what_a_person_changed_goes_and_the_rest_stays_as_it_was_written(
    site: Site, publisher: PlatformPublisher
) -> None:
    await publisher.publish(PARKED, RELEASE, ("buy ****",))
    ((asked, body),) = site.asked
    assert body == b'{"content": "buy ****", "n": 1.50}'
    assert asked.headers["Content-Length"] == str(len(body))
    assert "Digest" not in asked.headers


async def test_our_id_stands_where_the_route_says(site: Site, publisher: PlatformPublisher) -> None:
    site.more = 'id_to = "json:/gate"'
    await publisher.publish(PARKED, RELEASE, None)
    assert b'"gate":"%b"' % RELEASE.encode() in site.asked[0][1].replace(b" ", b"")


async def test_of_several_messages_in_one_body_this_one_goes_alone(site: Site, publisher: PlatformPublisher) -> None:
    site.more = 'each = "/*"'
    body = b'[{"content": "one"}, {"content": "two"}, {"content": "three"}]'
    await publisher.publish(PARKED._replace(body=body, place=1, texts=("two",)), RELEASE, None)
    assert site.asked[0][1].replace(b" ", b"") == b'[{"content":"two"}]'


async def test_a_message_of_a_socket_goes_as_its_payload(site: Site, publisher: PlatformPublisher) -> None:
    parked = PARKED._replace(
        socket=True, method="GET", target="/api/r1/comments", body=b'{"content": "buy this"}', headers=()
    )
    await publisher.publish(parked, RELEASE, ("buy",))
    ((asked, body),) = site.asked
    assert (body, asked.headers["Content-Type"]) == (b'{"content": "buy"}', "application/json")


@pytest.mark.parametrize(
    ("status", "idempotent", "became"),
    [
        (200, False, "delivered"), (302, False, "refused"), (400, False, "refused"), (401, False, "refused"),
        (409, False, "refused"), (409, True, "later"), (408, False, "later"), (429, False, "later"),
        (500, False, "later"), (503, False, "later"), (502, False, "lost"), (504, False, "lost"), (504, True, "later"),
    ],
)  # fmt: skip
async def test_what_an_answer_means(
    site: Site, publisher: PlatformPublisher, status: int, idempotent: bool, became: str
) -> None:
    site.status = status
    site.release = PUBLISH + f"idempotent = {str(idempotent).lower()}"
    said = await publisher.publish(PARKED, RELEASE, None)
    assert (said.became, said.status) == (became, status)
    assert bool(said.problem) == (became != "delivered")


async def test_a_form_that_leads_elsewhere_was_taken(site: Site, publisher: PlatformPublisher) -> None:
    site.release, site.status = REPLAY, 302
    assert (await publisher.publish(PARKED, RELEASE, None)).became == "delivered"


async def test_nobody_there_and_no_answer(
    site: Site, publisher: PlatformPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "WITHIN", 0.05)
    site.hang = asyncio.Event()
    assert await publisher.publish(PARKED, RELEASE, None) == Published("lost", None, "upstream.timeout")
    monkeypatch.setattr(platform, "WITHIN", 10.0)
    site.port = 1
    assert (await publisher.publish(PARKED, RELEASE, None)).became == "unreached"


async def test_what_cannot_be_sent_is_undeliverable(site: Site, publisher: PlatformPublisher) -> None:
    refused = await publisher.publish(PARKED._replace(room=".."), RELEASE, None)
    assert (refused.became, refused.problem) == ("refused", "release.unsafe_name")
    refused = await publisher.publish(PARKED._replace(body=b"{"), RELEASE, ("x",))
    assert (refused.became, refused.problem) == ("refused", "release.unreadable")
    refused = await publisher.publish(PARKED._replace(route="gone"), RELEASE, None)
    assert (refused.became, refused.problem) == ("refused", "release.unconfigured")
    assert site.asked == []


@pytest.mark.parametrize(
    ("release", "socket", "publishes"),
    [(PUBLISH, False, True), (PUBLISH, True, True), (REPLAY, False, True), (REPLAY, True, False),
     ("ticket = true", False, False)],
)  # fmt: skip
async def test_how_a_route_gets_to_the_platform(
    site: Site, publisher: PlatformPublisher, release: str, socket: bool, publishes: bool
) -> None:
    site.release = release
    assert publisher.ways(PARKED._replace(socket=socket))[:2] == (publishes, False)
    assert publisher.ways(PARKED._replace(route="gone", socket=socket))[:2] == (False, False)


@pytest.mark.parametrize(("release", "publishes"), [(PUBLISH, False), (REPLAY, True)])
async def test_an_edit_is_never_published_beside_what_it_edits(
    site: Site, publisher: PlatformPublisher, release: str, publishes: bool
) -> None:
    """An address for publishing names no message: an approved edit is sent again as it came, or by its sender."""
    site.release = release
    edit = PARKED._replace(method="PUT", target="/api/r1/comments/9", edit=True)
    assert publisher.ways(edit).publishes is publishes
    assert (await publisher.publish(edit, RELEASE, None)).became == ("delivered" if publishes else "refused")
    assert len(site.asked) == publishes
