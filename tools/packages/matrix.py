"""The tests under each Python that is here, each in an environment with the locked packages of development."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tools.packages.pythons import ROOT, Python, bare, environment, pip


def tested(pythons: Sequence[Python], arguments: Sequence[str]) -> int:
    """0 where all passed under all, else 1; tells a line of each."""
    outcomes = {}
    for python in pythons:
        inside = environment(python, "dev")
        pip(inside, "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        print(f"Python {python.release}", flush=True)
        done = subprocess.run([str(inside), "-m", "pytest", *arguments], check=False, cwd=ROOT, env=bare())
        outcomes[python.release] = done.returncode
    for release, code in outcomes.items():
        print(f"Python {release}: {'passed' if code == 0 else f'failed (exit code {code})'}")
    return 1 if any(outcomes.values()) else 0
