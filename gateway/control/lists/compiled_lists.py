"""The compiled lists of the generation in force, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from filters.lists.artifact import ArtifactError
from filters.lists.listsource import ListErrors, lines, parse
from filters.lists.wordlist import compile_list
from filters.reading.keywords import AnyList, Scanner
from gateway.control.acts.refusal import ControlError
from gateway.control.lists.schemas import HitOut, TryOut
from gateway.generation.generation import Generation
from gateway.words.files import folding_tables, load_artifact

KEPT = 4  # lists kept in memory: trying texts is a person's work, and a large list takes 200 MB


class ListInfo(NamedTuple):
    """A list as the generation in force holds it."""

    name: str
    kind: str
    digest: str
    words: int


class CompiledLists:
    """``current`` gives the generation in force. Artifacts are named by content, so that a kept one is never stale."""

    def __init__(self, current: Callable[[], Generation]) -> None:
        self._current = current
        self._load = lru_cache(maxsize=KEPT)(_loaded)

    def all(self) -> Sequence[ListInfo]:
        """Every configured list, by name."""
        generation = self._current()
        return [self._info(generation, name) for name in sorted(generation.artifacts)]

    def check(self, name: str, line: str) -> Sequence[str]:
        """A line that parses, that is one entry, and that compiles by itself under the list's own settings."""
        generation = self._current()
        section = generation.config.lists[name]
        try:
            parsed = parse(
                line,
                name,
                kind=section.kind,
                category=section.category,
                fold=dict(section.fold),
                strict=section.strict(),
            )
            if len(parsed.entries) != 1:
                return ["the line holds no word; directives and comments belong in the operator's file"]
            compile_list(parsed, folding_tables())
        except ListErrors as errors:
            return [f"{problem.what}; {problem.remedy}" for problem in errors.problems]
        return []

    def holds(self, name: str, line: str) -> bool:
        """Read from the operator's file: it is what the next compilation leaves the line out of."""
        section = self._current().config.lists[name]
        try:
            text = section.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ControlError(503, "control.list_unreadable", "The list's file cannot be read.") from None
        return line.strip() in {one.strip() for one in lines(text)}

    def written(self, name: str, ids: Collection[int]) -> dict[int, str]:
        """Words as they stand in the list of the generation in force, by id; those that left it are not there."""
        generation = self._current()
        if name not in generation.artifacts:
            return {}
        wordlist = self._open(generation, name)
        return {one: word for one in ids if (word := wordlist.word(one)) is not None}

    def attempt(self, name: str, text: str) -> TryOut:
        """What reading ``text`` with this list gives."""
        generation = self._current()
        wordlist = self._open(generation, name)
        scan = Scanner([wordlist]).scan((text,))
        hits = [
            HitOut(
                word_id=hit.word_id,
                category=hit.category,
                severity=hit.severity,
                spans=list(hit.spans),
                matched=[text[start:end] for start, end in hit.spans],
            )
            for hit in scan.hits.get(name, ())
        ]
        return TryOut(name=name, digest=wordlist.digest, hits=hits, failed=scan.failed.get(name, ""))

    def _info(self, generation: Generation, name: str) -> ListInfo:
        wordlist = self._open(generation, name)
        return ListInfo(name, generation.config.lists[name].kind or "words", wordlist.digest, len(wordlist))

    def _open(self, generation: Generation, name: str) -> AnyList:
        try:
            return self._load(generation.artifacts[name])
        except (OSError, ArtifactError):
            raise ControlError(503, "control.list_unreadable", "The compiled list cannot be read; reload.") from None


def _loaded(path: Path) -> AnyList:
    return load_artifact(path, folding_tables())
