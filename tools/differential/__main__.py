"""``python -m tools.differential``: the same bytes to the gate and to the parsers of platforms.

Every request goes through a running gate to each platform. What the gate refuses is refused; what it lets through, the
platform reads in every way that an application may, and says so in its answer. A *divergence* is a text that a platform
reads and that the journal does not have as judged; another room, sender or method than was judged; or a message that a
platform finds and nobody judged. None is the only right number: exit code 1 otherwise. The frames of sockets go to
those platforms that have some.

--mutations N   besides what is written down (default 2000), from --seed S
--only NAMES    of node, rack, php, django, starlette, tomcat
--page PATH     writes the table there as well
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tools.differential import addresses, corpus, frames, places
from tools.differential.gate import Gate, Reading, differs

ROOT = Path(__file__).parents[2]
SHOWN = 40  # divergences told in full


def main() -> None:
    """Send everything, compare, tell."""
    parser = argparse.ArgumentParser(prog="python -m tools.differential", description=__doc__)
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--only", nargs="*", choices=places.NAMES, default=list(places.NAMES))
    parser.add_argument("--page", type=Path)
    chosen = parser.parse_args()
    place = ROOT / "data/differential"
    places.installed(place)
    known = [*corpus.seeds(), *addresses.besides()]
    sent = [*known, *corpus.mutated(chosen.mutations, chosen.seed, known)]
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="differential-")))
        gate = Gate(folder, place, chosen.only, stack)
        readings = asyncio.run(gate.ask(sent))
        sockets = asyncio.run(frames.ask(gate, chosen.only))
    found = [(reading, wrong) for reading in readings if (wrong := differs(reading))]
    for reading, wrong in found[:SHOWN]:
        print(f"{reading.platform}, {wrong}: judged {reading.judged!r}, read {reading.views}\n  {reading.sent}\n")
    broken = [reading for reading in sockets if reading.wrong]
    for socket in broken[:SHOWN]:
        print(f"{socket.platform}, socket: judged {socket.judged!r}, read {socket.read!r}\n  {socket.sent}\n")
    table = "\n".join(_table(chosen.only, readings, Counter(reading.platform for reading, _ in found)))
    table += "\n\n" + "\n".join(_socket_table(sockets))
    print(table)
    print(f"\n{len(sent)} requests to {len(chosen.only)} platforms in {time.monotonic() - began:.0f} s")
    if chosen.page is not None:
        chosen.page.write_text(_page(table, len(sent), chosen.mutations, chosen.seed), encoding="utf-8")
    sys.exit(1 if found or broken else 0)


def _table(names: list[str], readings: list[Reading], wrong: Counter[str]) -> list[str]:
    lines = [
        "| platform | requests | refused with 4xx | failed | judged and read | relayed unjudged | divergences |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        own = [reading for reading in readings if reading.platform == name]
        refused = sum(400 <= reading.answer < 500 for reading in own)
        read = sum(reading.relayed for reading in own)
        judged = sum(reading.relayed and reading.judged is not None for reading in own)
        failed = len(own) - refused - read
        lines.append(f"| {name} | {len(own)} | {refused} | {failed} | {judged} | {read - judged} | {wrong[name]} |")
    return lines


def _socket_table(readings: list[frames.SocketReading]) -> list[str]:
    lines = ["| platform | sockets | of which it read a text | texts read | divergences |", "|---|---:|---:|---:|---:|"]
    for name in dict.fromkeys(reading.platform for reading in readings):
        own = [reading for reading in readings if reading.platform == name]
        texts = sum(len(reading.read) for reading in own)
        wrong = sum(reading.wrong for reading in own)
        lines.append(f"| {name} | {len(own)} | {sum(bool(reading.read) for reading in own)} | {texts} | {wrong} |")
    return lines


def _page(table: str, count: int, mutations: int, seed: int) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""# One reading

Written by `make differential`; do not edit. The same bytes go through the gate to platforms that are built with the
parsers most in use, and each says what it takes for the message: its text, by every way in which an application may
ask; its room, as its router finds it and as applications cast it; who sends; and the method that it goes by. A
divergence is any of these that was not judged, or a message that a platform finds in what nobody judged. What the gate
refuses is none.

{today}: {count} requests, {mutations} of them mutations (seed {seed}).

{table}

What is sent: texts (`tools/differential/corpus.py`), addresses, methods, senders, rooms and framing (`addresses.py`)
and frames of sockets (`frames.py`). What each platform reads with stands in `tools/differential/platforms/`: Express's
router with body-parser, qs, busboy, cookie, method-override and ws; Rack with its method override and Sinatra's router;
PHP's own tables with Symfony's request and router; Django; Starlette with websockets; Tomcat with Jackson.

Two readings differ and are let be. Raw bytes beyond ASCII in a form (curl sends them, browsers do not) are UTF-8 to all
but Starlette, which takes them for Latin-1: the same bytes, of which none can spell another word. And an integer
between 2^53 and 2^63 that says who sends is that integer here and in Python, Ruby, PHP and Java, and its nearest double
in JavaScript, whose platforms have no such ids or read them as texts.
"""


if __name__ == "__main__":
    main()
