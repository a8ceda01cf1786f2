"""What the lists make of a text and why, for a person who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from filters.lists.reasons import PART_MISSING, REFUSED_PART, SENTENCES
from filters.lists.wordlist import WordList
from filters.model.verdict import Hit, Scan
from filters.reading.keywords import AnyList, Bounds, Scanner
from filters.text.folding import AGAIN, FoldBound, Folded, Folder, Step
from filters.text.folding import folder as make_folder
from filters.text.markup import Markup, unmarked
from filters.text.spans import Span
from filters.text.tables import Switches

DROPPED_MAX = 256  # told of one text


class Reading(NamedTuple):
    """One way in which the text was read: the lists that read it so, and what each folding did to it.

    ``folded`` is both readings, with a stroke between them, where there are two; the trail is of the first.
    """

    lists: tuple[str, ...]
    folded: str
    trail: tuple[Step, ...]


class Explained(NamedTuple):
    """A hit with its word as the list has it, the stretches of the text that it covers, and how they differ from the
    word: the names of foldings, and ``inserted``."""

    hit: Hit
    word: str
    covered: tuple[str, ...]
    disguises: tuple[str, ...]


class Excused(NamedTuple):
    """An allow phrase that stands in the text."""

    list: str
    phrase: str
    span: Span


class Dropped(NamedTuple):
    """Something that looks like a word and does not count, with the reason (see ``filters.lists.reasons``)."""

    list: str
    word: str
    span: Span
    reason: str


class Explanation(NamedTuple):
    """``scan`` is what ``judge`` would be given, so that a policy's verdict can be joined."""

    text: str
    readings: tuple[Reading, ...]
    hits: tuple[Explained, ...]
    excused: tuple[Excused, ...]
    dropped: tuple[Dropped, ...]
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
                {
                    **explained.hit._asdict(),
                    "word": explained.word,
                    "covered": explained.covered,
                    "disguises": explained.disguises,
                }
                for explained in self.hits
            ],
            "dropped": [
                {**dropped._asdict(), "why": SENTENCES.get(dropped.reason, dropped.reason)} for dropped in self.dropped
            ],
            "allowed": [excused._asdict() for excused in self.excused],
            "failed": dict(self.scan.failed),
            "fingerprint": self.scan.fingerprint.hex(),
            "folded_length": self.scan.folded_length,
        }

    def as_line(self) -> dict[str, Any]:
        """What one line of an answer for many texts says: the hits and what was dropped, offsets in code points."""
        return {
            "text": self.text,
            "hits": [
                {
                    "list": each.hit.list,
                    "word": each.word,
                    "spans": each.hit.spans,
                    "disguises": each.disguises,
                }
                for each in self.hits
            ],
            "dropped": [
                {
                    "list": each.list,
                    "word": each.word,
                    "spans": [each.span],
                    "reason": each.reason,
                    "why": SENTENCES.get(each.reason, each.reason),
                }
                for each in self.dropped
            ],
            **({"failed": dict(self.scan.failed)} if self.scan.failed else {}),
        }


def explain(text: str, lists: Sequence[AnyList], bounds: Bounds | None = None, markup: Markup = "off") -> Explanation:
    """Read ``text`` as a scanner of ``lists`` does, and keep what the scanner throws away."""
    bounds = bounds or Bounds()
    scan = Scanner(lists, bool(lists), bounds, markup=markup).scan((text,))
    undone = unmarked(text, markup)
    readers: dict[Folder, list[AnyList]] = {}
    for each in lists:
        readers.setdefault(each.folder, []).append(each)
    readings = []
    excused = []
    dropped: list[Dropped] = []
    for folder, readers_lists in readers.items():
        for part in (None,) if undone is None or not folder.switches.markup else undone.parts:
            if part is not None and not part.text:
                continue
            try:
                folded = folder.fold(text if part is None else part.text, bounds.folded)
            except FoldBound:
                continue
            names = tuple(each.name for each in readers_lists)
            sound = [each for each in readers_lists if each.name not in scan.failed]
            trail = folded.trail if part is None else (Step("markup", part.text), *folded.trail)
            readings.append(Reading(names, folded.text.replace(AGAIN, " / "), trail))
            excused += [
                Excused(name, phrase, span)
                for name, phrase, where in _excused(folded, sound)
                for span in ((where,) if part is None else part.spans(*where))
            ]
            for each in sound:
                if isinstance(each, WordList):
                    dropped += [
                        drop._replace(span=span)
                        for drop in _dropped(folded, each, scan)
                        for span in ([drop.span] if part is None else part.spans(*drop.span)[:1])
                    ]
    by_name = {each.name: each for each in lists}
    hits = []
    for found in scan.hits.values():
        for hit in found:
            reader = by_name[hit.list]
            covered = tuple(text[start:end] for start, end in hit.spans)
            word = reader.word(hit.word_id) or ""
            told = _disguises(word, covered, reader) if isinstance(reader, WordList) else ()
            if undone is not None and isinstance(reader, WordList) and told[-1:] == ("inserted",):
                whole = unmarked("".join(covered), markup)
                rest = _disguises(word, ("".join(covered) if whole is None else whole.seen.text,), reader)
                told = ("markup", *[name for name in rest if name != "inserted"])
            hits.append(Explained(hit, word, covered, told))
    return Explanation(text, tuple(readings), tuple(hits), tuple(excused), tuple(dropped[:DROPPED_MAX]), scan)


def _dropped(folded: Folded, words: WordList, scan: Scan) -> list[Dropped]:
    """Matches that do not count, and words of compounds that stand there without the compound being found."""
    hit = {each.word_id for each in scan.hits.get(words.name, ())}
    weighed = words.weighed(folded, words.find(folded.text))
    refused = {each.word_id for each in weighed if each.refused and not each.reason}
    told = []
    for each in weighed:
        reason = each.reason
        if not reason and each.word_id not in hit and not each.refused:
            reason = REFUSED_PART if each.word_id in refused else PART_MISSING
        if reason and not (each.refused and reason):
            told += [Dropped(words.name, each.text, span, reason) for span in each.spans[:1]]
    return list(dict.fromkeys(told))


def _disguises(word: str, covered: Sequence[str], words: WordList) -> tuple[str, ...]:
    """The foldings without which a covered stretch and the word would not be the same, in the order they apply."""
    parts = [part.removeprefix("!") for part in word.split(" & ")]
    told: set[str] = set()
    for stretch in dict.fromkeys(covered):
        readings = words.folder.text(stretch).split(AGAIN)
        nearest = next((part for part in parts if words.folder.word(part) in readings), None)
        if nearest is None:
            told.add("inserted")
            continue
        on = dict.fromkeys(words.switches.as_dict(), False)
        there, own = stretch, nearest
        for name, wanted in words.switches.as_dict().items():
            if not wanted or there == own:
                continue
            on[name] = True
            reader = make_folder(words.tables, Switches(**on))
            there_now, own_now = reader.text(stretch), reader.text(nearest)
            if (there_now, own_now) != (there, own):
                told.add(name)
            there, own = there_now, own_now
    return tuple(name for name in (*words.switches.as_dict(), "inserted") if name in told)


def _excused(folded: Folded, lists: Sequence[AnyList]) -> list[Excused]:
    return [
        Excused(each.name, phrase, span)
        for each in lists
        if isinstance(each, WordList)
        for phrase, span in each.allow_spans(folded, each.find(folded.text))
    ]
