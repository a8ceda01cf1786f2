"""Repeats by one person, and across people."""

from filters.checks import repeats
from filters.model.rule import Repeat
from filters.model.verdict import Facts, RepeatFact, Scan
from tests.filters.checks.finding import found


def test_repeats_across_people_need_length_and_several_of_them() -> None:
    options = repeats.Options(Repeat("room", 3, 60_000_000, min_length=8, senders=3))
    long, short = Scan(fingerprint=b"12345678", folded_length=12), Scan(fingerprint=b"12345678", folded_length=3)
    many = Facts(repeats=(RepeatFact(9, 5, 1.0),))
    assert found("repeats", options, many, long) == ["repeat.room"]
    assert found("repeats", options, many, short) == [], "666 and 哈哈哈 are no campaign"
    assert found("repeats", options, Facts(repeats=(RepeatFact(9, 2),)), long) == [], "two friends are no campaign"
    assert found("repeats", options, Facts(repeats=(RepeatFact(3, 3),)), long) == []
    assert found("repeats", options, Facts(missing={"repeats": "state.busy"}), long) == "state.busy"
    assert found("repeats", options, Facts(missing={"repeats": "state.busy"}), Scan()) == [], "nothing to repeat"
