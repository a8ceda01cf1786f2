"""The arithmetic of a report: recorded seconds and samples in, figures out.

Times are seconds unless a name says ms or us.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from loadtest.measuring.load import Run, Second
from loadtest.measuring.probe import MACHINE, Sample
from loadtest.measuring.tally import DELIVERED, REFUSED, Buckets, added, buckets_in, joined, quantile

SETTLING = 1.0  # seconds at the start that are about connecting, not about carrying
CHECK_BOUND = 0.001  # seconds: the objective for a check: docs/performance.md


class Moment(NamedTuple):
    """One second. Rates are messages a second: ``sent``; ``rate``, which got a verdict; ``delivered``; ``verdicts``.

    ``p50`` to ``p99``: of delivered ones. ``errors``: answers without a verdict, by kind. ``lag``: p99 of how late the
    load's own clock woke.
    """

    at: float
    users: int
    sent: float
    rate: float
    delivered: float
    p50: float
    p95: float
    p99: float
    verdicts: Mapping[str, float]
    errors: Mapping[str, int]
    lag: float


class Times(NamedTuple):
    """Quantiles of one kind of request."""

    name: str
    answers: int
    p50: float
    p95: float
    p99: float
    p999: float


class Figures(NamedTuple):
    """Everything that the page says. NaN where it could not be measured.

    ``cpu_us``: CPU µs a message by group of processes. ``busy``: the busiest a group's processors were, as a share of
    one processor for each of its processes. ``check_within``: share of the checks that took at most 1 ms.
    ``added_p99_ms``: delivered messages by way of the gateway, less the same straight at the platform.
    ``checks``: p99 of the check in each second, as (epoch seconds, seconds). ``unavailable``: answers that say that
    something is out of order (503); no verdict, and part of ``errors``. ``refused_share``: of messages with a verdict.
    """

    seconds: float
    messages: int
    rate: float
    delivered_rate: float
    refused_share: float
    answer_p50_ms: float
    answer_p99_ms: float
    lag_p99_ms: float
    unavailable: int
    checks: tuple[tuple[float, float], ...]
    moments: tuple[Moment, ...]
    times: tuple[Times, ...]
    verdicts: Mapping[str, int]
    errors: Mapping[str, int]
    wrong: Mapping[str, int]
    error_share: float
    late_p99_ms: float
    seen_p99_ms: float
    check_p50_ms: float
    check_p99_ms: float
    check_within: float
    direct_p99_ms: float
    added_p50_ms: float
    added_p99_ms: float
    cpu_us: Mapping[str, float]
    busy: Mapping[str, float]
    per_core: float


class Window(NamedTuple):
    """Epoch seconds; what lies outside is not weighed against objectives."""

    begin: float
    end: float

    def holds(self, at: float) -> bool:
        return self.begin < at <= self.end


def of(gateway: Run, direct: Run | None, window: Window | None = None) -> Figures:
    """``window``: where quantiles and costs are taken, all but the settling where None.

    Totals and the mean rate are of the whole run.
    """
    window = window or settled(gateway)
    whole = added(gateway.seconds)
    inside = added(second for second in gateway.seconds if window.holds(second["at"]))
    delivered = _delivered(inside)
    moments = tuple(moments_of(gateway.seconds))
    verdicts = _messages(whole)
    errors = whole["errors"]
    answered = sum(verdicts.values())
    begin, end = _ends(gateway.samples, window)
    check = _difference(begin.get("checks", {}), end.get("checks", {}))
    straight = _straight(direct, window, gateway)
    cost = costs(gateway.samples, gateway.seconds, window)
    return Figures(
        seconds=gateway.seconds[-1]["at"] - gateway.seconds[0]["at"] + 1.0,
        messages=answered,
        rate=_mean([moment.rate for moment in _busy(moments, settled(gateway))]),
        delivered_rate=_mean([moment.delivered for moment in _busy(moments, settled(gateway))]),
        refused_share=sum(count for verdict, count in verdicts.items() if verdict not in DELIVERED) / answered
        if answered
        else math.nan,
        answer_p50_ms=quantile(delivered, 0.5) * 1000,
        answer_p99_ms=quantile(delivered, 0.99) * 1000,
        lag_p99_ms=quantile(buckets_in(inside.get("lag", {})), 0.99) * 1000,
        unavailable=sum(count for kind, count in errors.items() if is_unavailable(kind)),
        checks=tuple(_checks(gateway.samples)),
        moments=moments,
        times=tuple(_times(name, buckets_in(told)) for name, told in sorted(inside["took"].items())),
        verdicts=dict(sorted(verdicts.items(), key=lambda item: -item[1])),
        errors=errors,
        wrong=whole["wrong"],
        error_share=sum(errors.values()) / max(1, answered + sum(errors.values())),
        late_p99_ms=quantile(buckets_in(inside["late"]), 0.99) * 1000,
        seen_p99_ms=quantile(buckets_in(inside["seen"]), 0.99) * 1000,
        check_p50_ms=bucket_quantile(check, 0.5) * 1000,
        check_p99_ms=bucket_quantile(check, 0.99) * 1000,
        check_within=share_within(check, CHECK_BOUND),
        direct_p99_ms=quantile(straight, 0.99) * 1000,
        added_p50_ms=(quantile(delivered, 0.5) - quantile(straight, 0.5)) * 1000,
        added_p99_ms=(quantile(delivered, 0.99) - quantile(straight, 0.99)) * 1000,
        cpu_us=cost,
        busy=busiest(gateway.samples),
        per_core=1e6 / cost["gateway"] if cost.get("gateway") else math.nan,
    )


def settled(run: Run) -> Window:
    """From when everybody is connected to the end."""
    first, last = run.seconds[0]["at"], run.seconds[-1]["at"]
    return Window(first - 1.0 + SETTLING if last - first > 2 * SETTLING else 0.0, last)


def moments_of(seconds: Sequence[Second]) -> list[Moment]:
    """One for each recorded second; the last line of a record, which stands for less, is left out."""
    moments = []
    before = seconds[0]["at"] - 1.0
    for second in seconds:
        lasted = second["at"] - before
        if lasted < 0.5:
            continue
        delivered, verdicts = _delivered(second), _messages(second)
        moments.append(
            Moment(
                second["at"], second["users"], sum(second["late"].values()) / lasted,
                sum(verdicts.values()) / lasted, sum(delivered.values()) / lasted,
                quantile(delivered, 0.5), quantile(delivered, 0.95), quantile(delivered, 0.99),
                {verdict: count / lasted for verdict, count in verdicts.items()}, second["errors"],
                quantile(buckets_in(second.get("lag", {})), 0.99),
            )
        )  # fmt: skip
        before = second["at"]
    return moments


def costs(samples: Sequence[Sample], seconds: Sequence[Second], window: Window) -> dict[str, float]:
    """CPU µs a message, by group of processes: the gateway's own count of messages where it tells, else the answers."""
    begin, end = _ends(samples, window)
    if not begin or begin is end:
        return {}
    if "messages" in begin and "messages" in end:
        messages = end["messages"] - begin["messages"]
    else:
        messages = sum(sum(_messages(s).values()) for s in seconds if begin["at"] < s["at"] <= end["at"])
    if messages <= 0:
        return {}
    return {
        group: (spent - begin["cpu"][group]) / messages * 1e6
        for group, spent in end["cpu"].items()
        if group in begin["cpu"] and group != MACHINE
    }


