"""The table of the generation in force, made once for each: the files of lists are read for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.control.obligations.schemas import DocumentOut, ObligationsOut
from gateway.generation.generation import Generation
from gateway.obligations.configured import list_sizes, of_config
from gateway.obligations.regulations.articles import documents
from gateway.obligations.table import plain


class GenerationTable:
    """``current`` gives the generation in force."""

    def __init__(self, current: Callable[[], Generation]) -> None:
        self._current = current
        self._made: ObligationsOut | None = None
        self._lock = asyncio.Lock()

    async def told(self) -> ObligationsOut:
        """Made in a thread, by one caller for all who ask meanwhile."""
        async with self._lock:
            generation = self._current()
            if self._made is None or self._made.generation != generation.number:
                self._made = await asyncio.to_thread(_table, generation)
            return self._made


def _table(generation: Generation) -> ObligationsOut:
    table = plain(of_config(generation.config, list_sizes(generation.config)))
    titles = [
        DocumentOut(id=one.id, title=one.title.en, title_zh=one.title.zh, version=one.version) for one in documents()
    ]
    return ObligationsOut.model_validate({**table, "generation": generation.number, "documents": titles})
