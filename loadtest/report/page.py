"""The report's one page, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loadtest.measuring.probe import MACHINE
from loadtest.report.estimate import FILL, Estimate
from loadtest.report.figures import Figures
from loadtest.report.objectives import Objective
from loadtest.report.saturation import Saturation

GROUPS = {
    "gateway": "gateway (workers)",
    "state": "state server",
    "other": "supervisor's other processes",
    "platform": "platform",
    "load": "Locust",
    MACHINE: "the machine: all its processors were busy, with whatever",
}


def page(
    title: Mapping[str, Any],
    machine: Mapping[str, Any],
    figures: Figures,
    objectives: Sequence[Objective],
    saturation: Saturation | None,
    estimate: Estimate | None,
    plots: Iterable[str],
) -> str:
    """``title``: what was asked for, by name; ``plots``: file names beside the page."""
    parts = [
        f"# Load test: {title['suite']}",
        title["meaning"],
        _table(("asked for", ""), ((name, value) for name, value in title.items() if name not in ("suite", "meaning"))),
        "## Objectives",
        _table(("objective", "", "measured"), ((o.name, o.state, o.told) for o in objectives)),
        "## Carried",
        _carried(figures),
        _table(
            ("request", "answers", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms"),
            ((t.name, t.answers, *(_ms(each) for each in t[2:])) for t in figures.times),
        ),
        *(f"![{name.removesuffix('.svg')}]({name})" for name in plots),
        "## Verdicts",
        _table(("verdict", "messages"), figures.verdicts.items()),
        *_faults(figures),
        "## Cost",
        _cost(figures, estimate),
        *([] if saturation is None else ["## Saturation", *_saturation(saturation)]),
        "## Machine and method",
        _table(("", ""), _flat(machine)),
        METHOD,
    ]
    return "\n\n".join(parts) + "\n"


METHOD = (
    "Each person's messages are due at times that do not depend on the answers (a Poisson process, in waves where the "
    "suite has them); who was kept waiting writes at once. Times run from sending to the whole answer, as Locust's "
    "process sees them: they hold its own waiting for a processor. Objectives are weighed behind the first second; in "
    "steps up to 70 % of saturation. Straight at the platform means the same people, shape and rate without the "
    "gateway, before. CPU time is the kernel's, of the processes named; a message on a socket costs what it takes to "
    "show it to everybody in its room. An answer with a verdict that its message must not get is a wrong verdict, "
    "whatever its status."
)


def _carried(figures: Figures) -> str:
    told = [
        f"{figures.messages} messages in {figures.seconds:.0f} s, {_number(figures.rate)} messages/s.",
        f"Checks: p50 {_number(figures.check_p50_ms)} ms, p99 {_number(figures.check_p99_ms)} ms; "
        f"{_number(figures.check_within * 100)} % within 1 ms.",
        f"Added by the gateway: p50 {_number(figures.added_p50_ms)} ms, p99 {_number(figures.added_p99_ms)} ms "
        f"(straight at the platform: p99 {_number(figures.direct_p99_ms)} ms).",
        f"Messages left at most {_number(figures.late_p99_ms)} ms late (p99).",
    ]
    if not math.isnan(figures.seen_p99_ms):
        told.append(f"Others saw a message within {_number(figures.seen_p99_ms)} ms (p99).")
    return " ".join(told)


def _faults(figures: Figures) -> list[str]:
    faults = [("error", kind, count) for kind, count in figures.errors.items()]
    faults += [("wrong verdict", told.removeprefix("wrong verdict: "), count) for told, count in figures.wrong.items()]
    return [_table(("fault", "told", "count"), faults)] if faults else []


def _cost(figures: Figures, estimate: Estimate | None) -> str:
    if not figures.cpu_us:
        return "Not measured: the gateway's processes are not on this machine, or `--data-dir` was not given."
    rows = (
        (GROUPS.get(group, group), f"{cost:.1f}", f"{figures.busy.get(group, math.nan) * 100:.0f} %")
        for group, cost in figures.cpu_us.items()
    )
    text = _table(("processes", "CPU µs a message", "busiest second, of a processor each"), rows)
    text += (
        f"\n\nAll processors of the machine: {figures.busy.get(MACHINE, math.nan) * 100:.0f} % in the busiest second."
    )
    text += f" {_number(figures.per_core)} messages/s a core of the gateway."
    if estimate is not None:
        limit = ", where the state server's one thread is the limit" if estimate.by_state else ""
        text += (
            f" A machine of {estimate.cores} such cores, {FILL:.0%} busy with gateway and state alone, would carry "
            f"about {_number(estimate.rate)} messages/s{limit}: an estimate, not a measurement."
        )
    return text


def _saturation(saturation: Saturation) -> list[str]:
    rows = (
        (s.number, s.users, _number(s.offered), _number(s.answered), _ms(s.p99), "yes" if s.kept_up else "no")
        for s in saturation.steps
    )
    table = _table(("step", "users", "offered/s", "answered/s", "p99 ms", "kept up"), rows)
    if saturation.reached:
        limit = GROUPS.get(saturation.limit, saturation.limit)
        what = f"at its limit was: {limit}" if limit else "no group of processes was at its limit"
        told = f"Saturated at {_number(saturation.highest)} messages/s; {what}."
        if saturation.limit in ("load", "platform", MACHINE):
            told += " So this is not the gateway's own saturation point, which lies higher."
    else:
        told = f"Not reached: every step kept up, the last with {_number(saturation.highest)} messages/s."
    return [table, told]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _flat(values: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield name, ", ".join(f"{key} {each}" for key, each in value.items())
        else:
            yield name.replace("_", " "), round(value, 2) if isinstance(value, float) else value


def _ms(seconds: float) -> str:
    return _number(seconds * 1000)


def _number(value: float) -> str:
    """Three figures that count; a dash for what was not measured."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
