"""What a package holds: all of the program, and nothing of the tests, the benchmarks, or the machine that made it."""

from __future__ import annotations

import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tools.packages.pythons import PLACE, ROOT, Python

PACKAGES: Final = ("filters", "gateway", "loadtest", "rig")
OURS: Final = re.compile(
    rf"({'|'.join(PACKAGES)})/.+|tidegate-[^/]+\.(dist-info|data)/.+|tidegate__mypyc\.(sha256|[\w-]+\.so)"
)
NEVER: Final = re.compile(r"(^|/)(tests?|benchmarks|tools|__pycache__|\.[^/]+)/|\.(pyc|c|o|h|log)$|~$|(^|/)\.")
NEEDED: Final = frozenset(
    {
        *(f"{package}/py.typed" for package in PACKAGES), "gateway/demo/tidegate.toml", "gateway/demo/lists/spam.txt",
        "gateway/presets/platforms/plain.toml",
        "gateway/state/hot/lua/admit.lua", "loadtest/locustfile.py", "loadtest/target/node.toml",
    }
)  # fmt: skip


class WrongContents(Exception):
    """A package lacks something, or holds what is nobody's business; the message names it."""


def names(wheel: Path) -> list[str]:
    """The files in a wheel."""
    with zipfile.ZipFile(wheel) as packed:
        return packed.namelist()


def check(wheel: Path, python: Python | None = None, source: Path = ROOT) -> None:
    """Raises ``WrongContents``. ``source``: the tree that it was made from; ``python``: what made it."""
    held = set(names(wheel))
    meant = set(_files(source))
    private = [f"{path}/".encode() for path in (ROOT, source, PLACE, Path.home(), python.path if python else ROOT)]
    with zipfile.ZipFile(wheel) as packed:
        told = {name for name in held if any(path in packed.read(name) for path in private if path != b"//")}
    _refuse(
        wheel,
        {
            "lacks": (meant | NEEDED) - held,
            "does not own": {name for name in held if not OURS.fullmatch(name)},
            "must not hold": {name for name in held if NEVER.search(name)},
            "tells paths of this machine in": told,
        },
    )


def check_archive(archive: Path) -> None:
    """Every file that the repository holds, and no other. Raises ``WrongContents``."""
    with tarfile.open(archive) as packed:
        held = {member.name.partition("/")[2] for member in packed.getmembers() if member.isfile()}
    meant = kept()
    _refuse(
        archive,
        {
            "lacks": (meant or set(_files(ROOT))) - held,
            "holds what is not in the repository:": held - meant - {"PKG-INFO"} if meant else set(),
        },
    )


def kept() -> set[str]:
    """What the repository holds or is about to; nothing where this is no checkout."""
    if not (ROOT / ".git").exists():
        return set()
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT)
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}


def _files(root: Path) -> Iterator[str]:
    """Sources and data of the packages."""
    for package in PACKAGES:
        for path in (root / package).rglob("*"):
            if path.is_file() and path.suffix not in (".pyc", ".so"):
                yield path.relative_to(root).as_posix()


def _refuse(package: Path, wrong: dict[str, Iterable[str]]) -> None:
    found = [f"{what} {', '.join(sorted(one))}" for what, one in wrong.items() if one]
    if found:
        raise WrongContents(f"{package.name} {'; '.join(found)}")
