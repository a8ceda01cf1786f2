"""What a trace has written down becomes spans, once; and there is an end to what is held."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gateway.tracing import trace as tracing
from gateway.tracing.trace import Finished, Trace


def made(**more: Any) -> Trace:
    trace = Trace("server", "ab" * 16, "00000000000000f1", "00000000000000a8", "", 10.0)
    trace.name = "POST /a"
    trace.ended = 11.0
    for name, value in more.items():
        setattr(trace, name, value)
    return trace


def spans(trace: Trace) -> dict[str, dict[str, Any]]:
    return {span["name"]: span for span in trace.spans(1)}


def test_what_was_never_come_to_has_no_span() -> None:
    assert list(spans(made())) == ["POST /a"]
    assert list(spans(made(check_began=10.1, check_ended=10.2))) == ["POST /a", "check"]
    assert list(spans(made(check_began=10.1, check_ended=10.2, asked_at=10.15))) == ["POST /a", "check"]
    assert list(spans(made(forwarded_at=10.3))) == ["POST /a", "upstream"]


def test_each_is_the_child_of_what_it_is_part_of() -> None:
    told = spans(
        made(
            parent="00000000000000b7", check_began=10.1, check_ended=10.4, asked_at=10.2, facts_at=10.3,
            forwarded_at=10.5, upstream_ended=11.5, upstream_status=404, offset=1_000,
        )
    )  # fmt: skip
    assert len({span["span"] for span in told.values()}) == 4
    first = told["POST /a"]
    assert first["parent"] == "00000000000000b7"
    assert told["check"]["parent"] == told["upstream"]["parent"] == first["span"]
    assert told["state"]["parent"] == told["check"]["span"]
    assert (told["state"]["start"], told["state"]["end"]) == (10_200_001_000, 10_300_001_000)
    assert first["end"] == told["upstream"]["end"] == 11_500_001_000  # over with what became of the message
    assert told["upstream"]["error"] == "404"


def test_facts_that_were_there_at_once_were_not_asked_for() -> None:
    trace = made(facts_at=10.2)
    trace.reading()
    assert trace.asked_at == 0.0
    trace = made()
    trace.reading()
    assert trace.asked_at > 0


def test_a_verdict_says_how_it_was_decided() -> None:
    leading = SimpleNamespace(finding=SimpleNamespace(reason="keyword.match"))
    trace = made()
    trace.judged(10.1, SimpleNamespace(disposition="reject", leading=leading, degraded=("state", "x")))  # type: ignore[arg-type]
    assert spans(trace)["check"]["attributes"] == {
        "tidegate.disposition": "reject", "tidegate.reason": "keyword.match", "tidegate.degraded": "state,x"
    }  # fmt: skip


def test_ids_are_never_all_zeroes() -> None:
    assert tracing._inner("f" * 16, 1) == "000000000000ffff"
    assert tracing._inner("0" * 15 + "1", 1) == "0" * 15 + "2"


def test_more_than_there_is_room_for_is_counted() -> None:
    finished = Finished(most=3)
    for _ in range(5):
        finished.add(made())
    assert finished.lost == 2
    assert len(finished.take(2)) == 2
    assert len(finished.take(256)) == 1
    assert finished.take(256) == []
    finished.add(made())
    assert len(finished.take(1)) == 1
