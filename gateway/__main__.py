"""``python -m gateway`` and the ``tidegate`` command."""

import os

from gateway.common.program import leave_the_folder

if __name__ == "__main__":
    leave_the_folder(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from gateway.commands.cli import main  # only now: it imports most of the library

if __name__ == "__main__":
    main()
