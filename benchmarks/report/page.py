"""``python -m benchmarks.report``: docs/performance.md and its plots, from the newest records.

Peers, each curve of growth, frames and parts may come from different records; each names its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import plots, record
from benchmarks.report.objectives import answers
from benchmarks.report.table import (
    CHECK_COLUMNS,
    IDLE,
    LATENCY_COLUMNS,
    PEER_COLUMNS,
    PROFILE,
    RATIOS,
    SESSIONS,
    WEBSOCKET_COLUMNS,
    Column,
    cells,
    objects,
    spread,
)
from benchmarks.studies import growth
from benchmarks.websocket.run import PARTS
from rig.process import ROOT

SECTIONS = ("peers", "websocket", "micro", "profile", "changes")
Found = dict[str, dict[str, Any]]
"""Records by what they are used for: a section, or the name of a curve of growth."""

PAGE = ROOT / "docs" / "performance.md"
PLOTS = "performance"

INTRODUCTION = """# Performance

Written by `python -m benchmarks.report` from the records in `benchmarks/record/`; do not edit. `make bench` makes a
record of the peers, `make bench ARGS=--all` of everything here, each with its machine, commands and revision.

Believe the ratios before the microseconds: everything in one table was measured on one machine in one run, the systems
in turn in every round, and what stands in parentheses is the lowest and the highest round.
"""

OTHERS = """\
What others showed in the same run stands beside bounds that are absolute: of the proxy that checks nothing and of the
expert's gateway the p99 is that of whole answers, at the same share of their own saturation. "A timer" is how late a
process that does nothing else was woken just before, the processors kept awake: what the machine adds to every step
that waits for another."""

WHY = """### What stands between these figures and the bounds that are missed

- **CPU beside a proxy that checks nothing.** What the kernel takes is much the same: a message is read and written
  twice, by four system calls (`strace -c`: 2.04 reads and 2.08 writes a message, the journal's and state's among them).
  The rest is many small things: no function has four per cent of the samples. Callgrind counts 92,000 instructions a
  message (head 17,000, decoding 14,000, folding, matching and fingerprint 16,000, verdict and records 15,000,
  forwarding 8,000, answer 13,500, objects freed 11,000), more of them in the interpreter's allocation, dictionaries and
  calls than in our own compiled code. Tried without gain: a profile-guided build, stages over all connections of a
  turn. What it would take: a fifth fewer of these, and no single place has them.
- **Latencies.** A message that comes alone costs several times what it costs among others, in each object of the
  table above alike, and at nginx twice: a waking begins with cold caches and, on a virtual machine, with that of a
  processor; what has more code has more to warm. A check waits for two of them (the state server's, and its own
  again), an answer for four. A bare `PING` of the state server, one a millisecond, takes 0.09 ms from the worker's
  processor and back on the machine of these records, and the expert's gateway misses the same bound. How late a timer
  wakes on that machine stands beside both. What it would take: processors of one's own first; then fewer wakings,
  such as a loop that polls for state's reply (measured with sleeping processors: p50 0.9 to 0.65 ms at 3,000/s, for a
  whole processor; not kept).
- **The p99 at 70 %** is a queue's: among others a message costs a fraction of what it costs alone, so 70 % of the
  messages take more than 70 % of the processor ("Offered messages" above), and a pause of the machine is caught up
  slowly. Where the machine pauses for a per cent of the time ("paused" beside the check time), nothing that waits for
  another process has a p99 below those pauses, the proxy that checks nothing included.
"""

METHOD = """## What is measured, and how

- **One message** is a POST of about 120 bytes of JSON from one of 2,000 verified people to one of 50 rooms (a skewed
  draw), its text new each time, over kept-alive connections on loopback. Nobody is refused: an ordinary message is
  priced.
- **The policy**: identity, block, three limits that the load never reaches, repeats, credit, one list of 20,000 words;
  the journal is written as operators have it by default (`fsync = "everysec"`).
- **The gateway has one processor to itself**; upstream, state server and load share the others. CPU time is the
  scheduler's own count for the gateway's processes, divided by messages. Tidegate's gateway is its workers; its control
  process and supervisor stand apart ("others"). "Core busy" below 100 % means that something else was the limit.
