"""Another version of the program, made from this one: a tree with a version of its own, and what is changed there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from rig.process import ROOT

PACKAGES = ("gateway", "filters")
SCRIPT = """#!/bin/sh
PYTHONPATH='{tree}' exec '{python}' -P -m gateway "$@"
"""


def make(folder: Path, version: str, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """A tree in ``folder`` and the program to start it with, whose path is given back. ``changes``: of a module, by its
    path in the tree, what is replaced by what; empty for all of it."""
    tree = folder / version
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package)
    for name, (old, new) in (changes or {}).items():
        module = tree / name
        text = module.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not say {old!r}")
        module.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
    return _program(folder, version)


def of_commit(folder: Path, version: str, commit: str) -> Path:
    """The same of a commit of this repository. Raises ``CalledProcessError`` where there is none of that name."""
    tree = folder / version
    tree.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, *PACKAGES], check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
    return _program(folder, version)


def last_release() -> str:
    """The newest tag; empty where there is none, or no repository."""
    if shutil.which("git") is None:
        return ""
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--tags", "--abbrev=0"], check=False, capture_output=True, text=True
    )
    return told.stdout.strip()


def _program(folder: Path, version: str) -> Path:
    tree = folder / version
    told = metadata.distribution("tidegate").metadata
    about = tree / f"tidegate-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {told['Name']}\nVersion: {version}\n", encoding="utf-8"
    )
    program = folder / f"tidegate-{version}"
    program.write_text(SCRIPT.format(tree=tree, python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    return program
