"""What a running node shows of itself: whether what the configuration promises also happens.

Read from its metrics and its journal; nobody's name and no text is in it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from filters.checks import CHECKS
from gateway.journal.read import lookup
from gateway.journal.write.segments import header
from gateway.obligations.fulfilment import Fulfilment
from gateway.obligations.regulations.sentence import Sentence

SEGMENTS: Final = 8
"""The newest of a journal in which the last refusal and the last pruning are looked for."""
CHECK_OF: Final = {reason: name for name, check in reversed(CHECKS.items()) for reason in check.reasons}
CONTAINED: Final = "contained"
STOOD_IN: Final = frozenset(("local", "snapshot", "recent"))
"""What the degraded counter tells of facts that something else told in state's stead: those were decided."""
CHECK_ASKING: Final = {"limits": "limit", "blocks": "block"}
UNITS: Final = ((86_400, "d", "天"), (3_600, "h", "小时"), (60, "min", "分钟"), (1, "s", "秒"))


class NodeEvidence(NamedTuple):
    """``messages``: judged since the node's processes started. By check: ``refused`` and ``undecided`` of them, and
    ``last``, when the last refusal was. ``words`` and ``changed``: of each list. ``oldest`` and ``pruned``: of the
    journal, 0 where there is none. ``takedowns`` by what became of them, ``probes`` of pages by result, ``lag``: of the
    static version in seconds, None without one. Times are seconds since the epoch.
    """

    messages: int
    refused: Mapping[str, int]
    undecided: Mapping[str, int]
    last: Mapping[str, float]
    words: Mapping[str, int]
    changed: Mapping[str, float]
    oldest: float
    pruned: float
    takedowns: Mapping[str, int]
    probes: Mapping[str, int]
    lag: float | None

    @property
    def shares(self) -> dict[str, float]:
        """By check, the share of messages that it could not decide."""
        return {name: count / self.messages for name, count in self.undecided.items()} if self.messages else {}

    @property
    def contained(self) -> bool:
        """Whether probes found the static list on pages, and never missed it."""
        return set(self.probes) == {CONTAINED}


def observed(metrics: str, journal: Path, words: Mapping[str, int], lists: Mapping[str, Path]) -> NodeEvidence:
    """From the text of /metrics and the journal's folder. Raises ``OSError``, ``ValueError``."""
    values: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            values.setdefault(sample.name, []).append((sample.labels, sample.value))
    refused: Counter[str] = Counter()
    for labels, value in values.get("tidegate_messages_total", ()):
        if labels["verdict"] == "reject":
            refused[check_of(labels["reason"])] += int(value)
    undecided: Counter[str] = Counter()
    for labels, value in values.get("tidegate_degraded_total", ()):
        asked, _, why = labels["cause"].partition(":")
        if why not in STOOD_IN:
            undecided[CHECK_ASKING.get(asked, asked)] += int(value)
    lag = values.get("tidegate_mirror_lag_seconds")
    last, oldest, pruned = _journal(journal)
    return NodeEvidence(
        messages=int(sum(value for _, value in values.get("tidegate_messages_total", ()))),
        refused=refused,
        undecided=undecided,
        last=last,
        words=words,
        changed={name: path.stat().st_mtime for name, path in lists.items() if path.exists()},
        oldest=oldest,
        pruned=pruned,
        takedowns={labels["state"]: int(value) for labels, value in values.get("tidegate_takedowns", ())},
        probes=_sums(values.get("tidegate_mirror_probes_total", ()), "result"),
        lag=lag[0][1] if lag else None,
    )


def check_of(reason: str) -> str:
    """The check that a reason code is of: ``keyword.match`` is one of the keywords check."""
    return CHECK_OF.get(reason, reason.partition(".")[0])


