"""One filter reading texts, in a process of its own so that another version of it can be asked the same questions.

Standard input holds lines of JSON, ``{"list": [word, …], "texts": [text, …], "markup": name}``; each is answered by one
line: for each text its hits, ``[word, [[start, end], …]]``, positions in code points of the text.

    echo '{"list": ["idiot"], "texts": ["you idiot"]}' | python -m tools.quality.reader tidegate
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable
from inspect import signature
from typing import Any

Hits = list[tuple[str, list[tuple[int, int]]]]
Reader = Callable[[str], Hits]
MOST_HITS = 10_000


def tidegate(words: list[str], markup: str) -> Reader:
    """This filter, or the one of an earlier version whose modules had other places."""
    try:
        from filters.lists.listsource import parse
        from filters.lists.wordlist import compile_list, load
        from filters.reading.keywords import Bounds, Scanner
        from gateway.words.files import folding_tables
    except ImportError:
        from filters.keywords import Bounds, Scanner  # type: ignore[import-not-found, no-redef]
        from filters.listsource import parse  # type: ignore[import-not-found, no-redef]
        from filters.wordlist import compile_list, load  # type: ignore[import-not-found, no-redef]
        from gateway.tables import folding_tables  # type: ignore[import-not-found, no-redef]
    tables = folding_tables()
    try:
        compiled = compile_list(parse("\n".join(words), "list"), tables)
    except ValueError as refused:  # an earlier version refuses a whole list for a line of emoji
        lines = {problem.line for problem in getattr(refused, "problems", ())}
        some = [word for line, word in enumerate(words, 1) if line not in lines]
        compiled = compile_list(parse("\n".join(some), "list"), tables)
    listed = load(compiled.data, tables)
    bounds = Bounds(text=1 << 16, folded=1 << 17, hits=MOST_HITS)
    undone: dict[str, Any] = {}
    if "markup" in signature(Scanner).parameters:  # an earlier version undoes none
        undone["markup"] = markup
    scanner = Scanner([listed], bounds=bounds, **undone)

    def read(text: str) -> Hits:
        hits = scanner.scan((text,)).hits.get("list", ())
        return [(listed.word(hit.word_id) or "", list(hit.spans)) for hit in hits]

    return read


def automaton(words: list[str], markup: str) -> Reader:
    """What a service writes first: pyahocorasick over NFKC and case folding."""
    import ahocorasick

    found = ahocorasick.Automaton()
    for word in words:
        found.add_word(unicodedata.normalize("NFKC", word).casefold(), word)
    found.make_automaton()

    def read(text: str) -> Hits:
        pieces = [unicodedata.normalize("NFKC", char).casefold() for char in text]
        places = [place for place, piece in enumerate(pieces) for _ in piece]
        hits: dict[str, list[tuple[int, int]]] = {}
        for last, word in found.iter("".join(pieces)):
            length = len(unicodedata.normalize("NFKC", word).casefold())
            hits.setdefault(word, []).append((places[last + 1 - length], places[last] + 1))
        return list(hits.items())

    return read


def better_profanity(words: list[str], markup: str) -> Reader:
    """The most used Python filter. It says no more than whether there is something: not which word, nor where."""
    from better_profanity import profanity

    profanity.load_censor_words(words)
    return lambda text: [("", [])] if profanity.contains_profanity(text) else []


READERS: dict[str, Callable[[list[str], str], Reader]] = {
    "tidegate": tidegate,
    "automaton": automaton,
    "better-profanity": better_profanity,
}


def main() -> None:
    """Answer questions until there are no more."""
    make = READERS[sys.argv[1]]
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        read = make(asked["list"], asked.get("markup", "off"))
        print(json.dumps([read(text) for text in asked["texts"]]), flush=True)


if __name__ == "__main__":
    main()
