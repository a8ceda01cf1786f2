"""What rounds of one node and of two come to."""

from __future__ import annotations

from typing import Any

from benchmarks.studies.several import summed


def a_round(nodes: int, messages: int, state_us: float) -> dict[str, Any]:
    return {"nodes": nodes, "messages_a_second": messages, "cpu_us_a_message": {"state": state_us, "workers": 70.0}}


def test_the_ceiling_is_what_one_thread_answers_whoever_asks() -> None:
    rounds = [a_round(1, 900, 20.0), a_round(2, 1500, 25.0), a_round(1, 1100, 40.0), a_round(2, 1700, 25.0)]
    assert summed(rounds, 1) == {
        "nodes": 1,
        "messages_a_second": {"median": 1000, "lowest": 900, "highest": 1100},
        "ceiling": {"median": 37500, "lowest": 25000, "highest": 50000},
    }
    assert summed(rounds, 2)["ceiling"] == {"median": 40000, "lowest": 40000, "highest": 40000}
