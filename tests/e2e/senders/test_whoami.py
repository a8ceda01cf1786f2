"""Who is it? Senders that only the platform knows, over real sockets: asked, remembered, bridged, logged out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.node import Answer, request
from tests.e2e.senders.senderlab import KEPT, SenderLab, sender_lab
from tests.e2e.wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = json.dumps({"type": "comment", "content": "hello"}).encode()
PING = json.dumps({"type": "ping"}).encode()
EVERYBODY = 400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SenderLab]:
    """One worker, which every test of it meets: each has sessions of its own."""
    both = '["cookie:session", "header:Authorization"]'
    whoami = KEPT + 'deadline = "10s"\n'
    async with sender_lab(tmp_path_factory.mktemp("alone"), credentials=both, whoami=whoami) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def several(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SenderLab]:
    """Three workers, each with a memory of its own."""
    folder = tmp_path_factory.mktemp("several")
    async with sender_lab(folder, workers=3, whoami=KEPT + 'cache = "10m"\n') as made:
        yield made


@pytest.fixture(autouse=True)
def anew(request: pytest.FixtureRequest) -> None:
    """Nobody was asked for yet; whom a node remembers is another matter."""
    for name in {"alone", "several"} & set(request.fixturenames):
        community = request.getfixturevalue(name).community
        community.questions.clear()
        community.asked_with.clear()
        community.received.clear()


async def say(
    lab: SenderLab, cookie: str = "", *, body: bytes = BODY, path: str = "/comments/r1", source: str = "127.0.0.1",
    fields: dict[str, str] | None = None,
) -> Answer:  # fmt: skip
    """One message on a connection of its own."""
    headers = {"Content-Type": "application/json", **(fields or {})}
    if cookie:
        headers["Cookie"] = cookie
    async with wire(lab.node, source) as one:
        await one.send(request("POST", path, body, headers))
        return await one.answer()


async def test_a_sender_is_asked_for_once_and_known(alone: SenderLab) -> None:
    for theme in ("dark", "light", "dark"):  # other cookies change, and mean nothing
        answer = await say(alone, f"theme={theme}; session=s-alice; cart={time.time_ns()}")
        assert answer.status == 201, answer
    assert alone.community.questions == {"s-alice": 1}
    (asked,) = alone.community.asked_with
    assert asked["cookie"] == "session=s-alice"
    assert set(asked) == {"host", "accept", "cookie"}
    assert [one["sender"] for one in alone.records()] == ["alice"] * 3
    answer = await say(alone, "session=s-mallory")
    assert (answer.status, answer.json()["reason"]) == (401, "sender.unknown")
    assert "www-authenticate" in answer.headers
    assert (await say(alone, "session=s-mallory")).status == 401
    assert (await say(alone)).status == 401
    assert alone.community.questions == {"s-alice": 1, "s-mallory": 1}
    assert len(alone.community.published) == 3


async def test_what_is_not_judged_asks_nobody(alone: SenderLab) -> None:
    alone.community.people["s-silent"] = "silent"
    assert (await say(alone, "session=s-silent", body=PING)).status == 201
    assert (await say(alone, "session=s-silent", body=b"{")).status == 400
    async with wire(alone.node) as one:
        await one.send(request("GET", "/comments/r1", None, {"Cookie": "session=s-silent"}))
        assert (await one.answer()).status == 201
    assert not alone.community.questions


async def test_credentials_that_are_not_plainly_one(alone: SenderLab) -> None:
    """Refused, and nobody is asked; or read as every reader of them would."""
    alone.community.people |= {"Bearer t-1": "tina", "s-carl": "carl"}
    before = len(alone.records())
    refused = {
        "sender.twice": ["session=s-carl; session=s-bob", "session=s-carl; Session=s-bob"],
        "sender.malformed": ["session=" + "a" * 9000, "session=caf\u00e9", 'session="s-carl', "session=s\\carl"],
    }
    for reason, cookies in refused.items():
        for cookie in cookies:
            answer = await say(alone, cookie)
            assert (answer.status, answer.json()["reason"]) == (400, reason), (cookie, answer)
    async with wire(alone.node) as one:
        head = request("POST", "/comments/r1", BODY, {"Cookie": "session=s-carl", "Content-Type": "application/json"})
        await one.send(head.replace(b"Cookie:", b"Cookie: session=s-bob\r\nCookie:", 1))
        assert (await one.answer()).json()["reason"] == "sender.twice"
    for cookie in ("session=", "session", "other=1"):
        assert (await say(alone, cookie)).json()["reason"] == "sender.unknown", cookie
    assert not alone.community.questions
    assert (await say(alone, 'session="s-carl"')).status == 401  # as this platform has it: another session
    assert (await say(alone, fields={"Authorization": "Bearer t-1"})).status == 201
    assert (await say(alone, fields={"Authorization": "bearer  t-1"})).status == 201
    assert alone.community.questions == {'"s-carl"': 1, "Bearer t-1": 1}
    assert [one["sender"] for one in alone.records()[before:]] == ["tina", "tina"]


async def test_answers_that_say_nothing(tmp_path: Path) -> None:
    """Each is a failure, which costs what the route declares; none is remembered."""

    def plain(status: int, body: bytes, lines: str = "") -> Any:
        async def mood(writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)

        return mood

    async def dripping(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(30):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3)

    async def hung_up(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    def told(value: Any) -> bytes:
        return json.dumps({"user": {"id": value}}).encode()

    unavailable = {
        "500": plain(500, told("alice")),
        "429": plain(429, b""),
        "huge": plain(200, b" " * 70_000 + told("alice")),
        "long id": plain(200, told("a" * 10_000)),
        "controls": plain(200, told("ali\nce")),
        "blank": plain(200, told(" alice")),
        "true": plain(200, told(True)),
        "object": plain(200, told({"id": 1})),
        "half a number": plain(200, told(1.5)),
        "no JSON": plain(200, b"<html>alice</html>"),
        "coded": plain(200, told("alice"), "Content-Encoding: gzip\r\n"),
        "dripping": dripping,
        "silent": silent,
        "hung up": hung_up,
    }
    nobody = {
        "401": plain(401, b"{}"),
        "redirect": plain(302, b"", "Location: /login\r\n"),
        "null": plain(200, told(None)),
        "empty": plain(200, told("")),
        "none": plain(200, b"{}"),
    }
    whoami = 'on_error = "reject"\ndeadline = "1500ms"\ncache_unknown = "0s"\nmax_asked_address = "1000/1s"\n'
    async with sender_lab(tmp_path, whoami=whoami) as lab:
        for moods, expected in ((unavailable, (503, "sender.unavailable")), (nobody, (401, "sender.unknown"))):
            for name, mood in moods.items():
                lab.community.mood = mood
                began = time.monotonic()
                answer = await say(lab, "session=s-alice")
                assert (answer.status, answer.json()["reason"]) == expected, (name, answer)
                assert time.monotonic() - began < 6, name
                if answer.status == 503:
                    assert answer.headers["retry-after"], name
        lab.community.mood = plain(200, told(7), "Set-Cookie: session=other\r\n")
        answer = await say(lab, "session=s-alice")
        assert answer.status == 201
        assert "set-cookie" not in answer.headers
        lab.community.mood = None
        assert not lab.records()[:-1]
        assert lab.records()[-1]["sender"] == "7"
        assert await lab.node.metric("tidegate_sender_questions_total", outcome="garbage") == 9
        assert await lab.node.metric("tidegate_sender_questions_total", outcome="status") == 2
        log = lab.node.told(everything=True)
        assert "whoami.failed" in log
        assert "s-alice" not in log


async def test_hundreds_of_senders_and_a_flood_of_invented_credentials(tmp_path: Path) -> None:
    """Known senders are unharmed, and the platform is asked no more than the caps allow."""
    whoami = (
        'on_error = "reject"\nmax_asking = 16\nmax_asking_address = 1000\nmax_asked = "200/1s"\n'
        'max_asked_address = "1000/1s"\ndeadline = "10s"\nmax_unknown = 500\n'
    )
    async with sender_lab(tmp_path, whoami=whoami) as lab:
        community = lab.community
        community.people |= {f"s-{number}": f"person-{number}" for number in range(EVERYBODY)}
        community.delay = 0.02
        gate = asyncio.Semaphore(100)

        async def one(cookie: str) -> int:
            async with gate:
                return (await say(lab, cookie)).status

        began = time.monotonic()
        statuses = await asyncio.gather(*(one(f"session=s-{number}") for number in range(EVERYBODY)))
        took = time.monotonic() - began
        assert set(statuses) == {201}
        assert len(community.questions) == sum(community.questions.values()) == EVERYBODY
        assert community.most_at_once <= 12  # three quarters of them: nobody was known before
        assert 200 * (took + 1) >= EVERYBODY

        # A flood: every credential is another one. Meanwhile everybody who is known writes.
        before = sum(community.questions.values())
        community.most_at_once = 0
        stop = asyncio.Event()
        outcomes: list[int] = []

        async def flood(worker: int) -> None:
            number = 0
            async with wire(lab.node) as connection:
                while not stop.is_set():
                    number += 1
                    fields = {"Cookie": f"session=invented-{worker}-{number}", "Content-Type": "application/json"}
                    await connection.send(request("POST", "/comments/r1", BODY, fields))
                    outcomes.append((await connection.answer()).status)

        began = time.monotonic()
        floods = [asyncio.create_task(flood(worker)) for worker in range(40)]
        async with asyncio.timeout(30):
            while len(outcomes) < 40:
                await asyncio.sleep(0.01)
        statuses = await asyncio.gather(*(one(f"session=s-{number}") for number in range(EVERYBODY)))
        stop.set()
        await asyncio.gather(*floods)
        took = time.monotonic() - began
        assert set(statuses) == {201}
        assert set(outcomes) <= {401, 503}
        assert all(community.questions[f"s-{number}"] == 1 for number in range(EVERYBODY)), "somebody was pushed out"
        assert sum(community.questions.values()) - before <= 200 * 0.75 * (took + 1)
        assert community.most_at_once <= 12
        assert await lab.node.metric("tidegate_sender_evictions_total", segment="known") == 0
        assert await lab.node.metric("tidegate_senders_known") == EVERYBODY


async def test_a_flood_of_one_address_leaves_room_for_others(tmp_path: Path) -> None:
    whoami = (
        'on_error = "reject"\nmax_asking = 8\nmax_asking_address = 2\nmax_asked_address = "5/1s"\ndeadline = "3s"\n'
    )
    async with sender_lab(tmp_path, whoami=whoami) as lab:
        lab.community.delay = 0.02
        flood = await asyncio.gather(*(say(lab, f"session=x-{number}", source="127.0.0.9") for number in range(60)))
        assert {answer.status for answer in flood} == {401, 503}
        assert sum(lab.community.questions.values()) <= 12
        assert (await say(lab, "session=s-alice")).status == 201
        assert await lab.node.metric("tidegate_sender_put_off_total", cap="address") >= 40


async def test_a_platform_that_stops(tmp_path: Path) -> None:
    """Whom it named goes on within the bridge, and the record says so; nobody else does."""
    whoami = KEPT + 'cache = "500ms"\nbridge = "10m"\ndeadline = "2s"\n'
    async with sender_lab(tmp_path, whoami=whoami) as lab:
        assert (await say(lab, "session=s-alice")).status == 201
        await asyncio.sleep(0.6)

        async def stopped(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(5)

        lab.community.mood = stopped
        began = time.monotonic()
        while time.monotonic() - began < 3:  # longer than a question may take
            answer = await say(lab, "session=s-alice")
            assert answer.status == 201, answer
            await asyncio.sleep(0.1)
        answer = await say(lab, "session=s-bob")
        assert (answer.status, answer.json()["reason"]) == (503, "sender.unavailable")
        assert lab.community.questions["s-alice"] < 10
        bridged = [one for one in lab.records() if one.get("degraded")]
        assert bridged
        assert all(one["degraded"] == ["sender:bridged"] and one["sender"] == "alice" for one in bridged)
        assert await lab.node.metric("tidegate_degraded_total", cause="sender:bridged") == len(bridged)

        # Logged out while it does not answer: the bridge does not outlive that.
        lab.community.people.pop("s-alice")
        assert (await say(lab, "session=s-alice", path="/logout")).status == 200
        assert (await say(lab, "session=s-alice")).status == 503
        lab.community.mood = None
        assert (await say(lab, "session=s-bob")).status == 201
        assert (await say(lab, "session=s-alice")).status == 401


async def test_on_error_lets_the_next_source_count(tmp_path: Path) -> None:
    """A weak sender, and a record that says both."""
    whoami = 'on_error = "pass"\ncache_unknown = "0s"\n'
    async with sender_lab(tmp_path, sender='["whoami:", "hash:ip:"]', whoami=whoami) as lab:

        async def broken(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")

        assert (await say(lab)).status == 201  # no credentials: the next source
        lab.community.mood = broken
        assert (await say(lab, "session=s-alice")).status == 201
        lab.community.mood = None
        assert (await say(lab, "session=s-alice")).status == 201
        first, second, third = lab.records()
        assert first["weak"]
        assert first["sender"] == second["sender"]
        assert first["sender"].startswith("hash:")
        assert "127.0.0.1" not in json.dumps(first)
        assert "degraded" not in first
        assert second["degraded"] == ["sender:status"]
        assert (third["sender"], third.get("weak")) == ("alice", None)
        # Nobody is what is blocked: that it has a name means nothing.
        block = {"scope": "sender", "value": first["sender"], "reason": "spam", "ground": "agreement 6.1"}
        answer = await lab.node.manage("POST", "/v1/blocks", block)
        assert (answer.status, answer.json()["in_force"]) == (200, True), answer
        assert (await say(lab)).status == 201


async def test_a_log_out_ends_it_on_all_workers(several: SenderLab) -> None:
    lab = several
    seen, heard = await log_outs(lab, "seen"), await log_outs(lab, "heard")

    async def everybody() -> set[int]:
        """Many at once, so that no worker is idle while another takes them all; what they are told."""
        return {answer.status for answer in await asyncio.gather(*(say(lab, "session=s-alice") for _ in range(24)))}

    async with asyncio.timeout(60):  # until every worker has asked
        while lab.community.questions["s-alice"] < 3:
            assert await everybody() == {201}
    assert (await say(lab, "session=s-alice", path="/logout")).status == 200
    async with asyncio.timeout(30):
        while await log_outs(lab, "heard") < heard + 6:  # each of them, before the answer and behind it
            await asyncio.sleep(0.02)
    for _ in range(4):
        assert await everybody() == {401}
    assert await log_outs(lab, "seen") == seen + 1


async def log_outs(lab: SenderLab, how: str) -> float:
    return await lab.node.metric("tidegate_log_outs_total", how=how)


async def test_an_answer_that_a_log_out_overtook_is_not_kept(alone: SenderLab) -> None:
    community = alone.community
    community.people["s-olga"] = "olga"
    told, gone = asyncio.Event(), asyncio.Event()
    community.held = {"GET /me": told, "POST /logout": gone}
    first = asyncio.create_task(say(alone, "session=s-olga"))
    async with asyncio.timeout(30):
        while not community.questions:
            await asyncio.sleep(0.01)
    leaving = asyncio.create_task(say(alone, "session=s-olga", path="/logout"))
    async with asyncio.timeout(30):
        while not any(one.line.startswith("POST /logout") for one in community.received):
            await asyncio.sleep(0.01)
    second = asyncio.create_task(say(alone, "session=s-olga"))
    told.set()
    assert (await first).status == 201  # asked before, and told before
    assert (await second).status == 201
    gone.set()
    assert (await leaving).status == 200
    community.held = {}
    assert (await say(alone, "session=s-olga")).status == 401


async def test_many_log_outs(several: SenderLab) -> None:
    """Of credentials that nobody has: they cost little, and nobody else anything."""
    lab = several
    seen = await log_outs(lab, "seen")
    for _ in range(20):
        assert (await say(lab, "session=s-bob")).status == 201
    asked = lab.community.questions["s-bob"]

    async def leave(worker: int) -> None:
        async with wire(lab.node) as one:
            for number in range(0, 100, 25):
                await one.send(
                    b"".join(
                        request("POST", "/logout", b"", {"Cookie": f"session=x-{worker}-{number + more}"})
                        for more in range(25)
                    )
                )
                for _ in range(25):
                    assert (await one.answer()).status == 200

    await asyncio.gather(*(leave(worker) for worker in range(20)))
    for _ in range(20):
        assert (await say(lab, "session=s-bob")).status == 201
    assert lab.community.questions["s-bob"] <= max(asked, 3)
    assert await log_outs(lab, "seen") == seen + 2000
    assert await log_outs(lab, "missed") == 0


async def test_a_reload_keeps_whom_it_can(alone: SenderLab) -> None:
    community = alone.community
    community.people["s-rita"] = "rita"
    assert (await say(alone, "session=s-rita")).status == 201
    text = alone.config.read_text(encoding="utf-8")
    alone.config.write_text(text.replace("agreement 3.1", "agreement 3.2"), encoding="utf-8")
    assert (await alone.node.manage("POST", "/v1/reload", {"reason": "test"})).status == 200
    assert (await say(alone, "session=s-rita")).status == 201
    assert community.questions == {"s-rita": 1}
    alone.config.write_text(text.replace("json:/user/id", "json:/user/name"), encoding="utf-8")
    assert (await alone.node.manage("POST", "/v1/reload", {"reason": "test"})).status == 200
    assert (await say(alone, "session=s-rita")).status == 401  # its answer has no such value
    assert community.questions == {"s-rita": 2}