def busiest(samples: Sequence[Sample]) -> dict[str, float]:
    """The highest load of each group in any second: CPU seconds a second and process."""
    highest: dict[str, float] = {}
    for before, after in pairwise(samples):
        lasted = after["at"] - before["at"]
        for group, spent in after["cpu"].items():
            if group in before["cpu"] and lasted > 0.5:
                load = (spent - before["cpu"][group]) / lasted / after["processes"][group]
                load = min(1.0, load) if group == MACHINE else load  # the kernel counts it in hundredths of a second
                highest[group] = max(highest.get(group, 0.0), load)
    return highest


def share_within(cumulated: Mapping[str, float], bound: float) -> float:
    """The share of observations of a Prometheus histogram up to ``bound``, which is one of its own bounds."""
    total = cumulated.get("+Inf", 0.0)
    below = [count for le, count in cumulated.items() if le != "+Inf" and math.isclose(float(le), bound)]
    return below[0] / total if total and below else math.nan


def bucket_quantile(cumulated: Mapping[str, float], share: float) -> float:
    """As ``histogram_quantile`` of Prometheus: linear within the bucket."""
    total = cumulated.get("+Inf", 0.0)
    if not total:
        return math.nan
    lower, below = 0.0, 0.0
    for le, count in sorted((float(le), count) for le, count in cumulated.items()):
        if count >= share * total:
            if math.isinf(le):
                return lower
            return lower + (le - lower) * (share * total - below) / (count - below)
        lower, below = le, count
    return lower


def is_unavailable(kind: str) -> bool:
    """Whether an error is a 503: by its status, or by its reason on a socket."""
    return kind.startswith("503") or kind.endswith(".unavailable")


def _busy(moments: Sequence[Moment], window: Window) -> list[Moment]:
    return [moment for moment in moments if moment.users and window.holds(moment.at)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _checks(samples: Sequence[Sample]) -> Iterator[tuple[float, float]]:
    for before, after in pairwise(sample for sample in samples if "checks" in sample):
        p99 = bucket_quantile(_difference(before["checks"], after["checks"]), 0.99)
        if after["at"] - before["at"] > 0.5 and not math.isnan(p99):
            yield after["at"], p99


def _times(name: str, buckets: Buckets) -> Times:
    return Times(name, sum(buckets.values()), *(quantile(buckets, share) for share in (0.5, 0.95, 0.99, 0.999)))


def _judged(cell: Mapping[str, Any]) -> list[str]:
    """The names of requests that carry messages: reading and connecting have no verdict."""
    return [name for name, verdicts in cell["verdicts"].items() if set(verdicts) != {"read"}]


def _messages(cell: Mapping[str, Any]) -> dict[str, int]:
    whole: dict[str, int] = {}
    for name in _judged(cell):
        for verdict, count in cell["verdicts"][name].items():
            whole[verdict] = whole.get(verdict, 0) + count
    return whole


def _delivered(cell: Mapping[str, Any]) -> Buckets:
    names = _judged(cell)
    return joined(buckets_in(told) for name, told in cell["took"].items() if name in names and REFUSED not in name)


def _straight(direct: Run | None, window: Window, gateway: Run) -> Buckets:
    """What the platform alone delivered in the same part of its run: the same people were there then."""
    if direct is None:
        return {}
    later = direct.seconds[0]["at"] - gateway.seconds[0]["at"]
    same = Window(window.begin + later, window.end + later)
    return _delivered(added(second for second in direct.seconds if same.holds(second["at"])))


def _ends(samples: Sequence[Sample], window: Window) -> tuple[Sample, Sample]:
    """The first and the last sample within the window, a second wide at least."""
    inside = [sample for sample in samples if window.begin - 0.5 <= sample["at"] <= window.end + 0.5]
    return (inside[0], inside[-1]) if len(inside) > 1 else ({}, {})


def _difference(begin: Mapping[str, float], end: Mapping[str, float]) -> dict[str, float]:
    return {le: count - begin.get(le, 0.0) for le, count in end.items()}
