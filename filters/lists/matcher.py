"""Engines that find every word of a list in a text: one call, one shape of answer.

``find(text)`` returns ``(start, end, row)`` of every occurrence, overlapping ones included, in code points: ordered by
end, of those with one end the longest first, of equal words the first row first. The naive loop is the oracle; the
tests hold it and both engines to the same answers.

daachorse (a double array, in Rust) is taken where it is installed. pyahocorasick (a trie, in C) serves where there is
no wheel of it, as on aarch64, and where the configuration asks for it. Nothing outside of this file knows which.
"""

from __future__ import annotations

import importlib
from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Final

Find = Callable[[str], list[tuple[int, int, int]]]

# They stand in every artifact: another release may lay its automaton out otherwise. A test compares it with what is
# installed. Bytewise, because building by characters takes 25 times as long for a million words (158 s), finds no
# faster, and saves a quarter of the memory only.
DAACHORSE: Final = "daachorse 0.5 bytewise"
# pyahocorasick keeps its automata as pickles, and a file that is run when it is read is no file for lists: the words
# themselves are kept, and the automaton is built when they are loaded.
AHOCORASICK: Final = "pyahocorasick words"

ENGINES: Final = {"daachorse": DAACHORSE, "pyahocorasick": AHOCORASICK}
"""By package: how artifacts call it, the preferred one first."""

AUTO: Final = "auto"

_MODULES: Final = {DAACHORSE: "daachorse", AHOCORASICK: "ahocorasick"}
_LEADS: Final = bytes(byte & 0xC0 != 0x80 for byte in range(256))  # 1 for a byte that begins a character in UTF-8


def chosen(wanted: str = AUTO) -> str:
    """The engine of that package as artifacts call it; auto: the first that is installed. Raises ``ValueError``."""
    names = list(ENGINES) if wanted == AUTO else [wanted]
    for name in names:
        if installed(ENGINES[name]):
            return ENGINES[name]
    raise ValueError(f"{' and '.join(names)} cannot be used here: not installed, or not made for this machine")


def installed(engine: str) -> bool:
    """Whether an engine of an artifact can be used here."""
    return engine in _MODULES and _module(engine) is not None


def compiled(words: Sequence[str], engine: str = "") -> bytes:
    """The automaton of ``words`` (none empty; equal ones are kept apart) as bytes, empty for no words.

    With daachorse it takes six seconds for a million words, with the interpreter's lock released.
    """
    if not words:
        return b""
    if (engine or chosen()) == AHOCORASICK:
        return _joined(words)
    package: Any = _module(DAACHORSE)
    return bytes(package.DoubleArrayAhoCorasick([word.encode() for word in words]).serialize())


def restored(data: bytes, engine: str = "") -> Find:
    """The call of an automaton that ``compiled`` made. Raises ``ValueError`` for other bytes."""
    if not data:
        return _nothing
    if (engine or chosen()) == AHOCORASICK:
        return _trie(_parted(data))
    package: Any = _module(DAACHORSE)
    find_bytes: Callable[[bytes], list[tuple[int, int, int]]]
    find_bytes = package.DoubleArrayAhoCorasick.deserialize(data).find_overlapping

    def find(text: str) -> list[tuple[int, int, int]]:
        encoded = text.encode()
        found = find_bytes(encoded)
        return _in_characters(encoded, found) if found and len(encoded) > len(text) else found

    return find


def _in_characters(encoded: bytes, found: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The same matches with their places in code points: how many characters begin before each byte."""
    places = list(accumulate(encoded.translate(_LEADS), initial=0))
    return [(places[start], places[end], row) for start, end, row in found]


def _nothing(text: str) -> list[tuple[int, int, int]]:
    return []


def _trie(words: Sequence[str]) -> Find:
    """By pyahocorasick, over the bytes of UTF-8, each as the character of its number: a node looks for its child in one
    list after the other, and of code points the first has thousands (26 µs for a short text of Han, not 1). Building
    holds the interpreter's lock: half a second for a hundred thousand words."""
    package: Any = _module(AHOCORASICK)
    automaton = package.Automaton(package.STORE_INTS)
    lengths = array("I")
    twins: dict[int, list[int]] = {}  # by the first row of a word, the further ones
    for row, word in enumerate(words):
        encoded = word.encode()
        lengths.append(len(encoded))
        key = encoded.decode("latin-1")
        first = automaton.get(key, row)
        if first == row:
            automaton.add_word(key, row)
        else:
            twins.setdefault(first, []).append(row)
    automaton.make_automaton()
    walk = automaton.iter

    def find(text: str) -> list[tuple[int, int, int]]:
        encoded = text.encode()
        found = [(last + 1 - lengths[row], last + 1, row) for last, row in walk(encoded.decode("latin-1"))]
        if found and twins:
            found = [(start, end, one) for start, end, row in found for one in (row, *twins.get(row, ()))]
        return _in_characters(encoded, found) if found and len(encoded) > len(text) else found

    return find


def _joined(words: Sequence[str]) -> bytes:
    """How many, where each ends, and all of them in UTF-8; numbers are 32 bits."""
    encoded = [word.encode() for word in words]
    ends = array("I", [len(encoded), *accumulate(map(len, encoded))])
    return ends.tobytes() + b"".join(encoded)


def _parted(data: bytes) -> list[str]:
    """The words again. Raises ``ValueError``."""
    numbers = array("I")
    size = numbers.itemsize
    count = int.from_bytes(data[:size], "little")
    numbers.frombytes(data[size : size * (count + 1)] if len(data) >= size * (count + 1) else b"")
    text = data[size * (count + 1) :]
    starts = [0, *numbers]
    if not count or len(numbers) != count or starts[-1] != len(text) or any(map(int.__ge__, starts, numbers)):
        raise ValueError("the bytes are no automaton")
    return [text[start:end].decode() for start, end in zip(starts, numbers, strict=False)]


def _module(engine: str) -> Any:
    """The package, None where it cannot be imported."""
    try:
        return importlib.import_module(_MODULES[engine])
    except ImportError:
        return None
