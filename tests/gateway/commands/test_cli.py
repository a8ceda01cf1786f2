"""The command line: every command is there, and starting a node imports no library that it does not need."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gateway.commands.cli import COMMANDS, build


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(build(list(COMMANDS)), ["--help"])
    assert shown.exit_code == 0
    assert all(name in shown.output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_stands_alone(name: str) -> None:
    shown = CliRunner().invoke(build([name]), [name, "--help"])
    assert shown.exit_code == 0


def test_usage_errors_exit_with_two() -> None:
    done = subprocess.run([sys.executable, "-m", "gateway", "fly"], capture_output=True, check=False)
    assert done.returncode == 2


def test_a_node_starts_without_controls_libraries() -> None:
    code = (
        "import sys; from gateway.commands.cli import build; build(['run'])\n"
        "print([name for name in ('aiohttp', 'sqlalchemy', 'jinja2', 'alembic', 'locust') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
