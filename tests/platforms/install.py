"""Published packages, put into ``build/platforms``: an environment or a folder of npm's each, by its lock's digest.

``locks/NAME.txt`` is a lock of pip's, with the hash of every file; ``locks/NAME/`` holds npm's ``package.json`` and
``package-lock.json``, which has them too. What is there already is taken as it is; ``ready`` says how many seconds it
took.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = Path(__file__).parent / "locks"
PLACE = ROOT / "build" / "platforms"
TRIES = 2  # a download may break off
WITHIN = 400.0  # seconds for one try: both, before a test is given up (`make platforms`: 900 s)


def python(name: str) -> Path:
    """The folder of the environment's programs."""
    lock = LOCKS / f"{name}.txt"

    def fill(place: Path) -> None:
        venv.create(place)
        pip = [sys.executable, "-m", "pip", "--python", str(place / "bin/python"), "--quiet"]
        _run([*pip, "install", "--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", str(lock)], place)

    return _kept(name, [lock], fill) / "bin"


def node(name: str) -> Path:
    """The folder that holds ``node_modules``. No package's own scripts are run."""
    locks = [LOCKS / name / file for file in ("package.json", "package-lock.json")]

    def fill(place: Path) -> None:
        for lock in locks:
            shutil.copy(lock, place)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], place)

    return _kept(name, locks, fill)


def _kept(name: str, locks: Sequence[Path], fill: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:12]
    place = PLACE / f"{name}-{digest}"
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # several processes run tests
        if not (place / "ready").exists():
            began = time.monotonic()
            for left in reversed(range(TRIES)):
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                try:
                    fill(place)
                    break
                except RuntimeError:
                    if not left:
                        raise
            (place / "ready").write_text(f"{time.monotonic() - began:.0f}\n", encoding="utf-8")
    return place


def _run(argv: Sequence[str], place: Path) -> None:
    """RuntimeError with what it said, where it fails or does not end."""
    try:
        done = subprocess.run(argv, cwd=place, capture_output=True, text=True, check=False, timeout=WITHIN)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{' '.join(argv)} did not end within {WITHIN:.0f} s") from error
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
