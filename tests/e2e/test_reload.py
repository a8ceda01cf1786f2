"""Reload: new lists and configuration act at once, broken ones change nothing and are told in full (law 9)."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
import pytest_asyncio

from gateway.common import channel
from rig.ports import free_port
from tests.e2e.lab import PATIENT, Lab, lab, write_config
from tests.e2e.node import Answer, kill, request
from tests.e2e.upstream import Received, created
from tests.e2e.wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "sanderling"
RULES = """
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
"""
FIRST = 'unmatched_upstream = "platform"'
SLOW = """
[upstreams.slow]
servers = ["http://127.0.0.1:PORT"]
[[routes]]
name = "slow-comments"
match = "POST /slow/{room}"
surface = "comment"
upstream = "slow"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
[[routes]]
name = "slow-likes"
match = "POST /slow/{room}/likes"
upstream = "slow"
"""
GOOD_WORDS = "代开发票\n"
FIELDS = {"Content-Type": "application/json", "X-User-Id": "alice"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    port = free_port()
    more = SLOW.replace("PORT", str(port))
    async with lab(
        tmp_path_factory.mktemp("reload"), workers=2, rules=RULES, upstream_port=port, more=more, server=FIRST
    ) as made:
        yield made
        await made.sound(PRIVATE, "alice", restarted=["worker-0"])


@pytest.fixture(autouse=True)
def as_it_was(gate: Lab) -> None:
    """Each test begins with the first files; what was loaded of them is another matter."""
    (gate.config.parent / "spam.txt").write_text(GOOD_WORDS, encoding="utf-8")


def words(gate: Lab, text: str) -> None:
    (gate.config.parent / "spam.txt").write_text(text, encoding="utf-8")


async def reload(gate: Lab) -> Answer:
    return await gate.node.manage("POST", "/v1/reload", {"reason": "test"})


async def refused(gate: Lab, text: str) -> bool:
    """Whether every worker refuses the text: connections are spread over them."""
    answers = await asyncio.gather(*(gate.node.say("alice", text) for _ in range(16)))
    assert {answer.status for answer in answers} in ({201}, {403})
    return answers[0].status == 403


async def generations(gate: Lab) -> list[int]:
    """The generation in force in each worker."""
    return [
        (await channel.call(gate.node.folders.worker_socket(number), {"command": "status"}, timeout=5))["generation"]
        for number in range(2)
    ]


async def test_new_words_act_when_the_answer_comes(gate: Lab) -> None:
    assert not await refused(gate, f"{PRIVATE} 刷单返利")
    words(gate, GOOD_WORDS + "刷单返利\n")
    answer = await reload(gate)
    assert (answer.status, answer.json()["result"]["ok"]) == (200, True)
    assert await refused(gate, f"{PRIVATE} 刷单返利")
    words(gate, GOOD_WORDS)
    assert (await reload(gate)).json()["result"]["ok"] is True
    assert not await refused(gate, f"{PRIVATE} 刷单返利")


async def test_sighup_does_the_same(gate: Lab) -> None:
    words(gate, GOOD_WORDS + "网上赌博\n")
    assert gate.node.process is not None
    before = (await gate.node.status())["generation"]
    gate.node.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(20):
        while (await gate.node.status())["generation"] == before:
            await asyncio.sleep(0.05)
    assert await refused(gate, "网上赌博")


async def test_kept_connections_and_requests_under_way_outlive_it(gate: Lab) -> None:
    """Nothing is closed, no request fails, while generations come and go."""
    stop = asyncio.Event()
    statuses: list[int] = []

    async def chat() -> None:
        async with wire(gate.node) as connection:
            while not stop.is_set():
                await connection.send(request("POST", "/api/articles/1/comments", b'{"content": "sanderling"}', FIELDS))
                statuses.append((await connection.answer()).status)

    chatting = [asyncio.create_task(chat()) for _ in range(8)]
    for number in range(3):
        words(gate, GOOD_WORDS + f"another{number}word\n")
        assert (await reload(gate)).json()["result"]["ok"] is True
    stop.set()
    await asyncio.gather(*chatting)
    assert set(statuses) == {201}
    assert len(statuses) > 50


async def test_an_upstream_that_gets_another_name_ends_what_it_was_sent(gate: Lab) -> None:
    """A reload closes nothing: who is told that a message failed, which was published, posts it twice."""
    text = gate.config.read_text(encoding="utf-8")
    held: list[str] = []
    go = asyncio.Event()

    async def slow(received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(received.line)
        await go.wait()
        await created(received, reader, writer)

    try:
        gate.upstream.behave = slow
        body = orjson.dumps({"content": PRIVATE})
        asked = [
            asyncio.create_task(gate.node.ask("POST", path, body, FIELDS)) for path in ("/slow/1", "/slow/1/likes")
        ]
        async with asyncio.timeout(30):
            while len(held) < 2:
                await asyncio.sleep(0.02)
        before = (await gate.node.status())["generation"]
        renamed = text.replace("[upstreams.slow]", "[upstreams.other]").replace('"slow"', '"other"')
        gate.config.write_text(renamed, encoding="utf-8")
        assert gate.node.process is not None
        gate.node.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            while before in await generations(gate):
                await asyncio.sleep(0.05)
        assert not any(task.done() for task in asked)
        gate.upstream.behave = created
        assert (await gate.node.ask("POST", "/slow/2", body, FIELDS)).status == 201
        go.set()
        answers = await asyncio.gather(*asked)
    finally:
        gate.upstream.behave = created
        gate.config.write_text(text, encoding="utf-8")
    assert [answer.status for answer in answers] == [201, 201]
    outcome = await gate.outcome(answers[0].headers["tidegate-message-id"])
    assert (outcome["state"], outcome["status"]) == ("delivered", 201)
    assert (await reload(gate)).json()["result"]["ok"] is True


async def test_a_broken_list_changes_nothing_and_all_of_it_is_told(gate: Lab) -> None:
    assert (await reload(gate)).status == 200
    before = await generations(gate)
    words(gate, "good\n a & & b\n[unclosed\nx | severity=99\n")
    answer = await reload(gate)
    told = answer.json()["result"]
    assert (answer.status, told["ok"], told["generation"]) == (202, False, before[0])
    assert "spam.txt:2" in str(told["problems"])
    assert len(told["problems"]) >= 2
    assert await generations(gate) == before
    assert await refused(gate, "代开发票")
    assert not await refused(gate, "good")
    assert '"event":"reload.refused"' in gate.node.told(everything=True)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.unlink(), "spam.txt"),
        (lambda path: path.write_bytes("代开发票".encode("gbk")), "UTF-8"),
        (lambda path: path.write_bytes(b"\x00" * 100), "spam.txt"),
    ],
    ids=["gone", "gbk", "zeroes"],
)
async def test_a_list_that_cannot_be_read_changes_nothing(gate: Lab, make: object, told: str) -> None:
    make(gate.config.parent / "spam.txt")  # type: ignore[operator]
    answer = (await reload(gate)).json()["result"]
    assert answer["ok"] is False
    assert told in str(answer["problems"])
    assert await refused(gate, "代开发票")


async def test_a_broken_configuration_is_told_whole(gate: Lab) -> None:
    text = gate.config.read_text(encoding="utf-8")
    before = await generations(gate)
    broken = text.replace("workers = 2", 'workers = "many"\nnonsense = 1').replace(
        'lists = ["spam"]', 'lists = ["ham"]'
    )
    try:
        gate.config.write_text(broken, encoding="utf-8")
        told = (await reload(gate)).json()["result"]
        assert told["ok"] is False
        problems = str(told["problems"])
        assert all(word in problems for word in ("server.workers", "server.nonsense", "ham"))
        gate.config.write_text("[server\n", encoding="utf-8")
        assert (await reload(gate)).json()["result"]["ok"] is False
        gate.config.unlink()
        assert (await reload(gate)).json()["result"]["ok"] is False
    finally:
        gate.config.write_text(text, encoding="utf-8")
    assert await generations(gate) == before
    assert await refused(gate, "代开发票")
    assert (await reload(gate)).json()["result"]["ok"] is True


async def test_what_needs_a_restart_is_said(gate: Lab) -> None:
    text = gate.config.read_text(encoding="utf-8")
    try:
        changed = text.replace(PATIENT, 'deadline = "30ms"')
        gate.config.write_text(changed + '\n[logs]\nlevel = "debug"\naccess = true\n')
        told = (await reload(gate)).json()["result"]
    finally:
        gate.config.write_text(text, encoding="utf-8")
    assert told["ok"] is True
    warned = [warning.partition(" ")[0] for warning in told["warnings"] if "next start" in warning]
    assert warned == ["logs.level", "state"]
    assert (await reload(gate)).status == 200


async def test_a_damaged_artifact_is_refused_by_the_worker(gate: Lab) -> None:
    """A generation whose list was damaged between compiling and loading: the last good one stays."""
    assert (await reload(gate)).status == 200
    folders = gate.node.folders
    before = await generations(gate)
    damaged = folders.generation(900)
    shutil.copytree(folders.generation(before[0]), damaged)
    manifest = json.loads((damaged / "manifest.json").read_text())
    sound = folders.artifacts / manifest["artifacts"]["spam"]
    for name, data in {
        "flipped.tga": bytes(byte ^ 1 if at == 200 else byte for at, byte in enumerate(sound.read_bytes())),
        "cut.tga": sound.read_bytes()[:-100],
        "empty.tga": b"",
        "text.tga": b"\x00" * 1000,
    }.items():
        (folders.artifacts / name).write_bytes(data)
        manifest["artifacts"]["spam"] = name
        (damaged / "manifest.json").write_text(json.dumps(manifest))
        answer = await channel.call(folders.worker_socket(0), {"command": "load", "generation": 900}, timeout=10)
        assert "ArtifactError" in answer["error"], name
        assert answer["generation"] == before[0]
    assert await generations(gate) == before
    assert await refused(gate, "代开发票")
    shutil.rmtree(damaged)


async def test_a_worker_that_cannot_come_back_is_healed_by_a_reload(gate: Lab) -> None:
    """The list of the generation in force is damaged on disk: who holds it in memory serves on."""
    assert (await reload(gate)).status == 200
    folders = gate.node.folders
    manifest = json.loads((folders.generation(folders.current()) / "manifest.json").read_text())
    artifact = folders.artifacts / manifest["artifacts"]["spam"]
    aside = artifact.with_suffix(".new")
    aside.write_bytes(b"\x00" * 1000)
    aside.replace(artifact)
    kill((await gate.node.pids("worker-0"))["worker-0"])
    async with asyncio.timeout(30):
        while (await gate.node.status())["children"]["worker-0"]["restarts"] < 2:
            await asyncio.sleep(0.05)
    assert await refused(gate, "代开发票")  # the other worker has the list
    assert "worker.failed" in gate.node.told(everything=True)
    assert (await reload(gate)).json()["result"]["ok"] is True
    await both_at_one(gate)


async def both_at_one(gate: Lab) -> None:
    """Until both workers answer with the generation in force."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(channel.ChannelError):
                found = set(await generations(gate))
                if found == {(await gate.node.status())["generation"]}:
                    return
            await asyncio.sleep(0.05)


