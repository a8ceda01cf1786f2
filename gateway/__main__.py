"""``python -m gateway`` and the ``tidegate`` command."""


def main() -> None:
    from gateway.cli import app

    app()


if __name__ == "__main__":
    main()
