"""The version, from the tags of the repository; hatchling asks for it wherever a package is made (pyproject.toml).

In turn, the first that knows: ``TIDEGATE_VERSION`` of the environment, for whoever packs sources of their own;
``PKG-INFO``, in a source archive that hatchling made; git, where this folder is a checkout; what ``git archive`` wrote
into ``archived.txt``. Where none does it is the first release, in development.

On a tag (``v1.2.3``) the version is the tag's; behind it the next one, in development, with the commit (PEP 440):
``1.2.4.dev5+g0a1b2c3``, and ``.changed`` where tracked files differ from it.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FIRST: Final = "0.1.0"
"""The release before which there is no tag."""
# PEP 440 as far as we use it: a release, and a candidate for one.
TAG: Final = re.compile(r"v(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)")
DESCRIBED: Final = re.compile(rf"(?:{TAG.pattern}-(\d+)-)?g?([0-9a-f]{{7,40}})(-dirty)?")
GIT: Final = ("describe", "--tags", "--match", "v[0-9]*", "--long", "--always", "--dirty", "--abbrev=7")


def version(root: Path = ROOT) -> str:
    """Raises ValueError where the environment gives what is no version."""
    if given := os.environ.get("TIDEGATE_VERSION"):
        if not re.fullmatch(r"\d[0-9A-Za-z.!]*(\+[0-9A-Za-z.]+)?", given):
            raise ValueError(f"TIDEGATE_VERSION is no version: {given}")
        return given
    return _packed(root / "PKG-INFO") or _checked_out(root) or _archived(root) or f"{FIRST}.dev0"


def from_description(described: str, commits: int = 0) -> str:
    """The version for what ``git describe --long --always`` says; ``commits``: how many there are, where no tag is."""
    found = DESCRIBED.fullmatch(described)
    if found is None:
        return ""
    tag, behind, commit, dirty = found.groups()
    if tag and behind == "0" and not dirty:
        return tag
    release = _next(tag) if tag else FIRST
    return f"{release}.dev{behind or commits}+g{commit}{'.changed' if dirty else ''}"


def _next(tag: str) -> str:
    """1.2.3 → 1.2.4, 1.3.0rc1 → 1.3.0rc2: what is in development sorts before it, and behind the tag."""
    before, last = re.fullmatch(r"(.*?)(\d+)", tag).groups()  # type: ignore[union-attr]  # it ends in a number
    return f"{before}{int(last) + 1}"


def _packed(file: Path) -> str:
    if not file.exists():
        return ""
    head = file.read_text(encoding="utf-8").partition("\n\n")[0]
    found = re.search(r"^Version: (\S+)$", head, re.MULTILINE)
    return found[1] if found else ""


def _checked_out(root: Path) -> str:
    """Empty where this is no checkout, also where it is a folder within somebody else's."""
    if not (root / ".git").exists():
        return ""
    told = _git(root, *GIT)
    return from_description(told, int(_git(root, "rev-list", "--count", "HEAD") or 0)) if told else ""


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=root)
    except OSError:  # no git
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _archived(root: Path) -> str:
    """What git put in place of its marks, when it made an archive."""
    try:
        described, _, commit = (root / "tools/packages/archived.txt").read_text(encoding="ascii").strip().partition(" ")
    except OSError:
        return ""
    if TAG.fullmatch(described):  # without --long: just the tag
        return described.removeprefix("v")
    return from_description(described) or from_description(commit)