- **Each system is asked first** whether it does what it is measured for (unknown sender, listed word, the word in
  disguise, repeats, malformed bodies), and one wrong answer under load ends the run without a record.
- **nginx + Lua** decodes with cjson, folds through one flat table, matches with a double-array automaton in FFI memory,
  calls the same script on the same kind of Valkey over a unix socket with hand-written RESP and kept-alive cosockets,
  and writes a buffered JSON log line. **aiohttp** is what most teams would write: aiohttp, redis-py, pyahocorasick.
- **CPU and saturation** come from wrk, a closed model. Its latencies are not used: a connection that waits sends
  nothing, so stalls hide themselves. **Latencies** come from an open model: arrivals are a Poisson process, drawn
  beforehand, and each latency counts from when the message was due, whether or not it could be sent.
- **Processors are kept awake while an open load runs** (`benchmarks/load/awake.py`; for a whole machine it is
  `idle=poll`): on a virtual machine one that sleeps is given to others, and whoever is woken on it waits for the host.
  Who keeps it awake runs while nobody else wants to, and the switch to it and back makes a message that comes alone
  somewhat dearer; it is in the figures of every system. CPU at saturation is measured without. (Records before
  22 November 2026, 19:00: the processors slept. A bare timer came 2 to 4 ms late at p99 then, and 0.3 ms awake, in the
  same minutes.)
- **"Paused"** is the share of the time in which a process that never sleeps stood still for more than 0.2 ms, just
  before the latencies: what the host gave to others. Nothing here helps against it, and where it is a per cent or more,
  it makes every p99 on this page: a pause holds up who is under way, and what came meanwhile is read in one turn.
- **Connections and workers**: at an offered rate, processor time counts from when all connections are accepted until
  before they are closed: opening 10,000 costs as much as thousands of messages do. Two workers have 64 connections
  each, as one has. (Records before 22 November 2026, 14:00, have 64 between the two: turns of half as many messages,
  each 17 to 56 % dearer; and the opening of connections stands in their cost of many connections.)
- **A judged frame** is the same text as a group's message in a text frame of its own, on one of 64 sockets; the
  platform sends each back, and every answer is compared byte for byte. The aiohttp relay judges it with the same code
  as its comments; nginx relays it unread. **A broadcast** is one frame of the platform's to each of 500 viewers, the
  next one when the last viewer has it. **Sessions that say nothing** are opened at 1,000 handshakes a second over two
  workers; what the workers' memory grows by is theirs (the kernel's buffers of sockets are not in it), and one
  message to all of them must reach each.
- **Check time** is the gateway's own histogram, from decoding to verdict, round trip to state included.

## Known limits of the method

- Two processors: load, upstream and state server share one, so a fast gateway is starved by its own load before it is
  saturated, and tails hold the load's own delays ("late" in the record; the direct way shows them too). An open load
  gives way to the other two at once (`SCHED_IDLE`), and its loop is C; how busy the three are stands beside the check
  time. (Records before 22 November 2026, 16:00: a loop in Python, at a niceness; at 70 % it filled that processor
  with them, and the check waited for state, which waited for the load. Before 19:00 state and load were in sessions of
  their own, and Linux shares a processor by session (sched(7), autogroup): neither gave way to the other. In the record
  of 16:39 closed loads stood back as well: with two workers, and with frames, they sent one message at a time.)
- Loopback has no network: no loss, no latency, no interrupts of a card. Added milliseconds on a wire are not here.
- The upstream answers at once with a few bytes; the cost of long answers is that of any relay.
- A shared machine drifts. Rounds in turn and ratios round by round take most of that out, not all.
- A histogram's quantile is interpolated within its bucket.
- State's deadline is one second here instead of 20 ms: on a busy shared processor the default would measure the
  scheduler. It costs nothing in messages that are answered in time.
- Counters of limits that live less than ten minutes are not written to the state server's log, by the same script for
  both systems that use it.
