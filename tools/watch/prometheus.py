"""Debian's Prometheus, started over one node with the files of ``deploy/prometheus``, and asked over its API."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from rig.ports import free_port
from rig.process import start, stop, wait_for_port
from tools.watch.expressions import RULES

EVERY: Final = "1s"  # between two answers and two looks at the rules, in place of fifteen seconds
PATIENT: Final = "3s"  # the same for a node that is broken: with state silent an answer takes two seconds


class Answer(NamedTuple):
    """One series of an answer."""

    labels: dict[str, str]
    value: float


class Prometheus:
    """``files``: the folder that it runs in. ``target``: where /metrics is. ``quick``: alerts wait for nothing."""

    def __init__(self, files: Path, target: str, *, quick: bool = False) -> None:
        self.files = files
        self.port = free_port()
        self._log = files / "prometheus.log"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("recording.yml", "alerts.yml"):
            rules = yaml.safe_load((RULES / name).read_text(encoding="utf-8"))
            for group in rules["groups"]:
                for rule in group["rules"] if quick else ():
                    rule.pop("for", None)
            self._write(name, rules)
        config = yaml.safe_load((RULES / "prometheus.yml").read_text(encoding="utf-8"))
        every = PATIENT if quick else EVERY
        config["global"] |= {"scrape_interval": every, "evaluation_interval": every, "scrape_timeout": every}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
        self._write("prometheus.yml", config)

    def _write(self, name: str, content: Any) -> None:
        self.files.joinpath(name).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")

    def start(self) -> Prometheus:
        """Until it is ready to be asked."""
        self._process = start(
            [
                "prometheus", f"--config.file={self.files / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.files / 'tsdb'}", f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=subprocess.DEVNULL, stderr=self._log.open("wb"),
        )  # fmt: skip
        wait_for_port(self.port, self._process, self._log)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                    return self
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(self._log.read_text(encoding="utf-8")[-2000:])

    def stop(self) -> None:
        """With all that it started."""
        if self._process is not None:
            stop(self._process)

    def ask(self, expression: str) -> list[Answer]:
        """The answer now. Raises ValueError, with what Prometheus says, where it is no expression."""
        told = self._api("query", query=expression)
        if told["resultType"] == "scalar":
            return [Answer({}, float(told["result"][1]))]
        return [Answer(one["metric"], float(one["value"][1])) for one in told["result"]]

    def values(self, label: str, of: str) -> list[str]:
        """Those of a label among the series of a name, as Grafana's ``label_values`` asks."""
        found: list[str] = self._api(f"label/{label}/values", **{"match[]": of})
        return found

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {one.labels["alertname"] for one in self.ask('ALERTS{alertstate="firing"}')}

    def _api(self, what: str, **asked: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{json.load(error).get('error')}: {asked}") from error
