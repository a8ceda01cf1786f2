"""Programs of ours and the folder they are started in, which is the operator's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.common.posix import cause_of, python

TRAP = "import os\nos._exit(66)\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (1, "exit code 1"), (-9, "signal SIGKILL"), (-11, "signal SIGSEGV"), (-34, "signal SIGRTMIN")],
)
def test_a_cause_in_words(code: int, words: str) -> None:
    assert cause_of(code) == words


def test_a_signal_without_a_name() -> None:
    assert cause_of(-40) == "signal 40"


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A folder in which files lie that are called as the library's are, and end whoever imports them."""
    for name in (
        "platform",
        "json",
        "signal",
        "enum",
        "typing",
        "asyncio",
        "ssl",
        "random",
        "orjson",
        "structlog",
        "filters",
        "rig",
    ):
        (tmp_path / f"{name}.py").write_text(TRAP)
    return tmp_path


@pytest.mark.parametrize(
    "module",
    [
        "gateway.worker", "gateway.control", "gateway.mirror", "gateway.generation.generation",
        "gateway.control.lists.changes_file", "gateway.demo.platform",
    ],
)  # fmt: skip
def test_no_child_imports_from_the_folder_it_is_started_in(trapped: Path, module: str) -> None:
    done = subprocess.run(python(module, "--help"), cwd=trapped, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"usage:" in done.stdout


def test_nor_does_the_command_itself(trapped: Path) -> None:
    argv = [sys.executable, "-m", "gateway", "--help"]
    # What ``python -m`` itself imports before the program begins is its own affair.
    for name in ("typing", "enum"):
        (trapped / f"{name}.py").unlink()
    done = subprocess.run(argv, cwd=trapped, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
