"""Opens on enough misses in a window, pauses longer each time, closes on an answer."""

from gateway.state.hot.breaker import Breaker


def test_opens_within_the_window_only() -> None:
    breaker = Breaker(3, 1.0, 0.5, 4.0)
    assert [breaker.missed(now) for now in (0.0, 0.5, 1.6, 1.7, 2.5)] == [False, False, False, False, True]
    assert breaker.open
    assert not breaker.missed(2.6)  # it is open already


def test_pauses_grow_and_end() -> None:
    breaker = Breaker(1, 1.0, 0.5, 4.0)
    assert breaker.missed(0.0)
    pauses = []
    for _ in range(5):
        pauses.append(breaker.pause)
        breaker.probe_failed()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 4.0]
    breaker.close()
    assert not breaker.open
    assert breaker.missed(9.0)
    assert breaker.pause == 0.5
