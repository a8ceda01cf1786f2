"""A checkout's filter in a process of its own: ``python -P scan_process.py WORDS TEXTS LIST``, PYTHONPATH its folder.

It imports nothing of the bench, and the filter by whichever name that checkout has for it, so that it runs an older
tree as well as this one. ``LIST`` is where the compiled list is kept: made from ``WORDS`` where there is none yet. Says
what it found; then each line ``KIND PASSES`` of its input is answered with the processor seconds of so many passes over
all texts of that kind.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

SCANNER = ("filters.reading.keywords", "filters.keywords")
SOURCE = ("filters.lists.listsource", "filters.listsource")
WORDLIST = ("filters.lists.wordlist", "filters.wordlist")
TABLES = ("gateway.tables", "gateway.words.files")  # older ones have a file of the second name without them
WARM = 8  # passes: by then an interpreter has specialised what it runs


def first(names: tuple[str, ...]) -> ModuleType:
    """The module by the first of its names that this checkout knows."""
    for name in names:
        package = name.rpartition(".")[0]
        if find_spec(package) is not None and find_spec(name) is not None:
            return import_module(name)
    raise SystemExit(f"this checkout has none of {', '.join(names)}: add the name it has now")


def main() -> None:
    listed, texts, made = map(Path, sys.argv[1:])
    module, wordlist, tables = first(SCANNER), first(WORDLIST), first(TABLES).folding_tables()
    if not made.exists():
        parsed = first(SOURCE).parse(listed.read_text(encoding="utf-8"), "words")
        made.write_bytes(wordlist.compile_list(parsed, tables).data)
    words = wordlist.load(made.read_bytes(), tables)
    scan = module.Scanner([words], fingerprint=True).scan
    kinds = {kind: [(text,) for text in each] for kind, each in json.loads(texts.read_text(encoding="utf-8")).items()}
    for each in kinds.values():
        for text in each * WARM:
            found = scan(text)
            assert not found.hits, text
            assert not found.failed, text
    gc.collect()
    gc.freeze()
    gc.disable()
    print(json.dumps({"module": module.__name__, "compiled": str(module.__file__).endswith(".so")}), flush=True)
    clock = time.thread_time
    for line in sys.stdin:
        kind, passes = line.split()
        chosen = kinds[kind]
        began = clock()
        for _ in range(int(passes)):
            for text in chosen:
                scan(text)
        print(clock() - began, flush=True)


if __name__ == "__main__":
    main()
