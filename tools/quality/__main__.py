"""``python -m tools.quality``: measures, and writes docs/quality.md and a record.

--before PATH   a checkout of an earlier version, asked the same questions
--place PATH    where the corpora's environment is kept (data/quality)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.quality import corpora, measure
from tools.quality.page import write

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).parent / "record"
PIECE = 500  # texts in one question
SAMPLE = {"better-profanity": (100, 1_000)}  # Chinese and English texts: it looks at every word of the list each time


class Filter:
    """A reader in a process of its own."""

    def __init__(self, name: str, python: str, tree: Path) -> None:
        self.seconds = 0.0
        environment = {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{ROOT}"}
        program = [python, str(ROOT / "tools/quality/reader.py"), name]
        self._process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=tree
        )

    def ask(self, words: Sequence[str], texts: Sequence[str], markup: str) -> list[measure.Hits]:
        """One question; the list is compiled once."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        began = time.perf_counter()
        process.stdin.write(json.dumps({"list": list(words), "texts": list(texts), "markup": markup}) + "\n")
        process.stdin.flush()
        answer: list[measure.Hits] = json.loads(process.stdout.readline())
        self.seconds += time.perf_counter() - began
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Measure every filter on every corpus."""
    parser = argparse.ArgumentParser(prog="python -m tools.quality")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--place", type=Path, default=ROOT / "data" / "quality")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the corpora, and nothing written")
    options = parser.parse_args()
    options.place.mkdir(parents=True, exist_ok=True)
    place = options.place.resolve()
    site = corpora.installed(place)
    share = 20 if options.quick else 1
    chinese = corpora.chinese(site)[::share]
    english = corpora.english()[::share]
    lists = {
        "chinese": corpora.chinese_words(site),
        "english": corpora.english_words(place),
        "common": corpora.common_words(english),
    }
    told: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(ROOT),
        "before": _commit(options.before) if options.before else "",
        "python": corpora.python_version(),
        "disguises": len(measure.disguises()),
        "lists": {name: len(words) for name, words in lists.items()},
        "filters": {},
    }
    peers = str(place / "venv/bin/python")
    filters = [("tidegate", "tidegate", sys.executable, ROOT)]
    if options.before is not None:
        filters.append(("before", "tidegate", sys.executable, options.before.resolve()))
    filters += [("automaton", "automaton", peers, ROOT), ("better-profanity", "better-profanity", peers, ROOT)]
    for name, reader, python, tree in filters:
        asked = Filter(reader, python, tree)
        han, latin = SAMPLE.get(name, (len(chinese), len(english)))
        found: dict[str, Any] = {"recall": measure.recall(asked.ask, reader != "better-profanity")}
        if reader == "better-profanity":
            found["english"] = _contains(asked, lists["english"], english[:latin])
            found["chinese"] = _contains(asked, lists["chinese"], chinese[:han])
        else:
            found["chinese"] = measure.han(asked.ask, lists["chinese"], chinese)
            found["english"] = measure.latin(asked.ask, lists["english"], english)
            found["missed"] = measure.missed(asked.ask, lists["common"], english)
        found["seconds"] = round(asked.seconds, 1)
        asked.close()
        told["filters"][name] = found
        print(name, json.dumps(found, ensure_ascii=False)[:1500], file=sys.stderr)
    if options.quick:
        return
    RECORD.mkdir(exist_ok=True)
    target = RECORD / f"{told['at'][:16].replace('T', '-').replace(':', '')}.json"
    target.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write(told, ROOT / "docs" / "quality.md")


def _contains(asked: Filter, words: Sequence[str], texts: Sequence[str]) -> dict[str, int]:
    """Of a filter that says of a text only whether it holds something: how often, and how often nothing is there."""
    hits = asked.ask(words, texts, "off")
    plainly = [any(measure.plain(word) in measure.plain(text) for word in words) for text in texts]
    return {
        "texts": len(texts),
        "texts hit": sum(map(bool, hits)),
        "texts hit beyond": sum(bool(hit) and not held for hit, held in zip(hits, plainly, strict=True)),
        "texts missed": sum(held and not hit for hit, held in zip(hits, plainly, strict=True)),
    }


def _commit(tree: Path) -> str:
    program = ["git", "-C", str(tree), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
