"""What ``.ci/run`` lets pass: skips that are named with a reason, and no other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = (
    "SKIPPED [1] tests/gateway/journal/write/test_writer.py:9: needs root: mounting a tmpfs",
    "SKIPPED [3] tests/gateway/carriers/test_requests.py: compiled: gives a stand-in where machine code takes it",
)
OTHER = ("SKIPPED [1] tests/test_a.py:3: not today", "XFAIL tests/test_a.py::test_b", "XPASS tests/test_a.py::test_c")


def told(log: Path, *lines: str) -> tuple[int, str]:
    log.write_text("".join(f"{line}\n" for line in ("....s [100%]", *lines, "1 passed")), encoding="utf-8")
    done = subprocess.run([str(ROOT / ".ci" / "skips"), str(log)], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_skips_with_a_reason_on_the_list_pass(tmp_path: Path) -> None:
    assert told(tmp_path / "log", *ALLOWED) == (0, "")
    assert told(tmp_path / "log") == (0, "")


@pytest.mark.parametrize("line", OTHER)
def test_every_other_one_is_named(line: str, tmp_path: Path) -> None:
    status, said = told(tmp_path / "log", *ALLOWED, line)
    assert status == 1
    assert line in said
    assert ALLOWED[0] not in said
