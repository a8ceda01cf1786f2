"""``python -m tools.watch [rules|live|breaks]``: what watches a node, tried on one.

``rules``: promtool over configuration, rules and cases. ``live``: every expression of alerts, recorded series and
boards is answered by Prometheus over a node that has done everything; an empty answer fails. ``breaks``: the node is
broken, and the alerts that should fire do, without waiting. Needs Debian's prometheus: ``tools/debian-packages watch``.
"""

from __future__ import annotations

import asyncio
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.watch import breaks
from tools.watch.expressions import ALERTS, RECORDING, RULES, rules, selectors, told
from tools.watch.gate import Gate
from tools.watch.panels import BOARDS
from tools.watch.prometheus import Answer, Prometheus


def of_rules(_folder: Path) -> bool:
    """promtool, in their folder."""
    checks = (["check", "config", "prometheus.yml"], ["test", "rules", "alerts.test.yml"])
    codes = [subprocess.run(["promtool", *check], cwd=RULES, check=False).returncode for check in checks]
    return not any(codes)


def asked() -> dict[str, str]:
    """Every expression, by what asks it."""
    found = {f"recorded {rule.name}": rule.expression for rule in rules(RECORDING)}
    for rule in rules(ALERTS):
        found[f"alert {rule.name}"] = told(rule.expression)
        for number, selector in enumerate(selectors(rule.expression)):
            found[f"alert {rule.name}, series {number}"] = selector.text
    for board in BOARDS:
        for panel in board.panels:
            for number, expression in enumerate(panel.asks):
                shown = expression.replace("$__rate_interval", "1m")
                found[f"board {board.name}, {panel.title['en']}, {number}"] = re.sub(r"\$\w+", ".*", shown)
    return found


def says(answers: list[Answer]) -> bool:
    """Whether there is a number in it."""
    return any(not math.isnan(one.value) for one in answers)


async def live(folder: Path) -> bool:
    gate = Gate(folder)
    watcher = Prometheus(folder, gate.target)
    try:
        await gate.start()
        await asyncio.to_thread(watcher.start)
        await asyncio.sleep(3)
        await gate.everything()
        await gate.talk(5)
        answers = {where: await asyncio.to_thread(watcher.ask, one) for where, one in asked().items()}
        for board in BOARDS:
            for name, question in board.variables.items():
                of, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", question).groups()  # type: ignore[union-attr]
                values = await asyncio.to_thread(watcher.values, label, of)
                answers[f"board {board.name}, ${name}"] = [Answer({}, 1.0) for value in values if value]
    finally:
        watcher.stop()
        await gate.stop()
    empty = [where for where, answer in answers.items() if not says(answer)]
    for where in empty:
        print(f"no answer: {where}: {asked().get(where, '')}")
    print(f"{len(answers)} questions, {len(empty)} without an answer")
    return not empty


TRIALS = {
    "rules": of_rules,
    "live": lambda folder: asyncio.run(live(folder)),
    "breaks": lambda folder: asyncio.run(breaks.run(folder)),
}


def main(names: list[str]) -> int:
    if set(names) - set(TRIALS):
        sys.exit(__doc__)
    well = True
    for name in names or list(TRIALS):
        with tempfile.TemporaryDirectory() as scratch:
            well = TRIALS[name](Path(scratch)) and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
