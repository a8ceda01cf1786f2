"""``python -m gateway`` and the ``tidegate`` command."""

from gateway.commands.cli import main

if __name__ == "__main__":
    main()