def _sums(samples: Iterable[tuple[Mapping[str, str], float]], label: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for labels, value in samples:
        sums[labels[label]] += int(value)
    return dict(sums)


def _journal(root: Path) -> tuple[dict[str, float], float, float]:
    """When each check refused last, the oldest record's time, and when records were pruned last."""
    last: dict[str, float] = {}
    pruned = 0.0
    segments = list(lookup.newest(root, 0)) if root.is_dir() else []
    for path in segments[:SEGMENTS]:
        for record in lookup.matches(path, b'"verdict":"reject"'):
            for finding in record.get("findings", ())[:1]:
                name = str(finding.get("check", ""))
                last[name] = max(last.get(name, 0.0), record["time"] / 1e6)
        for record in lookup.matches(path, b'"kind":"pruned"'):
            pruned = max(pruned, record["time"] / 1e6)
    begun = header(segments[-1]) if segments else None
    return last, begun["time"] / 1e6 if begun is not None else 0.0, pruned


def shown(
    answer: Fulfilment, evidence: NodeEvidence, lists: tuple[str, ...] = (), now: float = 0.0
) -> Iterator[Sentence]:
    """What the node shows of one means. ``lists``: those that its rules name."""
    now = now or time.time()
    kind, _, check = answer.means.partition(":")
    if kind == "blacklist":
        kind, check = "check", "block"
    if kind == "check":
        yield from _of_check(check, evidence, now)
        for name in lists:
            if name in evidence.words:
                changed = ago(now - evidence.changed[name]) if name in evidence.changed else None
                size = f"{evidence.words[name]:,}"
                yield (
                    Sentence(
                        f"list {name}: {size} words, changed {changed.en}", f"词库 {name}：{size} 条，{changed.zh}更新"
                    )
                    if changed is not None
                    else Sentence(f"list {name}: {size} words", f"词库 {name}：{size} 条")
                )
    elif kind in ("retention", "records", "content"):
        yield from _of_records(evidence, now)
    elif kind == "takedown":
        told = ", ".join(f"{state} {count}" for state, count in sorted(evidence.takedowns.items()) if count)
        yield Sentence(f"takedowns: {told or 'none yet'}", f"下架：{told or '尚无'}")
    elif kind == "mirror":
        if evidence.lag is not None:
            yield Sentence(f"{evidence.lag:.1f} s behind", f"滞后 {evidence.lag:.1f} 秒")
        told = ", ".join(f"{result} {count}" for result, count in sorted(evidence.probes.items()))
        yield Sentence(f"probes of pages: {told or 'none yet'}", f"页面探测：{told or '尚无'}")


def _of_check(check: str, evidence: NodeEvidence, now: float) -> Iterator[Sentence]:
    count = evidence.refused.get(check, 0)
    if check in evidence.last:
        when = ago(now - evidence.last[check])
        yield Sentence(
            f"last refusal {when.en}, {count:,} since the start", f"最近一次拒绝在{when.zh}，启动以来 {count:,} 次"
        )
    else:
        yield Sentence(
            f"no refusal found in the newest records, {count:,} since the start",
            f"近期记录中无拒绝，启动以来 {count:,} 次",
        )
    undecided = evidence.undecided.get(check, 0)
    if undecided and evidence.messages:
        share = f"{100 * undecided / evidence.messages:.2g} %"
        yield Sentence(f"could not decide in {share} of messages", f"{share} 的消息未能判定")


def _of_records(evidence: NodeEvidence, now: float) -> Iterator[Sentence]:
    if not evidence.oldest:
        yield Sentence("no record yet", "尚无记录")
        return
    oldest = ago(now - evidence.oldest)
    yield Sentence(f"oldest segment begun {oldest.en}", f"最早的记录段始于{oldest.zh}")
    if evidence.pruned:
        pruned = ago(now - evidence.pruned)
        yield Sentence(f"last pruned {pruned.en}", f"最近一次清理在{pruned.zh}")
    else:
        yield Sentence("nothing pruned in the newest segments", "近期记录段中没有清理")


def ago(seconds: float) -> Sentence:
    """``3 d ago``, in the largest unit that fits."""
    size, en, zh = next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])
    return Sentence(f"{max(0, seconds) / size:.0f} {en} ago", f"{max(0, seconds) / size:.0f} {zh}前")
