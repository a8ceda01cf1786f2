"""The measured gateway itself, started as an operator starts it: ``tidegate run --config F``."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.systems.system import Checks, Setting
from gateway.common import channel
from gateway.common.folders import Folders
from rig import node, process
from rig.configuration import CONFIGURATION
from rig.ports import free_port

COMPILED_WITHIN = 900.0  # seconds: a million words take half a minute, on a busy machine minutes


class Tidegate:
    """Supervisor, workers, control and the embedded state server. Only workers count as the gateway. ``checkout``: run
    what stands there, with its own virtual environment, instead of this. ``python``: run what this interpreter's
    environment has installed."""

    name = "Tidegate"
    checks: Checks = "folded"

    def __init__(
        self, checkout: Path | None = None, key: str = "tidegate", *, python: Path | None = None
    ) -> None:  # fmt: skip
        self.key = key
        self._checkout = checkout
        self._installed = python is not None
        if python is None:
            python = checkout / ".venv" / "bin" / "python" if checkout is not None else Path(sys.executable)
        self._python = str(python)
        self.port = free_port()
        self.control = free_port()
        self.data = Path()
        self._run: subprocess.Popen[bytes] | None = None

    def start(self, setting: Setting) -> None:
        self.data = setting.scratch / "tidegate"
        self.data.mkdir()
        self.configuration = self.data / "tidegate.toml"
        named = (("words", setting.words), *setting.more_lists)
        lists = "\n".join(f'[lists.{name}]\npath = "{path}"' for name, path in named)
        self.configuration.write_text(
            CONFIGURATION.format(
                port=self.port, control=self.control, upstream=setting.upstream_port, lists=lists,
                workers=setting.workers, rules=",\n  ".join(setting.rules),
            ).replace("[server]", f"[server]\n{setting.server}"),
            encoding="utf-8",
        )  # fmt: skip
        apart = ["-P"] if self._installed else []  # not what stands in this folder
        argv = [
            self._python, *apart, "-m", "gateway", "run", "--config", str(self.configuration),
            "--data-dir", str(self.data),
        ]  # fmt: skip
        log = (self.data / "run.log").open("wb")
        self._run = process.start(argv, setting.others_cpus, stdout=subprocess.PIPE, stderr=log, cwd=self._checkout)
        if not node.wait_until_ready(self._run, COMPILED_WITHIN, self.data):
            raise RuntimeError("tidegate did not start:\n" + self.log(40))
        for pid in self.gateway_pids():
            process.pin(pid, setting.cpus)
        self._introduce(setting.people)

    def gateway_pids(self) -> list[int]:
        return [pid for name, pid in node.children(self.data).items() if name.startswith("worker-")]

    def state_pids(self) -> list[int]:
        return [pid for name, pid in node.children(self.data).items() if name == "state"]

    def other_pids(self) -> list[int]:
        assert self._run is not None
        known = {*self.gateway_pids(), *self.state_pids()}
        return [pid for pid in process.children(self._run.pid) if pid not in known]

    def stop(self) -> None:
        if self._run is not None:
            process.stop(self._run, within=45)

    def metrics(self) -> str:
        """The text of ``/metrics``."""
        return self._ask("GET", "/metrics")

    def log(self, lines: int = 12) -> str:
        """The end of what supervisor and workers told, warnings about word lists left out."""
        told = (self.data / "run.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([line[:400] for line in told if not line.startswith("warning:")][-lines:])

    def reload(self) -> dict[str, Any]:
        """Compile and load the configuration and its lists again; the supervisor's answer."""
        return asyncio.run(self._command("reload", COMPILED_WITHIN))

    def _introduce(self, people: int) -> None:
        """Import the senders, and wait until the state server knows the last of them."""
        lines = "\n".join(json.dumps({"sender": f"u{n}", "verified": True, "credit": 90}) for n in range(1, people + 1))
        token = (self.data / "control" / "first-token").read_text().strip()
        self._ask("POST", "/v1/accounts:import?reason=benchmark", lines, {"Authorization": f"Bearer {token}"})
        until = time.monotonic() + 30
        while "\ntidegate_outbox_waiting 0" not in self.metrics():
            if time.monotonic() > until:
                raise RuntimeError("the imported accounts do not reach the state server")
            time.sleep(0.05)

    def _ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.control, timeout=60)
        try:
            connection.request(method, path, body.encode(), headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {text[:500]}")
        return text

    async def _command(self, command: str, within: float) -> dict[str, Any]:
        return dict(await channel.call(Folders(self.data).supervisor_socket, {"command": command}, timeout=within))
