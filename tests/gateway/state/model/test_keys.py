"""Key names: apart from each other, together where they must be."""

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from filters.model.limits import Limit
from filters.model.rule import Repeat
from gateway.state.model.keys import SLOTS, Keys, slot_of, slot_tag

KEYS = Keys()


@given(st.binary(max_size=40))
def test_slots_are_the_cluster_s(key: bytes) -> None:
    assert slot_of(key) == key_slot(key)
    assert slot_of(b"a{" + key + b"}b") == key_slot(b"a{" + key + b"}b")


def test_every_slot_has_an_epoch_key_of_its_own() -> None:
    assert [slot_of(KEYS.epoch_at(slot).encode()) for slot in range(SLOTS)] == list(range(SLOTS))
    assert slot_tag(0) != slot_tag(1)


def test_what_hangs_on_one_sender_shares_a_slot() -> None:
    limit, repeat = Limit("sender", 5, 10), Repeat("sender", 1, 10)
    names = [
        KEYS.account(7, "alice"),
        KEYS.block(7, "sender", "alice"),
        KEYS.limit(limit, "r", False, "alice"),
        KEYS.limit(limit, "r", True, "alice"),
        KEYS.repeat(repeat, "r", False) + "{alice}:00",
        KEYS.repeat(repeat, "r", True) + "{alice}:00",
    ]
    assert len(set(names)) == len(names)
    assert len({slot_of(name.encode()) for name in names}) == 1


def test_limits_that_differ_have_keys_that_differ() -> None:
    limits = [Limit("sender", 5, 10), Limit("sender", 5, 11), Limit("ip", 5, 10), Limit("sender", 5, 10, ((9, 0.5),))]
    names = {KEYS.limit(limit, route, False, "x") for limit in limits for route in ("a", "b")}
    assert len(names) == 7  # an address is counted over all routes
