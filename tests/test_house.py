"""The house: a folder is one process or one subject, small enough to take in, and no two folders need each other."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("filters", "gateway", "rig", "loadtest", "benchmarks")
MOST_FILES = 15
MOST_TESTS = 25  # a folder of tests has its stand-ins and samples beside them


def modules() -> dict[str, Path]:
    """Every module by its dotted name; a package stands for its ``__init__``."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of ours that a file names in its imports, those for the type checker included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in known else node.module)
    return names & known.keys()


def needs() -> dict[str, set[str]]:
    """Which folder needs which others."""
    known = modules()
    folder = {name: path.parent.relative_to(ROOT).as_posix() for name, path in known.items()}
    graph: dict[str, set[str]] = defaultdict(set)
    for name, path in known.items():
        graph[folder[name]] |= {folder[other] for other in imported(path, known)} - {folder[name]}
    return graph


def test_no_folder_needs_one_that_needs_it() -> None:
    """Folders whose needs are all met are taken away, until nothing is left but circles."""
    graph = needs()
    while ready := {folder for folder, others in graph.items() if not others & graph.keys()}:
        for folder in ready:
            del graph[folder]
    assert {folder: sorted(others & graph.keys()) for folder, others in graph.items()} == {}


def test_no_folder_is_full() -> None:
    full = {}
    for folder in {path.parent for path in modules().values()}:
        files = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(files) > MOST_FILES:
            full[folder.relative_to(ROOT).as_posix()] = len(files)
    assert full == {}


def test_every_folder_says_what_it_is() -> None:
    mute = [
        str(path.relative_to(ROOT))
        for path in modules().values()
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert mute == []


def test_no_folder_of_tests_is_full() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    full = {
        folder.relative_to(ROOT).as_posix(): count
        for folder in folders
        if (count := len(list(folder.glob("*.py")))) > MOST_TESTS
    }
    assert full == {}


def test_only_their_own_tests_import_benchmarks_and_load_tests() -> None:
    """What others share with them stands in ``rig/``, which needs neither."""
    known = modules()
    found = {}
    for package in ("filters", "gateway", "rig", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            names = {name.partition(".")[0] for name in imported(path, known)} & {"benchmarks", "loadtest"}
            place = path.relative_to(ROOT).as_posix()
            own = {name for name in names if place.startswith(f"tests/{name}/")}
            if place == "gateway/commands/loadtest.py":  # the command that runs it
                own.add("loadtest")
            if names - own:
                found[place] = names - own
    assert found == {}


def test_benchmarks_and_load_tests_do_not_need_each_other() -> None:
    tops = {"benchmarks", "loadtest"}
    between = {
        folder: sorted(other for other in others if other.partition("/")[0] in tops - {folder.partition("/")[0]})
        for folder, others in needs().items()
        if folder.partition("/")[0] in tops
    }
    assert not any(between.values()), between
