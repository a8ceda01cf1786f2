"""How a program of ours is started in a process of its own, and in which words its end is told.

Never with the current folder among the places that modules are looked for (``-P``, PYTHONSAFEPATH): it is the
operator's, and a ``platform.py`` or ``json.py`` that lies there would be executed for the library's.
"""

from __future__ import annotations

import os
import sys

LONGEST_LINE = 300  # characters of a last line that are told


def python(module: str, *arguments: str) -> list[str]:
    """The command line that runs ``module`` with this interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def leave_the_folder(home: str) -> None:
    """Undo what ``python -m`` did in this process: no more modules from the current folder, unless it is ``home``, from
    where the program itself comes. Then its children are told where that is (PYTHONPATH), because they do not look.

    Uses nothing that is not loaded when an interpreter starts: whatever is imported here could be the operator's.
    """
    here = os.getcwd()  # noqa: PTH109
    if sys.flags.safe_path or not sys.path or sys.path[0] not in ("", here):
        return
    if home != here:
        del sys.path[0]
        return
    told = os.environ.get("PYTHONPATH", "")
    if told.split(os.pathsep)[0] != home:  # first, as the current folder is for us
        os.environ["PYTHONPATH"] = home + os.pathsep + told if told else home


def cause_of(code: int) -> str:
    """What a process ended with, in words: its exit code, or the signal that ended it."""
    import signal  # not at the top: see ``leave_the_folder``

    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def last_line(said: str) -> str:
    """The last line of what a process wrote to its standard error that is not blank; its first ``LONGEST_LINE``
    characters."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:LONGEST_LINE] if lines else ""
