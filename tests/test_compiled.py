"""The hot path can be compiled, and is what it reads as; ``make test-compiled`` does it in CI, not here."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from gateway.common import compiled
from rig import machine
from tests import interpreted
from tools import compiled as building

TREES = {module: ast.parse(compiled.source_of(module).read_text(encoding="utf-8")) for module in compiled.MODULES}
# mypyc puts a _ before an attribute's name, and gcc has keywords that begin with two.
KEYWORDS = frozenset(
    f"_{word}"
    for word in (
        "alignof", "asm", "attribute", "builtin", "complex", "const", "imag", "inline", "int128", "label", "null",
        "real", "restrict", "signed", "thread", "typeof", "volatile",
    )
)  # fmt: skip


def test_all_modules_are_here_and_named_once() -> None:
    assert list(compiled.MODULES) == sorted(set(compiled.MODULES))
    for module in compiled.MODULES:
        assert import_module(module).__name__ == module


def test_what_runs_is_what_was_read_last() -> None:
    """All or nothing, and no machine code of older sources: else ``make compiled`` again, or ``make pure``."""
    assert compiled.described() in {"pure Python", f"{len(compiled.MODULES)} modules compiled"}
    ours = (import_module(module).__file__ for module in compiled.MODULES)
    assert all((file or "").endswith(".so") is bool(compiled.built()) for file in ours)


def test_a_record_tells_it() -> None:
    assert machine.describe()["gateway"] == compiled.described()


@pytest.mark.parametrize("module", compiled.MODULES)
def test_no_function_gives_two_types_of_exception_one_name(module: str) -> None:
    """Compiled, the second would have to be of the first's type: a TypeError instead of what went wrong."""
    for function in ast.walk(TREES[module]):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            types: dict[str, set[str]] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.ExceptHandler) and node.name and node.type:
                    types.setdefault(node.name, set()).add(ast.unparse(node.type))
            assert not {name for name, found in types.items() if len(found) > 1}, function.name


@pytest.mark.parametrize("module", compiled.MODULES)
def test_no_generator_yields_while_it_handles_an_exception(module: str) -> None:
    """Compiled, whoever takes from it would seem to handle that exception as well, and for ever."""
    for handler in ast.walk(TREES[module]):
        if isinstance(handler, ast.ExceptHandler):
            assert not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(handler))


@pytest.mark.parametrize("module", compiled.MODULES)
def test_no_attribute_becomes_a_word_of_c(module: str) -> None:
    named = {node.attr for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)}
    assert not named & KEYWORDS


@pytest.mark.parametrize("module", compiled.MODULES)
def test_the_fields_of_a_tuple_are_of_classes_that_are_there(module: str) -> None:
    """Compiled, a named tuple's annotations are the classes themselves: one that only type checkers import is none yet,
    and the process ends with SIGSEGV."""
    tree = TREES[module]
    absent = {
        (alias.asname or alias.name)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for one in ast.walk(block)
        if isinstance(one, ast.ImportFrom) and one.module in compiled.MODULES
        for alias in one.names
    }
    for made in ast.walk(tree):
        if isinstance(made, ast.ClassDef) and "NamedTuple" in map(ast.unparse, made.bases):
            named = {
                one.id
                for field in made.body
                if isinstance(field, ast.AnnAssign)
                for one in ast.walk(field.annotation)
                if isinstance(one, ast.Name)
            }
            assert not named & absent, (made.name, named & absent)


def test_what_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    modules = ("first", "second")
    monkeypatch.setattr(compiled, "MODULES", modules)
    monkeypatch.setattr(compiled, "_root", lambda: tmp_path)
    for module in modules:
        compiled.source_of(module).touch()
    assert compiled.described() == "pure Python"
    compiled.file_of("first").touch()
    assert compiled.described() == "broken: 1 of 2 modules compiled"
    compiled.file_of("second").touch()
    assert compiled.described() == "broken: 2 of 2 modules compiled"  # doors that lead nowhere
    compiled.file_of(compiled.LIBRARY).touch()
    assert compiled.described() == "compiled from older sources (first, second)"  # nobody knows from which
    compiled.sources().write_text(compiled.digests(), encoding="ascii")
    assert compiled.described() == "2 modules compiled"
    compiled.source_of("second").write_text("changed", encoding="ascii")
    assert compiled.described() == "compiled from older sources (second)"


def test_what_was_built_is_tried_by_names_that_are_there() -> None:
    """Else every build is taken back as one that cannot be imported."""
    imports = [node for node in ast.walk(ast.parse(building.TRY)) if isinstance(node, ast.ImportFrom)]
    assert imports
    for node in imports:
        for alias in node.names:
            package = import_module(str(node.module))
            assert hasattr(package, alias.name) or import_module(f"{node.module}.{alias.name}")


def test_ci_tests_what_was_compiled_and_leaves_nothing_behind() -> None:
    ci = Path(".ci/run").read_text(encoding="utf-8")
    pure, first, second = (ci.index(f"\nmake {what}") for what in ("pure", "test 2", "test-compiled 2"))
    assert pure < first < second < ci.index(".ci/skips")
    recipe = Path("Makefile").read_text(encoding="utf-8").partition("\ntest-compiled: setup\n")[2].partition("\n\n")[0]
    steps = ("compiled.py build", "pytest $(HOT)", "told=$$?", "compiled.py remove", "exit $$told")
    assert sorted(steps, key=recipe.index) == list(steps)


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "gcc" in building.missing()


def test_the_list_of_interpreted_tests_names_tests_that_are_there() -> None:
    for place in interpreted.ONLY:
        file, _, name = place.partition("::")
        text = Path(file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, place
