"""docs/logs.md and the code say the same: every event, its level and its keys, and no other."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gateway.common.metrics import Count
from gateway.logs.access_log import AccessLog
from gateway.logs.logs import COMMON, PERSONAL

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "logs.md"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
FAULT = "fault"  # on the page: what exc_info becomes
PASSED_ON = "gateway/logs/hearsay.py"  # tells lines that others made, in their names
NAME = re.compile(r"[a-z_]+(\.[a-z_]+)?")


class Told(NamedTuple):
    """One call that logs."""

    place: str
    event: str
    level: str
    keys: frozenset[str]


@cache
def calls() -> tuple[tuple[str, ast.Call], ...]:
    """Every call of a log in what is shipped, found in the source, with its place."""
    return tuple(_calls())


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ("gateway", "filters"):
        for path in (ROOT / package).rglob("*.py"):
            where = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                    owner = ast.unparse(node.func.value)
                    if owner in ("log", "logger") or owner.endswith("get_logger()") or "getLogger(" in owner:
                        yield f"{where}:{node.lineno}", node


def told() -> Iterator[Told]:
    """What they say. Each names its event and its keys as they are: no name that is put together, no keys by ``**``."""
    for place, call in calls():
        assert isinstance(call.func, ast.Attribute)
        level = call.func.attr
        name = call.args[1 if level == "log" else 0]
        if place.startswith(PASSED_ON) and not isinstance(name, ast.Constant):
            continue
        assert isinstance(name, ast.Constant) and isinstance(name.value, str), f"{place}: {ast.unparse(name)}"
        assert len(call.args) == (2 if level == "log" else 1), place
        keys = {keyword.arg for keyword in call.keywords}
        assert None not in keys, f"{place}: **"
        if place.startswith(PASSED_ON):
            keys -= {"process", "pid"}
        if level == "exception":
            level, keys = "error", keys | {"exc_info"}
        named = frozenset(FAULT if key == "exc_info" else str(key) for key in keys)
        yield Told(place, name.value, "any" if level == "log" else level, named)


def page() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Events on the page: levels and keys."""
    rows = re.findall(
        r"^\| `([\w.]+)` \| ([a-z, ]+) \| ([^|]*) \| [^|]+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == len({event for event, _, _ in rows}), "an event stands there twice"
    return {event: (frozenset(levels.split(", ")), frozenset(re.findall(r"\w+", keys))) for event, levels, keys in rows}


def test_every_event_is_on_the_page_with_its_level_and_its_keys_and_no_other() -> None:
    levels: dict[str, set[str]] = defaultdict(set)
    keys: dict[str, set[str]] = defaultdict(set)
    for one in told():
        levels[one.event].add(one.level)
        keys[one.event] |= one.keys
    documented = page()
    assert documented.pop("access")[0] == {"info"}
    assert {event: (frozenset(levels[event]), frozenset(keys[event])) for event in levels} == documented


def test_nothing_is_told_in_the_name_of_what_every_line_has_or_of_a_person() -> None:
    for one in told():
        assert NAME.fullmatch(one.event), one
        assert not one.keys & {*COMMON, *PERSONAL}, one


def test_nobody_logs_by_another_way() -> None:
    """A library's logger, a print or a bare write would be lines of another form."""
    for place, call in calls():
        assert isinstance(call.func, ast.Attribute)
        assert "getLogger(" not in ast.unparse(call.func.value), place
    allowed = {"gateway/commands", "gateway/words/compile.py", "gateway/demo"}
    for path in (ROOT / "gateway").rglob("*.py"):
        where = path.relative_to(ROOT).as_posix()
        if not any(where.startswith(one) for one in allowed):
            source = path.read_text(encoding="utf-8")
            assert "sys.stderr.write" not in source, where
            assert not re.search(r"^\s*print\(", source, re.MULTILINE), where


def test_the_keys_of_an_access_line_are_on_the_page() -> None:
    written: list[bytes] = []
    log = AccessLog(written.append, dropped=Count(), named={"process": "worker-0", "node": 0, "pid": 1})
    log.add("GET", "", "", 200, seconds=0.0, sizes=(0, 0))
    log.add_socket("", "", seconds=0.0, frames=(0, 0), sizes=(0, 0), code=1000)
    log.close(30.0)
    keys = set().union(*(ast.literal_eval(line.decode().replace("null", "None")) for line in written[0].splitlines()))
    chapter = PAGE.read_text(encoding="utf-8").partition("## Access lines")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", chapter, re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == keys - set(COMMON)


def test_the_keys_of_every_line_are_on_the_page() -> None:
    chapter = PAGE.read_text(encoding="utf-8").partition("## Keys of every line")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE)) == COMMON
