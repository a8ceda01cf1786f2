"""The commands of the admin API against a running node: in a pipe, on a terminal, and where something is refused."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.commands.cli import build
from rig.ports import free_port
from tests.e2e.lab import Lab, lab, write_config
from tests.e2e.node import Node

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("commands"), workers=2) as made:
        yield made
        await made.sound("代开发票")


class Done:
    """What a command did."""

    def __init__(self, result: Any) -> None:
        self.code = result.exit_code
        self.out: str = result.stdout
        self.err: str = result.stderr
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> Any:
        (found,) = self.rows
        return found


async def tidegate(gate: Lab, *words: str, code: int = 0, given: str = "") -> Done:
    """A command as in a pipe."""
    cli = build([words[0]])
    where = [*words, "--data-dir", str(gate.node.folders.root)]
    done = Done(await asyncio.to_thread(CliRunner().invoke, cli, where, input=given))
    assert done.code == code, (words, done.out, done.err)
    return done


async def on_a_terminal(gate: Lab, *words: str, typed: bytes = b"", width: int = 80) -> tuple[int, str]:
    """A command on a terminal of its own: its exit code, and what was to be seen."""
    master, slave = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(width), "TERM": "dumb", "TIDEGATE_DATA_DIR": str(gate.node.folders.root)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *words, stdin=slave, stdout=slave, stderr=slave, env=environ
    )
    os.close(slave)
    if typed:
        os.write(master, typed)

    def read() -> bytes:
        seen = b""
        while True:
            try:
                more = os.read(master, 65536)
            except OSError:  # how a terminal ends
                return seen
            if not more:
                return seen
            seen += more

    try:
        seen = await asyncio.wait_for(asyncio.to_thread(read), 60)
        return await asyncio.wait_for(process.wait(), 60), seen.decode().replace("\r\n", "\n")
    finally:
        os.close(master)


async def test_status(gate: Lab) -> None:
    told = (await tidegate(gate, "status")).row
    assert (told["ready"], told["generation"]) == (True, 1)
    assert {one["name"] for one in told["processes"]} == {"state", "control", "worker-0", "worker-1"}
    assert {one["answers"] for one in told["workers"]} == {"ok"}
    answer = await gate.node.say("alice", "hello")
    assert answer.status == 201
    assert (await tidegate(gate, "status")).row["traffic"]["messages"]["pass"] >= 1
    code, seen = await on_a_terminal(gate, "status")
    assert (code, "worker-1" in seen, "ready" in seen) == (0, True, True), seen
    assert max(map(len, seen.splitlines())) <= 80


async def test_obligations_beside_what_the_node_shows(gate: Lab) -> None:
    assert (await gate.node.say("alice", "代开发票 at once")).status == 403
    async with asyncio.timeout(30):
        while True:
            asked = ["config", "check", str(gate.config), "--obligations", "--live", "--json"]
            told = json.loads((await tidegate(gate, *asked)).out)
            means = [one for row in told["rows"] for one in row["means"] if one["name"] == "check:keywords"]
            if any(live.startswith("last refusal ") for one in means for live in one["live"]):
                break
            await asyncio.sleep(0.05)  # the record is on its way
    assert any("近期" in live or "最近一次拒绝" in live for one in means for live in one["live_zh"])
    assert any("词库" in live for one in means for live in one["live_zh"])


async def test_status_again_and_again(gate: Lab) -> None:
    # A shell lets what it runs in the background ignore the interrupt, and that is inherited.
    interruptible = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from gateway.__main__ import main; main()"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", interruptible, "status", "--watch", "--every", "200ms", "--data-dir",
        str(gate.node.folders.root), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        lines = [json.loads(await asyncio.wait_for(process.stdout.readline(), 30)) for _ in range(3)]
        assert lines[0]["at"] < lines[2]["at"]
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert (process.returncode, err) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_accounts(gate: Lab, tmp_path: Path) -> None:
    strange = "a/b?c=d #% 李"
    done = await tidegate(gate, "accounts", "set", strange, "--verified", "--credit", "70", "--reason", "papers")
    assert done.row["result"] == {
        "sender": strange, "verified": True, "verified_until": 0, "credit": 70, "approved": 0,
    }  # fmt: skip
    assert (await tidegate(gate, "accounts", "get", strange, "--reason", "asked")).row["credit"] == 70
    await tidegate(gate, "accounts", "delete", strange, "--reason", "asked")
    gone = await tidegate(gate, "accounts", "get", strange, "--reason", "asked", code=1)
    assert gone.err == (
        "control refused: There is no such account (control.account_unknown): “tidegate accounts set” makes one\n"
    )
    for dots in (".", ".."):
        assert (await tidegate(gate, "rooms", "get", dots)).row["room"] == dots
    lines = tmp_path / "accounts.ndjson"
    lines.write_text('{"sender":"u1","verified":true}\n{"sender":"u2"}\n{"sender":"u3","verified":false,"credit":3}\n')
    done = await tidegate(gate, "accounts", "import", str(lines), "--reason", "first load", code=1)
    assert (done.rows[-1]["accepted"], done.rows[-1]["refused"]) == (2, 1)
    assert done.err == f"{lines}: line 2: verified: Field required\n"
    await tidegate(gate, "accounts", "import", str(tmp_path / "none"), "--reason", "r", code=2)
    wrong = await tidegate(gate, "accounts", "set", "x" * 300, "--verified", "--reason", "r", code=1)
    assert ": sender: must be 1 to 256 characters" in wrong.err
    assert len(wrong.err.splitlines()) == 1


async def test_blocks(gate: Lab) -> None:
    add = ("blocks", "add")
    done = await tidegate(
        gate, *add, "sender", "mallory", "--ground", "agreement 6", "--for", "1h", "--reason", "flood"
    )
    assert done.row["in_force"] is True
    number = done.row["result"]["id"]
    assert (await gate.node.say("mallory", "hello")).status == 403
    shared = await tidegate(
        gate, *add, "ip", "2001:db8::7", "--ground", "g", "--as", "wall", "--for", "ever", "--reason", "r"
    )
    assert (shared.row["result"]["scope"], shared.row["result"]["limited"], shared.row["result"]["expires_at"]) == (
        "cidr",
        False,
        0,
    )
    rows = (await tidegate(gate, "blocks", "list", "--reason", "audit")).rows
    assert {row["value"] for row in rows} >= {"mallory", "2001:db8::/64"}
    one = await tidegate(gate, "blocks", "list", "--scope", "sender", "--limit", "1", "--reason", "audit")
    assert ([row["id"] for row in one.rows], "--after" in one.err) == ([number], True)
    for width in (80, 30):
        code, seen = await on_a_terminal(gate, "blocks", "list", "--reason", "audit", width=width)
        assert (code, "2001:db8::/64" in seen, "no end" in seen) == (0, True, True), seen
    await tidegate(gate, "blocks", "lift", str(number), "--reason", "appeal")
    again = await tidegate(gate, "blocks", "lift", str(number), "--reason", "appeal", code=1)
    assert "control.block_unknown" in again.err
    for wrong in (("ip", "nobody"), ("cidr", "x")):
        told = await tidegate(gate, *add, *wrong, "--ground", "g", "--reason", "r", code=1)
        assert "control.invalid" in told.err
    for words in (("--as", "fence"), ("--for", "soon")):
        await tidegate(gate, *add, "room", "9", "--ground", "g", "--reason", "r", *words, code=2)


async def test_a_reason_is_asked_for_on_a_terminal(gate: Lab) -> None:
    code, seen = await on_a_terminal(gate, "rooms", "set", "77", "closed", typed=b"quiet night\n")
    assert (code, "room 77: closed (act " in seen) == (0, True), seen
    acts = (await tidegate(gate, "acts", "list", "--kind", "room.put", "--reason", "audit")).rows
    assert acts[0]["reason"] == "quiet night"


async def test_rooms(gate: Lab) -> None:
    done = await tidegate(gate, "rooms", "set", "5", "slow", "--interval", "1m30s", "--reason", "r")
    assert done.row["result"] == {"room": "5", "status": "slow", "interval": 90.0}
    assert (await tidegate(gate, "rooms", "get", "5")).row["status"] == "slow"
    for wrong in (("slow",), ("muted", "--interval", "5s"), ("slow", "--interval", "5")):
        await tidegate(gate, "rooms", "set", "5", *wrong, "--reason", "r", code=2)
    await tidegate(gate, "rooms", "set", "5", "open", "--reason", "r")


async def test_incidents(gate: Lab) -> None:
    given = ("--for", "10m", "--ground", "g", "--reason", "r")
    none = await tidegate(gate, "incidents", "begin", "rooms", "67", *given, code=1)
    assert "name a measure" in none.err or "control.invalid" in none.err
    done = await tidegate(gate, "incidents", "begin", "rooms", "67", "--hold", "--pace", "10s", *given)
    number = str(done.rows[0]["result"]["id"])
    assert "nothing can wait on" in done.err
    (row,) = (await tidegate(gate, "incidents", "list")).rows
    assert (row["places"], row["pace"], row["waiting"]) == (["67"], 10.0, 0)
    await tidegate(gate, "incidents", "extend", number, "--for", "1h", "--reason", "r")
    stands = await tidegate(gate, "incidents", "release", number, "--yes", "--reason", "r", code=1)
    assert "there is nothing to approve" in stands.err
    await tidegate(gate, "incidents", "end", number, "--reason", "r")
    assert (await tidegate(gate, "incidents", "list")).out == ""
    (told,) = (await tidegate(gate, "incidents", "show", number)).rows
    assert [one["kind"] for one in told["log"]] == ["incident.begin", "incident.extend", "incident.end"]


async def test_switches(gate: Lab) -> None:
    done = await tidegate(gate, "switches", "freeze", "room", "66", "--ground", "g", "--reason", "r")
    number = str(done.row["result"]["id"])
    refused = await gate.node.say("alice", "hello", "/api/articles/66/comments")
    assert refused.status in (403, 503)
    assert [row["value"] for row in (await tidegate(gate, "switches", "list")).rows] == ["66"]
    twice = await tidegate(gate, "switches", "freeze", "room", "66", "--ground", "g", "--reason", "r", code=1)
    assert "control.frozen_already" in twice.err
    await tidegate(gate, "switches", "lift", number, "--reason", "r")
    assert (await tidegate(gate, "switches", "list")).out == ""


async def test_words(gate: Lab) -> None:
    done = await tidegate(gate, "words", "add", "spam", "gambling", "--reason", "campaign")
    assert done.row["reload"]["ok"] is True
    (row,) = (await tidegate(gate, "words", "list")).rows
    assert (row["name"], row["changes"][0]["line"]) == ("spam", "gambling")
    assert (await tidegate(gate, "words", "try", "spam", "GAMBLING!")).row["hits"]
    assert (await tidegate(gate, "words", "try", "spam", "-", given="nothing\n")).row["hits"] == []
    assert (
        "control.word_exists" in (await tidegate(gate, "words", "add", "spam", "gambling", "--reason", "r", code=1)).err
    )
    await tidegate(gate, "words", "remove", "spam", "gambling", "--reason", "over")
    assert (
        "control.line_unknown"
        in (await tidegate(gate, "words", "remove", "spam", "gambling", "--reason", "r", code=1)).err
    )
    assert "known are spam" in (await tidegate(gate, "words", "try", "none", "x", code=2)).err
    urgent = await tidegate(gate, "words", "urgent", "add", "bargain", "--ground", "g", "--reason", "r")
    assert [one["word"] for one in (await tidegate(gate, "words", "urgent", "list")).rows] == ["bargain"]
    await tidegate(gate, "words", "urgent", "lift", str(urgent.row["result"]["id"]), "--reason", "r")
    (row,) = (await tidegate(gate, "words", "list")).rows
    code, seen = await on_a_terminal(gate, "words", "list")
    assert (code, row["digest"] in seen) == (0, True), seen


async def test_people_and_acts(gate: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = (await tidegate(gate, "people", "add", "li", "--role", "admin", "--reason", "new")).row["result"]["token"]
    mine = tmp_path / "token"
    mine.write_text(f"{token}\n")
    done = await tidegate(gate, "rooms", "set", "8", "muted", "--reason", "noise", "--token-file", str(mine))
    act = done.row["act"]
    (told,) = (await tidegate(gate, "acts", "list", "--limit", "1", "--kind", "room.put", "--reason", "audit")).rows
    assert (told["act"], told["person"], told["subject"]) == (act, "li", "room:8")
    undone = await tidegate(gate, "acts", "undo", str(act), "--reason", "too harsh")
    assert undone.row["result"]["undone"] == act
    assert (await tidegate(gate, "rooms", "get", "8")).row["status"] == "open"
    assert "control.undone_already" in (await tidegate(gate, "acts", "undo", str(act), "--reason", "r", code=1)).err
    # By the environment, and by address alone.
    monkeypatch.setenv("TIDEGATE_TOKEN_FILE", str(mine))
    monkeypatch.setenv("TIDEGATE_URL", f"http://127.0.0.1:{gate.node.control_port}")
    assert {one["name"] for one in (await tidegate(gate, "people", "list")).rows} == {"admin", "li"}
    await tidegate(gate, "people", "remove", "li", "--reason", "left")
    assert "control.token_refused" in (await tidegate(gate, "people", "list", code=1)).err
    monkeypatch.setenv("TIDEGATE_TOKEN", "tg_wrong")
    assert "control.token_refused" in (await tidegate(gate, "people", "list", code=1)).err


async def test_roles_and_tokens_of_machines(gate: Lab, tmp_path: Path) -> None:
    """Over the sockets of a node: what a role may not, what a scope may not, and both taken away."""
    files = {}

    def keep(name: str, done: Done) -> list[str]:
        files[name] = tmp_path / name
        files[name].write_text(done.row["result"]["token"], encoding="ascii")
        return ["--token-file", str(files[name])]

    cy = keep("cy", await tidegate(gate, "people", "add", "cy", "--role", "lead", "--reason", "new"))
    lead = (await tidegate(gate, "tokens", "show", *cy)).row
    assert (lead["person"], lead["roles"], lead["token"], "PUT /v1/accounts/{sender}" in lead["may"]) == (
        "cy", ["lead"], None, True,
    )  # fmt: skip
    refused = await tidegate(gate, "people", "remove", "admin", "--reason", "coup", *cy, code=1)
    told = "This needs the role admin; you have lead (control.role_refused): “tidegate tokens show” tells what you may"
    assert refused.err == f"control refused: {told}\n"
    scopes = ["--scope", "accounts:write", "--scope", "status:read"]
    sync = keep("sync", await tidegate(gate, "tokens", "make", "sync", *scopes, "--reason", "platform", *cy))
    (row,) = (await tidegate(gate, "tokens", "list")).rows
    assert (row["name"], row["made_by"], row["scopes"]) == ("sync", "cy", ["accounts:write", "status:read"])
    assert (await tidegate(gate, "tokens", "show", "sync")).row == row
    done = await tidegate(gate, "accounts", "set", "u9", "--verified", "--reason", "platform", *sync)
    (told,) = (await tidegate(gate, "acts", "list", "--limit", "1", "--kind", "account.put", "--reason", "audit")).rows
    assert (told["act"], told["person"], told["token"]) == (done.row["act"], "cy", "sync")
    wrong = await tidegate(gate, "rooms", "set", "9", "muted", "--reason", "r", *sync, code=1)
    assert "needs a token with the scope rooms:write" in wrong.err
    code, seen = await on_a_terminal(gate, "tokens", "list")
    assert (code, "sync" in seen, "cy" in seen, "accounts:write" in seen) == (0, True, True, True), seen
    # The lead becomes a viewer: so does the machine, at once.
    await tidegate(gate, "people", "roles", "cy", "--role", "viewer", "--reason", "other work")
    late = await tidegate(gate, "accounts", "set", "u9", "--verified", "--reason", "platform", *sync, code=1)
    assert "control.role_refused" in late.err
    assert (await tidegate(gate, "status", *sync)).row["ready"] is True
    gone = await tidegate(gate, "people", "remove", "cy", "--reason", "left")
    assert gone.row["result"]["tokens"] == ["sync"]
    assert "control.token_refused" in (await tidegate(gate, "status", *sync, code=1)).err
    last = await tidegate(gate, "people", "roles", "admin", "--role", "viewer", "--reason", "r", code=1)
    assert "control.last_admin" in last.err
    await tidegate(gate, "people", "add", "dee", "--reason", "no role", code=2)
    await tidegate(gate, "people", "add", "dee", "--role", "emperor", "--reason", "r", code=2)


async def test_takedowns(gate: Lab) -> None:
    answer = await gate.node.say("alice", "to be taken down")
    message = answer.headers["tidegate-message-id"]
    await gate.outcome(message)
    code, _ = await on_a_terminal(gate, "takedown", message, "--reason", "order 7", "--wait", "0s")
    assert code == 1  # this route says nothing of how the platform deletes
    (told,) = (await tidegate(gate, "takedowns", "list")).rows
    number = str(told["id"])
    assert (told["message_id"], told["state"]) == (message, "unconfirmed")
    assert (await tidegate(gate, "takedowns", "show", number)).row["trace"]
    for width in (80, 20):
        code, seen = await on_a_terminal(gate, "takedowns", "list", width=width)
        assert (code, message in seen) == (0, True), seen
    refused = await tidegate(
        gate, "takedowns", "copies", "refuse", message, "--ground", "g", "--for", "1h", "--reason", "r"
    )
    assert [one["message_id"] for one in (await tidegate(gate, "takedowns", "copies", "list")).rows] == [message]
    await tidegate(gate, "takedowns", "copies", "lift", str(refused.row["result"]["id"]), "--reason", "r")
    other = (await gate.node.say("alice", "deleted by its writer")).headers["tidegate-message-id"]
    await gate.outcome(other)
    done = await tidegate(gate, "takedowns", "tell", other, "--by", "user", "--reason", "r")
    assert done.row["result"]["message_id"] == other
    assert "control.takedown_unknown" in (await tidegate(gate, "takedowns", "show", "99", code=1)).err


async def test_the_journal(gate: Lab) -> None:
    answer = await gate.node.say("bob", "what was said")
    message = answer.headers["tidegate-message-id"]
    await gate.outcome(message)
    kinds = [row["kind"] for row in (await tidegate(gate, "journal", "query", "--id", message)).rows]
    assert kinds == ["judged", "outcome"]
    for width in (80, 30):
        code, seen = await on_a_terminal(gate, "journal", "query", "--sender", "bob", width=width)
        assert (code, message in seen, "delivered 201" in " ".join(seen.split())) == (0, True, True), seen
        assert "what was said" not in seen
    wrong = await tidegate(gate, "journal", "query", "--route", "coments", code=2)
    assert "did you mean “comments”?" in wrong.err


async def test_the_journal_is_followed(gate: Lab) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "journal", "query", "--follow", "--sender", "alice", "--limit", "1",
        "--data-dir", str(gate.node.folders.root), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        await gate.outcome((await gate.node.say("alice", "before")).headers["tidegate-message-id"])
        seen: list[str] = []
        async with asyncio.timeout(60):
            while len(set(seen)) < 3:  # whenever it has begun to listen, what is said after that is told
                message = (await gate.node.say("alice", "now")).headers["tidegate-message-id"]
                line = await asyncio.wait_for(process.stdout.readline(), 30)
                seen.append(json.loads(line)["id"])
        assert message >= seen[-1]
    finally:
        process.kill()
        await process.wait()


async def test_reload(gate: Lab) -> None:
    before = (await tidegate(gate, "status")).row["generation"]
    done = await tidegate(gate, "reload", "--reason", "new words")
    assert done.row["result"]["generation"] > before
    text = gate.config.read_text(encoding="utf-8")
    gate.config.write_text(text.replace('policy = "comment"', 'policy = "commnet"'), encoding="utf-8")
    try:
        assert (await tidegate(gate, "reload", "--reason", "r", code=1)).row["result"]["ok"] is False
        code, seen = await on_a_terminal(gate, "reload", "--reason", "r")
        assert (code, "did you mean “comment”?" in seen, "nothing has changed" in seen) == (1, True, True), seen
        assert (await tidegate(gate, "status")).row["reload_refused"] > 0
    finally:
        gate.config.write_text(text, encoding="utf-8")
    await tidegate(gate, "reload", "--reason", "mended")
    assert (await tidegate(gate, "status")).row["reload_refused"] is None


async def test_probes_have_an_address_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a node whose admin API lets nobody in, and whose number comes from outside."""
    monkeypatch.setenv("TIDEGATE_TEST_NODE", "12")
    port, control, probes = free_port(), free_port(), free_port()
    config = write_config(tmp_path, (port, control), 9, server='node = "env:TIDEGATE_TEST_NODE"')
    text = config.read_text(encoding="utf-8")
    more = f'probes = "127.0.0.1:{probes}"\nallow = ["192.0.2.0/24"]\n[state]'
    config.write_text(text.replace("[state]", more), encoding="utf-8")
    node = Node(tmp_path / "data", "run", "--config", str(config), port=port, control_port=probes)
    await node.start()
    try:
        assert [(await node.manage("GET", path)).status for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3
        assert [(await node.manage("GET", path)).status for path in ("/v1/people", "/openapi.json")] == [404] * 2
        node.control_port = control
        assert [(await node.manage("GET", path)).status for path in ("/healthz", "/v1/people")] == [403] * 2
        assert (tmp_path / "data" / "journal" / "node-12").is_dir()
    finally:
        assert await node.stop() == 0


async def test_what_is_written_to_a_reader_that_has_gone_is_no_fault(gate: Lab) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "acts", "list", "--reason", "audit", "--data-dir", str(gate.node.folders.root),
        stdout=writing, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(writing)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err) == (1, b"")


async def test_without_control_the_supervisor_tells(gate: Lab) -> None:
    pid = (await gate.node.pids("control"))["control"]
    os.kill(pid, signal.SIGSTOP)
    try:
        code, seen = await on_a_terminal(gate, "status")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (code, "control does not answer" in " ".join(seen.split()), "worker-1" in seen) == (1, True, True), seen
