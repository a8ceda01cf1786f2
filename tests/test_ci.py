"""What ``.ci/run`` lets pass: skips that are named with a reason, and no other; and which platforms it tries."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SLOW = {"test_synapse.py"}
"""Of tests/platforms: what installs within two minutes runs in CI, and this does not."""
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


def test_platforms_that_install_fast_are_tried() -> None:
    """None of them is ever skipped: a registry that nobody can reach is tried again, and then it fails."""
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert '\nmake platforms-quick 2>&1 | tee -a "$log"\n' in ci
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nplatforms-quick: setup\n")[2]
    assert "-m quick tests/platforms" in recipe.partition("\n\n")[0]
    modules = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "platforms").glob("test_*.py")}
    assert {path.name for path, source in modules.items() if "pytest.mark.quick" not in source} == SLOW
    assert not any("pytest.skip" in source or "mark.skip" in source for source in modules.values())
