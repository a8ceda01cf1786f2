"""What is said to be certain holds for every moment at which the gateway may have judged."""

from hypothesis import given
from hypothesis import strategies as st

from filters.model.limits import conform
from loadtest.crowd.people import (
    REPEAT_PERIOD,
    REPEAT_QUOTA,
    SENDER_PACE,
    Allowance,
    People,
    Person,
    Repeats,
    Span,
    share_of,
)

# Each message: a pause before it is sent, how long its answer takes, and where within that it was judged.
history = st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.0, 1.5), st.floats(0.0, 1.0)), min_size=1, max_size=40)


@given(history)
def test_a_certain_limit_is_what_the_gateway_says(messages: list[tuple[float, float, float]]) -> None:
    allowance, arrival, now = Allowance(SENDER_PACE), 0, 100.0
    for pause, took, where in messages:
        sent = now + pause
        now = sent + took
        judged = int((sent + took * where) * 1e6)
        span = Span.of(sent, now)
        wait, following = conform(arrival, judged, SENDER_PACE)
        said = allowance.used_up(span)
        assert said in (("yes", "maybe") if wait else ("no", "maybe"))
        if not wait:
            arrival = following
            allowance.charge(span)


@given(st.lists(st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 1.5), st.floats(0.0, 1.0)), min_size=1, max_size=40))
def test_a_certain_repeat_is_what_the_gateway_says(messages: list[tuple[float, float, float]]) -> None:
    repeats, seen, ends, now = Repeats(), 0, 0.0, 100.0
    for pause, took, where in messages:
        sent = now + pause
        now = sent + took
        judged = sent + took * where
        if judged >= ends:
            seen, ends = 0, judged + REPEAT_PERIOD
        seen += 1
        span = Span.of(sent, now)
        assert repeats.too_many(span) in (("yes", "maybe") if seen > REPEAT_QUOTA else ("no", "maybe"))
        repeats.seen(span)


def test_quick_answers_leave_no_doubt() -> None:
    allowance = Allowance(SENDER_PACE)
    said = []
    for number in range(7):
        span = Span.of(100.0 + number * 0.1, 100.001 + number * 0.1)
        said.append(allowance.used_up(span))
        if said[-1] == "no":
            allowance.charge(span)
    assert said == ["no"] * 5 + ["yes"] * 2


def test_what_an_earlier_test_left_behind_is_a_doubt() -> None:
    person = Person("u1", left_behind=int(160e6))
    now = Span.of(100.0, 100.01)
    assert person.allowance("r").used_up(now) == "maybe"
    assert person.repeats("r", b"m").too_many(now) == "maybe"
    later = Span.of(200.0, 200.01)
    assert person.allowance("r").used_up(later) == "no"
    assert person.repeats("r", b"m").too_many(later) == "no"


def test_what_a_limit_refused_is_not_counted_and_a_lost_answer_is_a_doubt() -> None:
    person = Person("u1")
    for number in range(5):
        person.settle("r", b"m", Span.of(100.0 + number / 100, 100.0 + number / 100), "limit.sender")
    span = Span.of(100.1, 100.1)
    assert person.allowance("r").used_up(span) == "no"
    assert person.repeats("r", b"m").too_many(span) == "no"
    for _ in range(5):
        person.settle("r", b"m", span, None)
    assert person.allowance("r").used_up(span) == "maybe"
    assert person.repeats("r", b"m").too_many(span) == "maybe"


def test_routes_and_texts_count_apart() -> None:
    person, span = Person("u1"), Span.of(100.0, 100.0)
    for _ in range(5):
        person.settle("one", b"a", span, "")
    assert person.allowance("one").used_up(span) == "yes"
    assert person.allowance("two").used_up(span) == "no"
    assert person.repeats("one", b"a").too_many(span) == "yes"
    assert person.repeats("one", b"b").too_many(span) == "no"


def test_nobody_is_lent_twice_and_the_longest_rested_goes_first() -> None:
    people = People([Person("a"), Person("b")])
    first, second = people.lend(), people.lend()
    assert first is not None
    assert second is not None
    assert people.lend() is None
    people.back(second)
    people.back(first)
    assert people.lend() is second


def test_load_processes_share_senders_without_overlap() -> None:
    names = [f"u{number}" for number in range(1, 12)]
    shares = [share_of(names, process, 3) for process in range(3)]
    assert sorted(name for share in shares for name in share) == sorted(names)
