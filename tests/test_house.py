"""The house: a folder is one process or one subject, small enough to take in, and no two folders need each other."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

from filters.model import errors
from filters.model.errors import TidegateError

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
    return {folder: set(others) for folder, others in _needs().items()}


@cache
def _needs() -> dict[str, set[str]]:
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


def shipped() -> dict[str, Path]:
    """The modules of what is installed: names in benchmarks and load tests are their own business."""
    return {name: path for name, path in modules().items() if name.partition(".")[0] in ("filters", "gateway")}


@cache
def exceptions() -> list[tuple[str, str, type[BaseException]]]:
    """Every exception class of ours: its module, its name, and itself. Found in the source, so that none is missed."""
    found = []
    for name, path in shipped().items():
        if "migrations" in path.parts or path.name == "__main__.py":
            continue
        classes = [
            node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)
        ]
        if not classes:
            continue
        module = importlib.import_module(name)
        for one in classes:
            found_class = getattr(module, one)
            if isinstance(found_class, type) and issubclass(found_class, BaseException):
                found.append((name, one, found_class))
    return found


def test_every_exception_descends_from_the_root() -> None:
    assert [f"{module}.{name}" for module, name, one in exceptions() if not issubclass(one, TidegateError)] == []


def test_the_drawn_tree_of_exceptions_is_the_real_one() -> None:
    """Names, modules, bases and depth: a line that is indented under another one's stands for its subclass."""
    drawn: dict[tuple[str, str], tuple[str, str]] = {}
    above: dict[int, str] = {}
    for indent, name, _, second, module in re.findall(
        r"^( +)(\w+)( \((\w+)\))? {2,}([a-z_.]+)$", errors.__doc__ or "", re.MULTILINE
    ):
        above[len(indent)] = name
        drawn[module, name] = (above.get(len(indent) - 2, "TidegateError"), second)
    real = {
        (module, name): (one.__bases__[0].__name__, one.__bases__[1].__name__ if len(one.__bases__) > 1 else "")
        for module, name, one in exceptions()
        if one is not TidegateError
    }
    assert drawn == real


def public_classes() -> dict[str, list[str]]:
    """Where each class is defined that other modules may name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in shipped().values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def named_for_what_it_stores_or_configures(path: str) -> bool:
    """A section of the configuration and a row of the database have the name of the thing: ``Route``, ``Takedown``."""
    return path.startswith("gateway/config/sections/") or path.endswith(("/rows.py", "/acts/models.py"))


SHARED_CLASSES = {"Options": "of a check: its keys in a rule (filters/checks)"}
"""Names of classes that several folders share by convention."""


def test_a_class_name_means_one_thing() -> None:
    several = {}
    for name, paths in public_classes().items():
        own = [path for path in paths if not named_for_what_it_stores_or_configures(path)]
        sections = [path for path in paths if path.startswith("gateway/config/sections/")]
        rows = len(paths) - len(own) - len(sections)
        if name not in SHARED_CLASSES and max(len(own), len(sections), rows) > 1:
            several[name] = paths
    assert several == {}


SHARED_FILES = {
    "endpoints": "a feature of control: what its endpoints do",
    "errors": "a part's exceptions, where it has several or a table of reasons",
    "feature": "a feature of control: its row in the one table, as it tells it",
    "neighbours": "a feature of control: what it needs of others, as they would promise it",
    "reasons": "a part's table of reason codes",
    "rows": "a feature of control: its tables; of a list: what its lines become",
    "schemas": "a feature of control: what its endpoints take and give",
    "service": "a feature of control: what goes on when nobody asks",
    "settings": "what a part takes from the configuration, as it wants it",
    "snapshot": "what workers hold of governance: the whole, and each feature's part",
}
"""Names of files that several folders share by convention."""

NAMED_FOR_THEIR_SUBJECT = {
    "filters/checks": "a check",
    "gateway/commands": "a command",
    "gateway/commands/admin": "a command",
    "gateway/commands/deciding": "a command",
    "gateway/commands/direct": "a command",
    "gateway/config/consistency": "the section whose doubts it knows",
    "gateway/config/sections": "a section",
    "gateway/config/values": "a value, as a person writes it",
    "gateway/control/acts/migrations/versions": "what a migration brings",
    "gateway/control/adapters": "what it stands for",
}
"""Folders whose files have the name of the thing that they are about, which has a file of its own elsewhere."""


def test_a_file_name_means_one_thing() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in shipped().values():
        where = path.relative_to(ROOT)
        if not path.stem.startswith("__") and where.parent.as_posix() not in NAMED_FOR_THEIR_SUBJECT:
            found[path.stem].append(where.as_posix())
    assert {name: paths for name, paths in found.items() if len(paths) > 1 and name not in SHARED_FILES} == {}


def has_a_test_of_its_own(module: str) -> bool:
    folder = ROOT / "tests" / Path(module).parent
    stem = Path(module).stem
    return (folder / f"test_{stem}.py").exists() or any(folder.glob(f"test_{stem}_*.py"))


def test_every_module_names_its_test() -> None:
    """Its own file in the mirrored folder, or a row of covered.toml; no row for what has its own or is gone."""
    covered = tomllib.loads((ROOT / "tests" / "covered.toml").read_text(encoding="utf-8"))
    wanting = {
        path.relative_to(ROOT).as_posix()
        for path in shipped().values()
        if "migrations" not in path.parts
        and not (path.name == "__init__.py" and len(ast.parse(path.read_text(encoding="utf-8")).body) == 1)
    }
    wanting = {module for module in wanting if not has_a_test_of_its_own(module)}
    assert {"without": wanting - covered.keys(), "too many": covered.keys() - wanting} == {
        "without": set(),
        "too many": set(),
    }
    assert sorted(test for test in set(covered.values()) if not (ROOT / test).is_file()) == []