"""


def figures(found: Found) -> dict[str, Any]:
    """One record of all that was found."""
    told = {name: found[name][name] for name in SECTIONS if name in found}
    curves = {name: found[name]["growth"][name] for name in growth.CURVES if name in found}
    return {**told, "growth": curves} if curves else told


def page(found: Found, drawn: dict[str, str]) -> str:
    """The page; ``drawn`` maps plots to files."""
    parts = [INTRODUCTION, _objectives(figures(found))]
    if "peers" in found:
        parts.append(_peers(found["peers"], drawn))
    if any(name in found for name in growth.CURVES):
        parts.append(_growth(found, drawn))
    if "websocket" in found:
        parts.append(_websocket(found["websocket"], drawn))
    if "micro" in found:
        parts.append(_micro(found["micro"]))
    if "profile" in found:
        parts.append(_profile(found["profile"]))
    if "changes" in found:
        parts.append(_changes(found["changes"]))
    parts += [METHOD, _repeat(found)]
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _objectives(merged: dict[str, Any]) -> str:
    rows = []
    for answer in answers(merged):
        objective = answer.objective
        shown = "–" if answer.value is None else f"{answer.value:,.2f} {objective.unit}".strip()
        aim = "" if objective.aim is None else f", aim {objective.aim:g}"
        bound = f"at most {objective.most:g}{aim} {objective.unit}".strip()
        others = ", ".join(f"{name} {value:,.2f}" for name, value in answer.others.items())
        rows.append([objective.name, shown, bound, answer.told, others])
    return f"## Objectives\n\n{OTHERS}\n\n" + _table(["", "measured", "objective", "", "others in that run"], rows)


def _peers(kept: dict[str, Any], drawn: dict[str, str]) -> str:
    systems = kept["peers"]["systems"]
    parts = [f"## Side by side\n\n{_origin(kept)}\n", _image("CPU per message", drawn.get("peers"))]
    for title, columns in (
        ("One pinned core, saturated", PEER_COLUMNS),
        ("Latency at fixed offered rates, µs from the schedule", LATENCY_COLUMNS),
        ("Added to the direct way at 30 %, and the gateway's own check time at 70 %", CHECK_COLUMNS),
    ):
        parts.append(_systems(title, systems, columns))
    parts.append(_image("Latencies", drawn.get("latency")))
    parts.append(_ratios("message", kept["peers"]["ratios"]))
    return "\n".join(parts)


def _systems(title: str, systems: dict[str, Any], columns: Sequence[Column]) -> str:
    rows = [cells(system, columns) for system in systems.values()]
    return f"### {title}\n\n" + _table(["system", *(name for name, *_ in columns)], rows)


def _ratios(unit: str, ratios: dict[str, Any]) -> str:
    rows = [[name, spread(cell, digits=2)] for name, cell in ratios.items()]
    return f"### {RATIOS.format(unit=unit)}\n\n" + _table(["pair", "median (low–high)"], rows)


def _growth(found: Found, drawn: dict[str, str]) -> str:
    parts = ["## How cost grows\n\nA bare nginx is measured beside each point; `to_nginx` is their ratio.\n"]
    for name, curve in growth.CURVES.items():
        if name in found:
            kept = found[name]
            parts.append(f"### {curve.title}\n\n{_origin(kept)}\n\n{_image(curve.title, drawn.get(name))}")
            parts.append(_columns(curve.title, kept["growth"][name]))
    return "\n".join(parts)


def _columns(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """The points of a curve, one a column; the first line of each names it."""
    shown = [growth.flat(row) for row in rows]
    x = next(iter(shown[0]))
    lines = list(dict.fromkeys(line for row in shown for line in row if line != x))
    body = [[line.replace("_", " "), *(_number(row.get(line)) for row in shown)] for line in lines]
    return _table([title, *(f"{row[x]:,}" for row in shown)], body)


def _websocket(kept: dict[str, Any], drawn: dict[str, str]) -> str:
    told = kept["websocket"]
    parts = [f"## WebSockets\n\n{_origin(kept)}\n"]
    for name, part in PARTS.items():
        if name in told:
            parts.append(_systems(part.title, told[name]["systems"], WEBSOCKET_COLUMNS[name]))
            parts.append(_ratios(part.unit, told[name]["ratios"]))
    if "sessions" in told:
        image = _image(SESSIONS, drawn.get("sessions"))
        parts.append(f"### {SESSIONS}\n\n{image}\n" + _columns("sessions", told["sessions"]))
    if "idle" in told:
        parts.append(f"### {IDLE}\n\n" + _columns("sessions", [told["idle"]]))
    return "\n".join(parts)


def _micro(kept: dict[str, Any]) -> str:
    rows = [
        [row["part"], row["case"], f"{row['us']:.2f}", row["plain"], f"{row['plain_us']:,.2f}", f"{row['ratio']:.3f}"]
        for row in kept["micro"]
    ]
    head = ["part", "case", "µs", "the plain way", "its µs", "ratio"]
    return f"## The parts alone\n\n{_origin(kept)}\n\n" + _table(head, rows)


def _profile(kept: dict[str, Any]) -> str:
    told = kept["profile"]
    head = ["", *(f"{row['system']}, {row['load']}" for row in told)]
    rows = [[name, *figures] for name, figures in objects(told)]
    return f"## {PROFILE}\n\n{_origin(kept)}\n\n" + _table(head, rows) + "\n" + WHY


def _changes(kept: dict[str, Any]) -> str:
    changes = kept["changes"]
    rows = [
        [name, changes["commits"].get(name, ""), *(spread(told.get(column), 1.0, digits) for column, digits in columns)]
        for columns in [(("us", 1), ("/nginx", 2), ("/before", 3))]
        for name, told in changes["figures"].items()
    ]
    head = ["", "commit", "CPU µs/message", "beside bare nginx", "beside before"]
    return (
        f"## Before and after\n\n{_origin(kept)}\n\n{changes['what']}. Slices of all three in turn; medians, and "
        f"in parentheses the quartiles of {kept['options']['rounds']} rounds.\n\n" + _table(head, rows)
    )


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _image(title: str, file: str | None) -> str:
    return f"![{title}]({PLOTS}/{file})\n" if file else ""


def _origin(kept: dict[str, Any]) -> str:
    changed = ", with changes" if kept["revision"]["changed"] else ""
    trial = " **A trial on a busy machine: no figure to quote.**" if kept.get("trial") else ""
    rounds, seconds = kept["options"].get("rounds"), kept["options"].get("seconds")
    return (
        f"From `{kept['file']}`, begun {kept['begun']}, revision `{kept['revision']['commit'][:12]}`{changed}; "
        f"{rounds} rounds of {seconds:g} s a measurement.{trial}"
    )


def _repeat(found: Found) -> str:
    if not found:
        return "No record yet: `make bench` makes one.\n"
    parts = ["## Machine and commands\n"]
    for kept in {kept["file"]: kept for kept in found.values()}.values():
        machine = kept["machine"]
        lines = [[name.replace("_", " "), _machine(value)] for name, value in machine.items()]
        parts.append(f"`{kept['file']}`: `{' '.join(kept['command'])}`\n\n" + _table(["machine", ""], lines))
        parts.append("\n".join(f"- {name}: `{command}`" for name, command in kept["commands"].items()) + "\n")
    return "\n".join(parts)


def _machine(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def write(target: Path, *, folder: Path = record.FOLDER, trials: bool = False) -> Found:
    """Write the page and, in a folder beside it, the plots; returns the records used."""
    newest = partial(record.newest, folder=folder, trials=trials)
    found = {name: kept for name in SECTIONS if (kept := newest(name)) is not None}
    found |= {name: kept for name in growth.CURVES if (kept := newest("growth", name)) is not None}
    drawn = plots.draw(figures(found), target.with_suffix("")) if found else {}
    target.write_text(page(found, drawn), encoding="utf-8")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--trials", action="store_true", help="use records of trials as well")
    chosen = parser.parse_args()
    found = write(PAGE, trials=chosen.trials)
    used = ", ".join(sorted({kept["file"] for kept in found.values()})) or "no record"
    print(f"{PAGE.relative_to(ROOT)} from {used}")
