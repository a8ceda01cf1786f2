"""RFC 9562 (UUIDv7), order, and reading back."""

from __future__ import annotations

import itertools
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.sections.server import Server
from gateway.journal.write.ids import CONTROL, IMPORTER, PROJECTOR, WORKERS, Ids, parse


def test_is_a_uuid7_of_the_time_node_and_worker() -> None:
    made = Ids(16_383, 255, clock=lambda: 1_700_000_000_123_456_789)()
    read = uuid.UUID(made)
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert str(read) == made
    assert parse(made) == (1_700_000_000_123, 0, 16_383, 255)


@given(st.lists(st.integers(0, 2**41 * 1_000_000), min_size=1, max_size=300), st.integers(0, 16_383))
def test_monotonic_through_any_clock(times: list[int], node: int) -> None:
    clock = itertools.cycle(times)
    ids = Ids(node, 7, clock=lambda: next(clock))
    made = [ids() for _ in range(2 * len(times))]
    assert made == sorted(set(made))
    assert {parse(one).node for one in made} == {node}


def test_a_full_counter_moves_to_the_next_millisecond() -> None:
    ids = Ids(1, 1, clock=lambda: 5_000_000_000)
    made = [ids() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert parse(made[-1]).time_ms == 5_000 + 10_000 // 4096
    assert parse(made[4095]) == (5_000, 4095, 1, 1)


def test_two_generators_of_one_worker_differ() -> None:
    ids = Ids(1, 1, clock=lambda: 5_000_000_000)
    assert ids() != ids.sibling()()


def test_not_before_keeps_the_order_after_a_restart_with_the_clock_set_back() -> None:
    before = Ids(1, 1, clock=lambda: 9_000_000_000)()
    ids = Ids(1, 1, clock=lambda: 5_000_000_000)
    ids.not_before(parse(before).time_ms)
    assert ids() > before
    ids.not_before(1)
    assert ids() > before


@pytest.mark.parametrize(("node", "worker"), [(16_384, 0), (-1, 0), (0, 256), (0, -1)])
def test_numbers_that_do_not_fit_are_refused(node: int, worker: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        Ids(node, worker)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 36,
        "01a20094-b11c-4000-8001-00298909bd66",
        "01a20094-b11c-7000-c001-00298909bd66",
        "01A20094-b11c-7000-8001-00298909bd66",
        "01a20094b11c-7000-8001-00298909bd6655",
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an id is"):
        parse(text)


def test_no_worker_can_have_the_number_of_another_writer() -> None:
    (most,) = (bound.le for bound in Server.model_fields["workers"].metadata if hasattr(bound, "le"))
    assert most == PROJECTOR < CONTROL == IMPORTER == WORKERS - 1
