"""Another version of the program, made from this one: a tree with a version of its own, and what is changed there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from rig.process import ROOT

SCRIPT = """#!/bin/sh
PYTHONPATH='{tree}' exec '{python}' -P -m gateway "$@"
"""


def make(folder: Path, version: str, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """A tree in ``folder`` and the program to start it with, whose path is given back. ``changes``: of a module, by its
    path in the tree, what is replaced by what; empty for all of it."""
    tree = folder / version
    for package in ("gateway", "filters"):
        shutil.copytree(ROOT / package, tree / package)
    for name, (old, new) in (changes or {}).items():
        module = tree / name
        text = module.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"{name} does not say {old!r}")
        module.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
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
