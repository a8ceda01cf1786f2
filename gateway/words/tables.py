"""Reads the folding tables that are shipped with the package."""

from functools import cache
from importlib.resources import files

from filters.text.tables import FoldTables


@cache
def folding_tables() -> FoldTables:
    """The tables of ``gateway/words/folding.txt``; read once a process, about 20 ms."""
    return FoldTables.from_bytes((files("gateway.words") / "folding.txt").read_bytes())
