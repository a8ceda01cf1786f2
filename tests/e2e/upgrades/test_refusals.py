"""What goes wrong with an upgrade: each time the version before serves on, and says why."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.common import channel
from gateway.control.acts.schema import RELEASE
from rig.versions import make
from tests.e2e.node import kill
from tests.e2e.upgrades.conftest import Standing, standing

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standing]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODD", "\udcff")  # see the test of what goes along
        async with standing(tmp_path_factory.mktemp("refusals"), drain="1s") as made:
            yield made


async def as_before(node: Standing, before: dict[str, object], expected: str = "") -> None:
    """The same supervisor, at work, and comments are judged."""
    status = await node.status()
    assert status["pid"] == before["pid"]
    assert (await node.lab.node.say("alice", "hello")).status == 201
    answer = await node.lab.node.manage("GET", "/v1/status")
    assert answer.json()["version"] == (expected or version("tidegate"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gateway/commands/run.py": ("", "1 +\n")}, "SyntaxError"),
        ({"gateway/worker/app.py": ("import asyncio\n", "import no_such_module\n")}, "no_such_module"),
        ({"gateway/node/handover.py": ("READS: Final = (1,)", "READS: Final = (7,)")}, "another format"),
        (
            {"gateway/node/handover.py": ('    descriptor = environ.get(HANDED, "")\n', "    raise RuntimeError\n")},
            "handed over",
        ),
        (
            {"gateway/control/acts/schema.py": (f"RELEASE: Final = {RELEASE}", "RELEASE: Final = -7")},
            "newer than the next",
        ),
    ],
)
async def test_a_version_that_cannot_start_is_refused(
    node: Standing, tmp_path: Path, changes: dict[str, tuple[str, str]], why: str
) -> None:
    before = await node.status()
    told = await node.upgrade(make(tmp_path, "9.9.2", changes))
    assert (told["ok"], why in str(told["problems"])) == (False, True), told
    after = await node.status()
    assert after["children"] == before["children"]
    assert after["upgrade"]["state"] == "refused"
    await as_before(node, before)


async def test_a_configuration_that_is_wrong_is_refused(node: Standing) -> None:
    before = await node.status()
    text = node.lab.config.read_text(encoding="utf-8")
    try:
        node.lab.config.write_text(text + "\n[nonsense]\n", encoding="utf-8")
        told = await node.upgrade()
    finally:
        node.lab.config.write_text(text, encoding="utf-8")
    assert "nonsense" in str(told["problems"])
    await as_before(node, before)


@pytest.mark.parametrize("program", ["tidegate", "/nonexistent/tidegate", "/etc/passwd"])
async def test_what_is_no_program_is_refused(node: Standing, program: str) -> None:
    assert "is no program" in str((await node.upgrade(program))["problems"])


async def test_a_version_that_ends_when_it_is_executed_gives_its_place_back(node: Standing, tmp_path: Path) -> None:
    line = "        self._hear_signals()\n        self._lock = handed.lock"
    changes = {"gateway/node/supervisor.py": (line, "        raise RuntimeError")}
    before = await node.status()
    told = await node.upgrade(make(tmp_path, "9.9.3", changes))
    assert told["state"] == "refused", told
    assert "RuntimeError" in str(told["problems"])
    after = await node.status()
    assert after["children"] == before["children"], "nobody noticed"
    await as_before(node, before)


async def test_a_worker_that_does_not_come_up_leaves_those_of_before(node: Standing, tmp_path: Path) -> None:
    changes = {"gateway/worker/__main__.py": ("        on_stop(self._stop)\n", "        raise RuntimeError\n")}
    before = await node.status()
    async with node.under_load(clients=1, sockets=1) as seen:
        told = await node.upgrade(make(tmp_path, "9.9.4", changes))
        assert told["state"] == "refused", told
        assert "worker-2 ends as soon as it starts" in str(told["problems"])
    assert (seen.failed, set(seen.answered), dict(seen.ended)) == ([], {201}, {})
    after = await node.status()
    assert {name: child["pid"] for name, child in after["children"].items()} == {
        name: child["pid"] for name, child in before["children"].items()
    }
    await as_before(node, before)


@pytest.mark.whole
async def test_a_control_that_does_not_come_up_brings_all_of_before_back(node: Standing, tmp_path: Path) -> None:
    """Workers were renewed by then: they are renewed again, and nobody is refused."""
    changes = {"gateway/control/__main__.py": ("    os.umask(0o077)\n", "    return 3\n")}
    before = await node.status()
    async with node.under_load(clients=1, sockets=1) as seen:
        told = await node.upgrade(make(tmp_path, "9.9.5", changes))
        assert told["state"] == "refused", told
        assert "control ends as soon as it starts" in str(told["problems"])
    assert (seen.failed, set(seen.answered)) == ([], {201})
    assert set(seen.ended) <= {1012}, "a second is all that they had"
    await as_before(node, before)


@pytest.mark.whole
async def test_two_at_once_and_a_reload_meanwhile(node: Standing) -> None:
    supervisor = node.lab.node.folders.supervisor_socket
    program = os.fspath(make(node.lab.config.parent, "9.9.6"))
    first, second, reload = await asyncio.gather(
        *(channel.call(supervisor, {"command": "upgrade", "program": program}, timeout=120) for _ in range(2)),
        channel.call(supervisor, {"command": "reload"}, timeout=120),
    )
    assert sorted((first["ok"], second["ok"])) == [False, True]
    assert "under way" in str(first["problems"] + second["problems"])
    assert "being replaced" in str(reload["problems"])
    # One by a signal is done when that is over.
    assert node.lab.node.process is not None
    node.lab.node.process.send_signal(signal.SIGHUP)
    told = await node.upgraded()
    assert (told["state"], told["to"]) == ("done", "9.9.6")
    generation = (await node.status())["generation"]
    async with asyncio.timeout(60):
        while (await node.status())["reloads"]["done"] == 0:
            await asyncio.sleep(0.05)
    assert (await node.status())["generation"] > generation


@pytest.mark.whole
async def test_by_a_signal_after_the_file_was_replaced_and_control_killed_meanwhile(
    node: Standing, tmp_path: Path
) -> None:
    """The program that was named last is the one that is executed, whatever stands there now."""
    before = await node.status()
    old = node.lab.config.parent / "tidegate-9.9.6"
    if not old.exists():  # of the test before
        assert (await node.upgrade(make(old.parent, "9.9.6")))["state"] == "done"
    make(tmp_path, "9.9.8").replace(old)
    assert node.lab.node.process is not None
    node.lab.node.process.send_signal(signal.SIGUSR2)
    async with asyncio.timeout(60):
        while (await node.status())["upgrade"]["state"] not in ("trial", "renewing"):
            await asyncio.sleep(0.01)
    kill((await node.status())["children"]["control"]["pid"])
    told = await node.upgraded()
    assert (told["state"], told["to"]) == ("done", "9.9.8"), told
    await as_before(node, before, "9.9.8")


def environ(pid: object) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


async def test_an_environment_that_is_no_utf_8_goes_along(node: Standing) -> None:
    if (await node.status())["upgrade"]["state"] == "none":  # no test came before
        assert (await node.upgrade())["state"] == "done"
    assert b"ODD=\xff" in environ((await node.status())["pid"])


async def test_the_command(node: Standing, tmp_path: Path) -> None:
    async def run(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "upgrade", "--data-dir", str(node.lab.node.folders.root), *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode, output.decode()

    code, said = await run("--program", os.fspath(make(tmp_path, "9.9.9")))
    assert (code, said.splitlines()[-1]) == (0, "version 9.9.9 serves"), said
    broken = make(tmp_path, "9.9.10", {"gateway/worker/app.py": ("", "1 +\n")})
    code, said = await run("--program", os.fspath(broken))
    assert (code, said.splitlines()[-1]) == (1, "the version before serves on: nothing has changed"), said
    assert "SyntaxError" in said


async def asked_by_command(node: Standing, program: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "upgrade", "--data-dir", str(node.lab.node.folders.root), "--program",
        str(program), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def sees_the_end(command: asyncio.subprocess.Process) -> None:
    """The command tells that the node has gone."""
    output, _ = await asyncio.wait_for(command.communicate(), 60)
    assert command.returncode == 1
    assert output.decode().splitlines()[-1] == "the node ends, or began anew meanwhile: its log says why"


@pytest.mark.whole
async def test_killed_in_the_instant_of_its_execution(tmp_path: Path) -> None:
    """As a supervisor that is killed: what it had ends in order, and a start at once finds free numbers."""
    changes = {
        "gateway/__main__.py": (
            "import os\nimport sys\n",
            "import os\nimport sys\nif 'TIDEGATE_HANDOVER' in os.environ: os._exit(9)\n",
        )
    }
    async with standing(tmp_path, workers=1, drain="60s") as node, node.under_load(clients=1, sockets=1):
        command = await asked_by_command(node, make(tmp_path, "9.9.12", changes))
        process = node.lab.node.process
        assert process is not None
        assert await asyncio.wait_for(process.wait(), 60) == 9
        await sees_the_end(command)
        await node.lab.node.start()
        assert (await node.lab.node.say("alice", "hello")).status == 201


async def under_way(node: Standing) -> bool:
    return bool((await node.status())["upgrade"]["state"] == "trial")


async def about_to_be(node: Standing) -> bool:
    return bool((await node.status())["upgrade"]["state"] == "renewing")


async def amid(node: Standing) -> bool:
    """The next program is at work, and has begun a worker."""
    return len(await node.workers()) > 1


@pytest.mark.parametrize(
    "moment", [about_to_be, *(pytest.param(one, marks=pytest.mark.whole) for one in (under_way, amid))]
)
async def test_told_to_stop_in_the_middle(tmp_path: Path, moment: Callable[[Standing], Awaitable[bool]]) -> None:
    """Whichever step it finds, the node ends in order, and the command says so."""
    async with standing(tmp_path, workers=1, drain="1s") as node:
        command = await asked_by_command(node, make(tmp_path, "9.9.11"))
        async with asyncio.timeout(60):
            while not await moment(node):
                await asyncio.sleep(0.01)
        process = node.lab.node.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 90) == 0
        if moment is under_way:  # it was refused
            await command.communicate()
        else:
            await sees_the_end(command)
