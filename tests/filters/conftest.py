"""What the tests of text share: the shipped folding tables, and lists made of a few lines."""

from collections.abc import Callable

import pytest

from filters.lists.wordlist import compile_list, load, parse
from filters.reading.keywords import AnyList
from filters.text.tables import FoldTables
from gateway.words.files import folding_tables


@pytest.fixture(scope="session")
def tables() -> FoldTables:
    return folding_tables()


@pytest.fixture(scope="session")
def made(tables: FoldTables) -> Callable[..., AnyList]:
    """``made(text, name)``: a list, compiled and loaded."""

    def make(text: str, name: str = "list") -> AnyList:
        return load(compile_list(parse(text, name), tables).data, tables)

    return make
