"""What the lists make of a text and why, for a person who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from filters.lists.wordlist import WordList
from filters.model.verdict import Hit, Scan
from filters.reading.keywords import AnyList, Bounds, Scanner
from filters.text.folding import FoldBound, Folded, Folder, Step
from filters.text.spans import Span


class Reading(NamedTuple):
    """One way in which the text was read: the lists that read it so, and what each folding did to it."""

    lists: tuple[str, ...]
    folded: str
    trail: tuple[Step, ...]


class Explained(NamedTuple):
    """A hit with its word as the list has it, and the stretches of the text that it covers."""

    hit: Hit
    word: str
    covered: tuple[str, ...]


class Excused(NamedTuple):
    """An allow phrase that stands in the text."""

    list: str
    phrase: str
    span: Span


class Explanation(NamedTuple):
    """``scan`` is what ``judge`` would be given, so that a policy's verdict can be joined."""

    text: str
    readings: tuple[Reading, ...]
    hits: tuple[Explained, ...]
    excused: tuple[Excused, ...]
    scan: Scan

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "text": self.text,
            "readings": [
                {"lists": reading.lists, "folded": reading.folded, "trail": [step._asdict() for step in reading.trail]}
                for reading in self.readings
            ],
            "hits": [
                {**explained.hit._asdict(), "word": explained.word, "covered": explained.covered}
                for explained in self.hits
            ],
            "allowed": [excused._asdict() for excused in self.excused],
            "failed": dict(self.scan.failed),
            "fingerprint": self.scan.fingerprint.hex(),
            "folded_length": self.scan.folded_length,
        }


def explain(text: str, lists: Sequence[AnyList], bounds: Bounds | None = None) -> Explanation:
    """Read ``text`` as a scanner of ``lists`` does, and keep what the scanner throws away."""
    bounds = bounds or Bounds()
    scan = Scanner(lists, bool(lists), bounds).scan((text,))
    readers: dict[Folder, list[AnyList]] = {}
    for each in lists:
        readers.setdefault(each.folder, []).append(each)
    readings = []
    excused = []
    for folder, readers_lists in readers.items():
        try:
            folded = folder.fold(text, bounds.folded)
        except FoldBound:
            continue
        readings.append(Reading(tuple(each.name for each in readers_lists), folded.text, folded.trail))
        excused += _excused(folded, readers_lists)
    by_name = {each.name: each for each in lists}
    hits = [
        Explained(hit, by_name[hit.list].word(hit.word_id) or "", tuple(text[start:end] for start, end in hit.spans))
        for found in scan.hits.values()
        for hit in found
    ]
    return Explanation(text, tuple(readings), tuple(hits), tuple(excused), scan)


def _excused(folded: Folded, lists: Sequence[AnyList]) -> list[Excused]:
    return [
        Excused(each.name, phrase, span)
        for each in lists
        if isinstance(each, WordList)
        for phrase, span in each.allow_spans(folded, each.find(folded.text))
    ]
