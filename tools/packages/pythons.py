"""The Pythons of this machine that the gateway is for, and environments of their own for what is tried with them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
PLACE: Final = ROOT / "build" / "packages"
LOCKS: Final = ROOT / "requirements"
ASK: Final = """
import sys, sysconfig, venv, ensurepip
from pathlib import Path
print(sys.implementation.name, *sys.version_info[:3], sysconfig.get_config_var("Py_GIL_DISABLED") or 0)
print(Path(sysconfig.get_path("include"), "Python.h").exists())
"""


class Python(NamedTuple):
    """``series``: ``3.11``; ``headers``: whether extensions can be built for it."""

    series: str
    release: str
    path: str
    headers: bool


def wanted() -> list[str]:
    """The series that pyproject.toml says we are for."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    return [found[1] for one in told if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", one))]


def present(series: Sequence[str] = ()) -> list[Python]:
    """One of each series that is here, of those named or of all that we are for."""
    return [one for name in series or wanted() if (one := find(name)) is not None]


def find(series: str) -> Python | None:
    """CPython with its global lock and the means to make environments; the first that answers."""
    for path in _places(series):
        done = subprocess.run([path, "-I", "-c", ASK], capture_output=True, text=True, check=False, cwd="/")
        words = done.stdout.split()
        if done.returncode == 0 and words[0] == "cpython" and words[4] == "0" and ".".join(words[1:3]) == series:
            return Python(series, ".".join(words[1:4]), path, words[5] == "True")
    return None


def _places(series: str) -> Iterator[str]:
    """Where they are found: this one, on PATH, where pyenv and PyPA's build images keep theirs."""
    name = f"python{series}"
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == series:
        yield str(getattr(sys, "_base_executable", sys.executable))
    if found := shutil.which(name):
        yield found
    homes = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions", Path("/opt/python")]
    for home in homes:
        yield from map(str, sorted(home.glob(f"*/bin/{name}"), reverse=True))


def environment(python: Python, lock: str, name: str = "") -> Path:
    """The interpreter of a virtual environment with a lock's packages, each held to its hash; made anew where the lock
    has changed. ``name``: another than the lock's, for one that gets more."""
    place = PLACE / f"{name or lock}-{python.series}"
    file = LOCKS / f"{lock}.lock"
    stamp = hashlib.sha256(file.read_bytes() + python.path.encode()).hexdigest()
    inside = place / "bin" / "python"
    ready = place / "ready"
    if ready.exists() and ready.read_text(encoding="ascii") == stamp:
        return inside
    shutil.rmtree(place, ignore_errors=True)
    run(python.path, "-m", "venv", str(place))
    pip(inside, "install", "--require-hashes", "--requirement", str(file))
    ready.write_text(stamp, encoding="ascii")
    return inside


def pip(inside: Path, *words: str) -> None:
    """pip of an environment."""
    run(str(inside), "-m", "pip", "--quiet", "--disable-pip-version-check", *words)


def run(*command: str, cwd: Path = ROOT, **more: str) -> None:
    """A program that has to succeed, without what this process was told of modules. ``more``: of its environment.
    Raises ``CalledProcessError``."""
    subprocess.run(command, check=True, cwd=cwd, env=bare() | more)


def bare() -> dict[str, str]:
    """This process's environment, but for what would lead an interpreter to our sources."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
