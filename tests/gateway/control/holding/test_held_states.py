"""The table of a held message's states: whole, and never left."""

from __future__ import annotations

import random

from gateway.control.holding import held_states


def test_every_state_is_reached_from_held_and_every_one_that_is_open_ends() -> None:
    reached = {held_states.HELD}
    while more := {after for (state, _), after in held_states.TRANSITIONS.items() if state in reached} - reached:
        reached |= more
    assert reached == set(held_states.STATES)
    ends = set(held_states.ENDED)
    while more := {state for (state, _), after in held_states.TRANSITIONS.items() if after in ends} - ends:
        ends |= more
    assert ends == set(held_states.STATES)


def test_random_events_lead_to_no_undefined_state_and_out_of_none_that_ended() -> None:
    drawn = random.Random(5)
    for _ in range(2000):
        state = held_states.HELD
        for _ in range(12):
            event = drawn.choice(held_states.EVENTS)
            after = held_states.after(state, event)
            assert after is None or (state in held_states.OPEN and after in held_states.STATES)
            state = after or state


def test_what_is_not_in_the_table_does_not_happen() -> None:
    assert held_states.after(held_states.DELIVERED, "release") is None
    assert held_states.after(held_states.HELD, "deliver") is None
    assert held_states.after(held_states.EXPIRED, "approve") is None


def test_the_request_is_kept_only_where_it_can_still_be_needed() -> None:
    assert set(held_states.STATES) - held_states.GONE == {"held", "approved", "releasing", "undeliverable", "unknown"}
