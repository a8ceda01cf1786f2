"""Laws that can be read off the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "asyncio",
    "socket",
    "redis",
    "hiredis",
    "aiohttp",
    "gateway",
    "os",
    "pathlib",
    "subprocess",
    "threading",
    "io",
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", sorted((ROOT / "filters").rglob("*.py")), ids=lambda path: path.stem)
def test_filters_do_no_io(path: Path) -> None:
    """Law 13."""
    assert not imported(path) & FORBIDDEN
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "open" not in calls


def test_importing_filters_loads_no_carrier() -> None:
    """Law 13, seen from a running interpreter: nothing imported on the way brings the carrying side in."""
    code = (
        "import sys, filters.policy, filters.reading.keywords\n"
        "print([name for name in ('asyncio', 'redis', 'gateway', 'aiohttp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_no_source_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("filters", "gateway")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long
