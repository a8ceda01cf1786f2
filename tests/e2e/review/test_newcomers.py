"""Somebody's first messages wait, until a person has approved enough of them; over real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
import redis

from gateway.state.cold import embedded
from tests.e2e.review.desk import Desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE = f"""
[review]
key = "{"6b" * 32}"
on_cap = "reject"

[desk]
undo = "0s"
grounds = ["agreement 3.1"]

[policies.first]
appeal = "off"
rules = [{{ check = "newcomer", action = "hold", on_error = "reject", ground = "agreement 1", first = 2 }}]

[[routes]]
name = "first"
match = "POST /api/first/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "first"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"

[routes.release]
match = "POST /internal/{{room}}/comments"
headers = {{ Authorization = "Bearer s3cret" }}
on_behalf = "X-On-Behalf-Of"
idempotent = true
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("newcomers"), MORE) as made:
        yield made


async def comes_true(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_the_first_two_wait_and_the_third_goes_on(desk: Desk) -> None:
    for text in ("my first", "my second"):
        message = await desk.say(text, "first")
        await desk.decide(message, "approve")
        await desk.became(message, "delivered")

    async def passes() -> bool:
        return (await desk.send("my third", "first")).status == 201

    await comes_true(passes)
    assert "my third" in desk.site.direct
    assert (await desk.send("of another", "first", "bob")).status == 202
    read = await desk.node.manage("GET", "/v1/accounts/alice?reason=look")
    assert (read.json()["approved"], read.json()["verified"]) == (2, False)


async def test_a_state_that_was_emptied_makes_nobody_trusted_and_learns_it_again(desk: Desk) -> None:
    address, credentials = embedded.access(desk.node.folders.state)
    with redis.Redis(
        unix_socket_path=address.path, username=credentials.username, password=credentials.password
    ) as client:
        client.unlink(*client.scan_iter(match="tg:*"))
    assert (await desk.send("right behind it", "first", "carol")).status in (202, 403, 503)

    async def as_before() -> bool:
        known, new = [await desk.send(f"again of {name}", "first", name) for name in ("alice", "dora")]
        assert new.status != 201
        return known.status == 201 and new.status in (202, 429)  # 429: as many of hers wait as may

    await comes_true(as_before)


async def test_who_is_refused_stays_new(desk: Desk) -> None:
    message = (await desk.send("a poor beginning", "first", "eve")).json()["message_id"]
    await desk.decide(message, "refuse", ground="agreement 3.1")
    await desk.became(message, "refused")
    assert (await desk.send("the same again", "first", "eve")).status == 202
    assert (await desk.node.manage("GET", "/v1/accounts/eve?reason=look")).status == 404
