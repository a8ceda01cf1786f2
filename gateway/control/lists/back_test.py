"""``python -m gateway.control.lists.back_test``: a draft of a list over the record (回测), the newest messages first.

Takes one JSON object on standard input and gives one on standard output. Which messages a list hits newly, and which no
longer, with the words; no text and no sender is told. Only messages whose text the journal keeps can be read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from filters.lists.listsource import ListErrors
from filters.lists.wordlist import compile_list, load
from filters.reading.keywords import AnyList, Scanner
from gateway.journal.read.lookup import matches, newest
from gateway.words.errors import WordListError
from gateway.words.files import folding_tables, load_artifact, read_list
from gateway.words.specs import ListSpec

LISTED: Final = 50  # messages of each kind that are told one by one
WITHIN: Final = 30.0  # seconds; then what was found is told, and that it is not all
NEEDLE: Final = b'"content":{'


def compared(asked: Mapping[str, Any], within: float = WITHIN) -> dict[str, Any]:
    """``{"root", "artifact" (of the list in force), "spec" (of the draft), "since_us", "most"}`` → ``{"looked_at",
    "complete", "newly": {"count", "messages"}, "no_longer": …}``, or ``{"problems": […]}`` where the draft is no list.
    A message: ``[id, route, room, time, verdict, [words]]``."""
    tables, name = folding_tables(), asked["spec"]["name"]
    before = load_artifact(Path(asked["artifact"]), tables)
    try:
        after = load(compile_list(read_list(ListSpec(**asked["spec"])), tables).data, tables)
    except WordListError as error:
        return {"problems": [f"{fault.what}; {fault.remedy}" for fault in error.faults]}
    except ListErrors as errors:
        return {"problems": [f"{problem.what}; {problem.remedy}" for problem in errors.problems]}
    scanners = {"no_longer": Scanner([before]), "newly": Scanner([after])}
    lists: dict[str, AnyList] = {"no_longer": before, "newly": after}
    found: dict[str, list[list[Any]]] = {"newly": [], "no_longer": []}
    looked_at, complete, until = 0, True, time.monotonic() + within
    for path in newest(Path(asked["root"]), asked["since_us"]):
        records = [one for one in matches(path, NEEDLE) if one["kind"] == "judged" and one["time"] >= asked["since_us"]]
        for record in sorted(records, key=lambda one: one["time"], reverse=True):
            texts = record["content"].get("plain")
            if texts is None:
                continue
            if looked_at >= asked["most"] or time.monotonic() > until:
                complete = False
                break
            looked_at += 1
            hits = {how: scanner.scan(tuple(texts)).hits.get(name, ()) for how, scanner in scanners.items()}
            how = "newly" if hits["newly"] else "no_longer"
            if bool(hits["newly"]) is bool(hits["no_longer"]):
                continue
            words = sorted({lists[how].word(hit.word_id) or "" for hit in hits[how]})
            place = [record["id"], record["route"], record["room"], record["time"], record["verdict"]]
            found[how].append([*place, words])
        if not complete:
            break
    told = {
        how: {"count": len(rows), "messages": sorted(rows, key=lambda row: row[3], reverse=True)[:LISTED]}
        for how, rows in found.items()
    }
    return {"looked_at": looked_at, "complete": complete, **told}


def main() -> int:
    """Exit code 0."""
    asked = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(orjson.dumps(compared(asked)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
