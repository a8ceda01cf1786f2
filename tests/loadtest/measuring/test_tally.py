"""Counting: quantiles within their bound, and sums that do not depend on who counted."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.measuring import tally
from loadtest.measuring.probe import Probe, busy_seconds, checks_in, messages_in, stolen_seconds
from loadtest.target.loopback import is_loopback, refused

seconds = st.floats(1e-5, 100.0)


@given(st.lists(seconds, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantiles_are_a_fortieth_off_at_most(observed: list[float], share: float) -> None:
    buckets: dict[int, int] = {}
    for each in observed:
        buckets[tally.bucket_of(each)] = buckets.get(tally.bucket_of(each), 0) + 1
    exact = sorted(observed)[math.ceil(share * len(observed)) - 1]
    assert tally.quantile(buckets, share) == pytest.approx(exact, rel=0.026)


def test_nothing_observed_has_no_quantile() -> None:
    assert math.isnan(tally.quantile({}, 0.5))


def test_processes_add_up_over_json() -> None:
    parts = []
    for process in range(2):
        counted = tally.Tally()
        counted.answered("c", 0.001, "pass")
        counted.answered("c", 0.001, "limit.sender")
        counted.error("503")
        counted.wrong("wrong verdict: x")
        counted.late(0.01 * (process + 1))
        counted.seen(0.002)
        counted.lagged(0.003)
        parts.append(json.loads(json.dumps(counted.drain())))
        assert counted.drain() == tally.added([])
    whole = tally.added(parts)
    assert whole["verdicts"] == {"c": {"pass": 2, "limit.sender": 2}}
    assert whole["errors"] == {"503": 2}
    assert whole["wrong"] == {"wrong verdict: x": 2}
    assert tally.buckets_in(whole["took"]["c"]) == {tally.bucket_of(0.001): 2}
    assert tally.buckets_in(whole["took"]["c refused"]) == {tally.bucket_of(0.001): 2}
    assert sum(whole["late"].values()) == sum(whole["seen"].values()) == sum(whole["lag"].values()) == 2
    assert parts[0]["errors"] == {"503": 1}  # adding changes nobody's counts


@pytest.mark.parametrize(
    ("state", "there"), [("ready", 0), ("spawning", 9), ("running", 9), ("stopping", 0), ("stopped", 0), ("cleanup", 0)]
)
def test_who_was_told_to_stop_makes_no_load(state: str, there: int) -> None:
    """Else a master's last second would be one in which nobody answered a hundred users."""
    assert tally.at_work(9, state) == there


METRICS = """# HELP tidegate_messages_total Judged messages.
tidegate_messages_total{route="c",verdict="pass",reason=""} 10.0
tidegate_messages_total{route="c",verdict="reject",reason="limit.sender"} 2.0
tidegate_check_seconds_bucket{le="0.001"} 11.0
tidegate_check_seconds_bucket{le="+Inf"} 12.0
tidegate_check_seconds_sum 0.01
tidegate_outbox_waiting 0
"""


def test_metrics_are_read() -> None:
    assert messages_in(METRICS) == 12
    assert checks_in(METRICS) == {"0.001": 11.0, "+Inf": 12.0}


def test_processors_that_idle_are_not_busy() -> None:
    stat = "cpu  100 10 20 9999 5 1 2 3 0 0\ncpu0 50 5 10 1 1 1 1 1 0 0\ncpu1 50 5 10 1 1 1 1 1 0 0\nintr 7\n"
    busy, processors = busy_seconds(stat)
    assert (busy, processors) == (1.36, 2)
    assert busy_seconds(Path("/proc/stat").read_text(encoding="ascii"))[0] > 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://127.9.9.9", "http://localhost:1", "http://[::1]:80"])
def test_this_machine_may_be_loaded(url: str) -> None:
    assert is_loopback(url)
    assert refused(url, allowed=False) == ""


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1", "https://platform.example", "http://127.0.0.1.example", "http://127.0.0.1@10.0.0.1/", "",
            "nonsense"],
)  # fmt: skip
def test_others_only_by_their_owner(url: str) -> None:
    assert not is_loopback(url)
    assert "--i-own-this-host" in refused(url, allowed=False)
    assert refused(url, allowed=True) == ""


def test_what_a_process_spent_stays_spent_when_it_ends() -> None:
    """Load workers end one after the other; their time would be taken back from what a message costs."""
    busy = (
        "import time\nuntil = time.process_time() + 0.2\nwhile time.process_time() < until: pass\n"
        "print(1, flush=True)\ninput()"
    )
    argv = [sys.executable, "-c", busy]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        alive = [os.getpid(), running.pid]
        probe = Probe(lambda: {"load": alive}, None)
        before = probe._sample()
        running.communicate(b"\n")
        told = probe._sample()  # still named, and gone
        assert told["cpu"]["load"] >= before["cpu"]["load"] >= 0.2
        alive.pop()
        after = probe._sample()  # named no more
        assert after["cpu"]["load"] >= told["cpu"]["load"]
        assert (before["processes"]["load"], after["processes"]["load"]) == (2, 1)
        assert after["waited"]["load"] >= before["waited"]["load"] >= 0
        assert "stolen" in after


def test_a_group_without_a_process_is_left_out() -> None:
    assert "gateway" not in Probe(lambda: {"gateway": []}, None)._sample()["cpu"]


def test_stolen_seconds_are_the_eighth_of_all_processors() -> None:
    stat = "cpu  100 10 20 9999 5 1 2 300 0 0\ncpu0 50 5 10 1 1 1 1 1 0 0\n"
    assert stolen_seconds(stat) == 300 / os.sysconf("SC_CLK_TCK")