async def test_a_worker_that_starts_while_generations_change_has_the_last_one(gate: Lab) -> None:
    for number in range(2):
        words(gate, GOOD_WORDS + f"word{number}\n")
        kill((await gate.node.pids("worker-0"))["worker-0"])
        await asyncio.sleep(0.4 * number)
        assert (await reload(gate)).json()["result"]["ok"] is True
        await both_at_one(gate)
    assert await refused(gate, "word1")


# Starts that cannot be


async def run(config: Path, data: Path) -> tuple[int, str]:
    """``tidegate run`` to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "run", "--config", str(config), "--data-dir", str(data),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 120)  # of two starts on a busy machine
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_a_second_one_on_the_same_folder_is_told_off(gate: Lab) -> None:
    code, output = await run(gate.config, gate.node.folders.root)
    assert code == 1
    assert "another tidegate" in output
    assert "--data-dir" in output
    assert "Traceback" not in output
    assert await refused(gate, "代开发票")


async def test_a_taken_address_is_told_with_a_remedy(gate: Lab, tmp_path: Path) -> None:
    async def told(name: str, public: str, control: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        config = write_config(folder, (1, 2), 9)
        text = (
            config.read_text(encoding="utf-8")
            .replace('127.0.0.1:1"', f'{public}"')
            .replace('127.0.0.1:2"', f'{control}"')
        )
        config.write_text(text, encoding="utf-8")
        with TemporaryDirectory(prefix="tg") as data:  # a path that is short enough for a socket, whoever runs this
            code, output = await run(config, Path(data))
        assert code == 1, output
        assert "Traceback" not in output
        return output

    public, control = await asyncio.gather(
        told("public", f"127.0.0.1:{gate.node.port}", f"127.0.0.1:{free_port()}"),
        told("control", f"127.0.0.1:{free_port()}", f"127.0.0.1:{gate.node.control_port}"),
    )
    assert f"{gate.node.port} is taken" in public
    assert "server.listen" in public
    assert f"{gate.node.control_port} is taken" in control
    assert "control.listen" in control
