"""What a node shows of itself, from its metrics and its journal."""

from pathlib import Path

import pytest

from filters.checks import CHECKS
from gateway.obligations.fulfilment import Fulfilment
from gateway.obligations.node_evidence import NodeEvidence, ago, check_of, observed, shown
from gateway.obligations.regulations.sentence import Sentence

METRICS = """\
# TYPE tidegate_messages_total counter
tidegate_messages_total{route="r",verdict="pass",reason=""} 90.0
tidegate_messages_total{route="r",verdict="reject",reason="keyword.match"} 7.0
tidegate_messages_total{route="r",verdict="mask",reason="keyword.match"} 2.0
tidegate_messages_total{route="r",verdict="reject",reason="repeat.sender"} 1.0
# TYPE tidegate_degraded_total counter
tidegate_degraded_total{cause="identity:state.deadline"} 2.0
tidegate_degraded_total{cause="limits:local"} 90.0
tidegate_degraded_total{cause="room:snapshot"} 90.0
tidegate_degraded_total{cause="limits:state.epoch"} 4.0
# TYPE tidegate_takedowns gauge
tidegate_takedowns{state="confirmed"} 3.0
tidegate_takedowns{state="unconfirmed"} 0.0
# TYPE tidegate_mirror_probes_total counter
tidegate_mirror_probes_total{route="a",result="contained"} 4.0
tidegate_mirror_probes_total{route="b",result="contained"} 1.0
# TYPE tidegate_mirror_lag_seconds gauge
tidegate_mirror_lag_seconds 0.25
"""
DAY = 86_400.0


def told(evidence: NodeEvidence, means: str, *lists: str, now: float = 10 * DAY) -> list[str]:
    answer = Fulfilment(means, "kept", Sentence("", ""))
    found = list(shown(answer, evidence, lists, now))
    assert all(sentence.zh for sentence in found)
    return [sentence.en for sentence in found]


@pytest.fixture
def evidence(tmp_path: Path) -> NodeEvidence:
    listed = tmp_path / "w.txt"
    listed.write_text("word\n", encoding="utf-8")
    found = observed(METRICS, tmp_path / "journal", {"w": 1200}, {"w": listed, "gone": tmp_path / "gone"})
    return found._replace(last={"keywords": 10 * DAY - 180}, oldest=2 * DAY, pruned=9 * DAY, changed={"w": 7 * DAY})


def test_refusals_and_what_could_not_be_decided(evidence: NodeEvidence) -> None:
    assert evidence.messages == 100
    assert told(evidence, "check:keywords", "w", "gone") == [
        "last refusal 3 min ago, 7 since the start", "list w: 1,200 words, changed 3 d ago",
    ]  # fmt: skip
    assert told(evidence, "check:repeats") == ["no refusal found in the newest records, 1 since the start"]
    assert told(evidence, "check:identity")[1:] == ["could not decide in 2 % of messages"]
    # What something else told in state's stead was decided.
    assert evidence.shares == {"identity": 0.02, "limit": 0.04}
    assert told(evidence, "blacklist") == ["no refusal found in the newest records, 0 since the start"]


def test_records_takedowns_and_the_static_version(evidence: NodeEvidence) -> None:
    assert told(evidence, "retention") == ["oldest segment begun 8 d ago", "last pruned 1 d ago"]
    assert told(evidence._replace(pruned=0), "records")[1] == "nothing pruned in the newest segments"
    assert told(evidence._replace(oldest=0), "records") == ["no record yet"]
    assert told(evidence, "takedown") == ["takedowns: confirmed 3"]
    assert told(evidence._replace(takedowns={}), "takedown") == ["takedowns: none yet"]
    assert told(evidence, "mirror") == ["0.2 s behind", "probes of pages: contained 5"]
    assert told(evidence._replace(lag=None, probes={}), "mirror") == ["probes of pages: none yet"]
    assert told(evidence, "emergency") == []
    assert evidence.contained
    assert not evidence._replace(probes={"contained": 1, "absent": 1}).contained
    assert not evidence._replace(probes={}).contained


def test_a_node_that_has_seen_nothing(tmp_path: Path) -> None:
    nothing = observed("", tmp_path, {}, {})
    assert (nothing.messages, nothing.oldest, nothing.lag) == (0, 0.0, None)
    assert nothing.shares == {}


def test_every_reason_is_of_its_check() -> None:
    for name, check in CHECKS.items():
        assert {check_of(reason) for reason in check.reasons} == {name}
    assert check_of("identity.unavailable") == "identity"  # of no check's table: it could not decide


@pytest.mark.parametrize(
    ("seconds", "en"), [(-5, "0 s ago"), (0, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7200, "2 h ago")]
)
def test_how_long_ago(seconds: float, en: str) -> None:
    assert ago(seconds).en == en
