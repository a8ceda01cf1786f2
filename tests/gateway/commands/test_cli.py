"""The command line: every command is there, and starting a node imports no library that it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from gateway.commands import cli, places
from gateway.commands.admin.calling import URL
from gateway.commands.cli import COMMANDS, COMPLETING, build, named
from gateway.control.api import client
from rig.ports import free_port

ALL = build(list(COMMANDS))


def leaves(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, by its words."""
    command = command or get_command(ALL)
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
    else:
        for name, one in below.items():
            yield from leaves(one, (*path, name))


LEAVES = dict(leaves())


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, nothing in the environment, a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    for name in (places.CONFIG, places.DATA_DIR, URL, client.TOKEN, client.TOKEN_FILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def invoke(*words: str) -> Any:
    done = CliRunner().invoke(ALL, list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done


def test_help_names_every_command() -> None:
    shown = invoke("--help")
    assert shown.exit_code == 0
    assert all(name in shown.output for name in COMMANDS)
    assert invoke("-h").output == shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_stands_alone(name: str) -> None:
    shown = CliRunner().invoke(build([name]), [name, "--help"])
    assert shown.exit_code == 0


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_help_fits_eighty_columns(path: tuple[str, ...]) -> None:
    shown = invoke(*path, "-h")
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 80


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_wrong_usage_is_told_with_exit_code_two(path: tuple[str, ...]) -> None:
    command = LEAVES[path]
    tried = [("--no-such-option",), ("-é",)]
    if any(one.required for one in command.params):
        tried.append(())
    if not any(one.nargs == -1 for one in command.params):
        tried.append(("x",) * 9)
    for one in command.params:
        if one.param_type_name == "option" and not getattr(one, "is_flag", False):
            tried.append((one.opts[0],))  # without its value
            if one.type_descriptor.annotation in (int, float) or choices(one):
                tried.append((one.opts[0], "nonsense"))
    for words in tried:
        done = invoke(*path, *words)
        assert (done.exit_code, bool(done.stderr.strip())) == (2, True), (words, done.output)


def choices(parameter: Any) -> tuple[str, ...]:
    """The words that a parameter accepts; none where any will do."""
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


WITHOUT_A_NODE = {
    ("demo",),
    ("loadtest", "run"),
    ("loadtest", "compare"),
    ("config", "schema"),
    ("config", "reference"),
    ("words", "compile"),
    ("journal", "reindex"),
}
"""What runs, or says something, wherever it is."""


def filled(command: Any) -> list[str]:
    """Words for everything that is required."""
    words: list[str] = []
    for one in command.params:
        if one.required:
            value = (*choices(one), "7")[0]
            flag = getattr(one, "is_flag", False)
            words += [value] if one.param_type_name == "argument" else [one.opts[0]] if flag else [one.opts[0], value]
        elif "goes on record" in (one.help or ""):
            words += ["--reason", "r"]
    return words


@pytest.mark.parametrize("path", sorted(LEAVES.keys() - WITHOUT_A_NODE), ids=" ".join)
def test_where_there_is_no_node_it_is_said_in_a_few_words(path: tuple[str, ...]) -> None:
    done = invoke(*path, *filled(LEAVES[path]))
    assert done.exit_code in (1, 2)
    assert 0 < len(done.stderr.strip().splitlines()) <= 8, done.output


ACTS = [path for path, one in LEAVES.items() if any("goes on record" in (param.help or "") for param in one.params)]


@pytest.mark.parametrize("path", ACTS, ids=" ".join)
def test_an_act_without_a_reason_is_wrong_usage(path: tuple[str, ...]) -> None:
    words = [word for word in filled(LEAVES[path]) if word not in ("--reason", "r")]
    for more in ([], ["--reason", " "], ["--reason", "x" * 257]):
        Path("tidegate.toml").write_text('[upstreams.a]\nservers = ["http://127.0.0.1:1"]\n')
        done = invoke(*path, *words, *more)
        assert (done.exit_code, "--reason" in done.stderr) == (2, True), done.output


def test_the_version_is_told() -> None:
    done = subprocess.run([sys.executable, "-m", "gateway", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tidegate ")
    assert len(done.stdout.splitlines()) == 1


def program(*words: str | bytes, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as people start it; it shows no fault of ours."""
    done = subprocess.run([sys.executable, "-m", "gateway", *words], capture_output=True, input=given, check=False)
    assert b"Traceback" not in done.stderr
    return done


CONFIGURED = '[server]\nlisten = "127.0.0.1:0"\n[upstreams.a]\nservers = ["http://127.0.0.1:1"]\n'


def test_what_is_no_utf_8_is_wrong_usage() -> None:
    for words in (
        (b"accounts", b"get", b"\xff"),
        (b"reload", b"--reason", b"\xe5\x91"),
        (b"mirror", b"probe", b"\xff"),
    ):
        done = program(*words)
        assert (done.returncode, b"is not UTF-8" in done.stderr) == (2, True)
    Path("words.txt").write_text("casino\n", encoding="utf-8")
    done = program("filter", "explain", "-", "--list", "words.txt", given=b"\xff")
    assert (done.returncode, done.stderr) == (2, b"standard input is not UTF-8 at byte 1: save the text as UTF-8\n")


@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_data_folder_that_cannot_be_one_is_told_in_a_line(command: str) -> None:
    Path("tidegate.toml").write_text(CONFIGURED)
    Path("file").write_text("")
    ports = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    addresses = ["--listen", ports[0], "--control", ports[1], "--platform", ports[2]] if command == "demo" else []
    for folder in ("file", "file/below"):
        done = program(command, "--data-dir", folder, *addresses)
        assert (done.returncode, b"name another with --data-dir" in done.stderr) == (1, True), done.stderr


def test_an_address_that_is_none_is_wrong_usage() -> None:
    for wrong in (("--listen", "999"), ("--control", "127.0.0.1:99999"), ("--platform", "unix:/x")):
        assert program("demo", *wrong).returncode == 2


def test_a_file_that_fails_where_nobody_expects_it_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise error

    monkeypatch.setattr(cli, "build", lambda *_, **__: broken)
    monkeypatch.setattr(sys, "argv", ["tidegate"])
    error = OSError(5, "Input/output error", "/a/file")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    error = OSError(5, "Input/output error")  # of no file: a fault of ours, which shows where
    with pytest.raises(OSError, match="Input/output"):
        cli.main()


def test_usage_errors_exit_with_two() -> None:
    done = subprocess.run([sys.executable, "-m", "gateway", "fly"], capture_output=True, check=False)
    assert done.returncode == 2


def test_only_the_command_that_is_asked_for_is_imported() -> None:
    assert named(["--anything", "run", "status"], {}) == ["run"]
    assert named(["-h"], {}) == []
    assert named([], {COMPLETING: "complete_bash", "COMP_WORDS": "tidegate blocks ad"}) == ["blocks"]
    assert named([], {COMPLETING: "complete_zsh", "_TYPER_COMPLETE_ARGS": "tidegate blocks "}) == ["blocks"]
    assert named(["x"], {COMPLETING: "complete_bash"}) == []
    for words in ([], ["run"]):
        code = (
            f"import sys; from gateway.commands.cli import build; build({words}, others=True)\n"
            "print([name for name in ('aiohttp', 'sqlalchemy', 'jinja2', 'alembic', 'locust') if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("tidegate bl", {"blocks"}), ("tidegate blocks ", {"list", "add", "lift"}), ("tidegate rooms set 1 s", {"slow"})],
)
def test_a_shell_completes_names(line: str, wanted: set[str]) -> None:
    program = "import sys; sys.argv = ['tidegate']; from gateway.commands.cli import main; main()"
    environ = {
        **os.environ, COMPLETING: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1),
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environ)
    assert wanted <= set(done.stdout.split()), done
