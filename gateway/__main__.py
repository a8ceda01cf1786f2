"""``python -m gateway`` and the ``tidegate`` command."""

import os
import sys


def leave_the_folder() -> None:
    """Undo what ``python -m`` did in this process: no modules from the current folder, which is the operator's, unless
    the program itself comes from there. Then its children are told (PYTHONPATH), because they do not look.

    Uses nothing that is not loaded when an interpreter starts: whatever is imported here could be the operator's.
    """
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    here = os.getcwd()  # noqa: PTH109
    if sys.flags.safe_path or not sys.path or sys.path[0] not in ("", here):
        return
    if home != here:
        del sys.path[0]
        return
    told = os.environ.get("PYTHONPATH", "")
    if told.split(os.pathsep)[0] != home:  # first, as the current folder is for us
        os.environ["PYTHONPATH"] = home + os.pathsep + told if told else home


if __name__ == "__main__":
    leave_the_folder()

from gateway.commands.cli import main  # noqa: E402 - only now: it imports most of the library

if __name__ == "__main__":
    main()
