"""What is in dist/, as a user has it: a new environment, the lock, the wheel, a folder that is not the source.

In it the demo judges comments, and a load test checks its own node's answers.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rig.ports import free_ports
from tools.packages.making import DIST
from tools.packages.pythons import Python, bare, environment, pip, run

START_WITHIN: Final = 300.0  # seconds; a machine may be busy
END_WITHIN: Final = 60.0
SUITE: Final = ("comment-storm", "--users", "60", "--rate", "60", "--duration", "10s", "--seed", "7")
VOID: Final = 3  # the machine stood still: its answers are right none the less


class NotWorking(Exception):
    """An installed package did not do what it is for; the message says what was seen."""


def tried(pythons: Sequence[Python], *, compiled: bool = True) -> int:
    """Tell of every wheel that a Python here could install; 0 where all work, else 1."""
    failed = 0
    wheels = [(python, wheel) for python in pythons for wheel in _of(python, compiled=compiled)]
    for python, wheel in wheels:
        try:
            told = _tried(python, wheel)
        except (NotWorking, subprocess.CalledProcessError) as error:
            failed, told = 1, f"DOES NOT WORK: {error}"
        print(f"Python {python.release}, {wheel.name}: {told}", flush=True)
    if not wheels:
        print("dist/ holds no wheel for a Python that is here: first `make`")
    return failed or int(not wheels)


def _of(python: Python, *, compiled: bool) -> Iterator[Path]:
    tag = f"cp{python.series.replace('.', '')}"
    for wheel in newest(DIST):
        if "-py3-none-any." in wheel.name or (compiled and f"-{tag}-{tag}-" in wheel.name):
            yield wheel


def newest(folder: Path) -> list[Path]:
    """The wheels of the version that was made last."""
    wheels = sorted(folder.glob("tidegate-*.whl"), key=lambda one: one.stat().st_mtime)
    return [one for one in wheels if one.name.split("-")[1] == wheels[-1].name.split("-")[1]]


def installed(python: Python, wheel: Path, lock: str = "run") -> Path:
    """The interpreter of an environment that holds a lock and the wheel, and nothing else."""
    kind = "pure" if "-py3-none-any." in wheel.name else "compiled"
    inside = environment(python, lock, f"tried-{lock}-{kind}")
    pip(inside, "install", "--no-deps", "--force-reinstall", str(wheel))
    run(str(inside), "-m", "pip", "--quiet", "check")
    return inside


def _tried(python: Python, wheel: Path) -> str:
    inside = installed(python, wheel)
    with tempfile.TemporaryDirectory(prefix="tidegate-try-") as folder:
        here = Path(folder)
        version = _said(here, str(inside.with_name("tidegate")), "--version").removeprefix("tidegate ").strip()
        if version != wheel.name.split("-")[1]:
            raise NotWorking(f"it calls itself {version}")
        hot_path = _demo(inside, here, version)
        if hot_path != ("interpreted" if "-py3-none-any." in wheel.name else "compiled"):
            raise NotWorking(f"its hot path is {hot_path}")
        loaded = _load(installed(python, wheel, "load"), here)
    return f"{hot_path}; demo judged; {loaded}"


def _demo(inside: Path, here: Path, version: str) -> str:
    """How its hot path runs, as its metrics say."""
    gate, control, platform = (f"127.0.0.1:{port}" for port in free_ports(3))
    argv = [str(inside.with_name("tidegate")), "demo", "--listen", gate, "--control", control, "--platform", platform]
    with _running(argv, here) as demo:
        _ready(demo, here / "demo.log")
        good = _comment(gate, "alice", "今天天气不错, thank you")
        bad = _comment(gate, "bob", "加微信领红包")
        nobody = _comment(gate, "carol", "hello")
        if (good, bad // 100, nobody // 100) != (201, 4, 4):
            raise NotWorking(f"comments were answered {good}, {bad}, {nobody}")
        metrics = urllib.request.urlopen(f"http://{control}/metrics", timeout=30).read().decode()
        demo.send_signal(signal.SIGTERM)
        if code := demo.wait(END_WITHIN):
            raise NotWorking(f"the demo ended with {code}")
    found = re.search(r"^tidegate_build_info\{(.*)\} 1", metrics, re.MULTILINE)
    if found is None or f'version="{version}"' not in found[1]:
        raise NotWorking("its metrics do not tell its version")
    return re.findall(r'hot_path="(\w+)"', found[1])[0]


def _comment(gate: str, sender: str, text: str) -> int:
    body = json.dumps({"content": text}).encode()
    headers = {"Content-Type": "application/json", "X-User-Id": sender}
    asked = urllib.request.Request(f"http://{gate}/api/articles/1/comments", body, headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _load(inside: Path, here: Path) -> str:
    out = here / "report"
    argv = [str(inside.with_name("tidegate")), "loadtest", *SUITE, "--no-direct", "--out", str(out)]
    # Objectives of time are the machine's business: that the answers are right is the package's.
    argv += ["--check-p99", "10000", "--added-p99", "10000", "--answer-p99", "60000", "--late-p99", "60000"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=here, env=bare(), timeout=600)
    if done.returncode not in (0, VOID) or not (out / "report.html").exists():
        raise NotWorking(f"the load test ended with {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return "load test " + ("passed" if done.returncode == 0 else "void, its answers right")


def _said(here: Path, *command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=here, env=bare()).stdout


def _ready(demo: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while b"\nready" not in log.read_bytes():
        if demo.poll() is not None or time.monotonic() > until:
            raise NotWorking(f"the demo did not start: {log.read_text(encoding='utf-8', errors='replace')[-1500:]}")
        time.sleep(0.1)


@contextmanager
def _running(argv: list[str], here: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (here / "demo.log").open("wb") as log:
        started = subprocess.Popen(argv, stdout=log, stderr=log, cwd=here, env=bare(), process_group=0)
        try:
            yield started
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()
