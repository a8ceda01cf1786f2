"""Guesses become slow: of a name, from an address, of all names from one address."""

from __future__ import annotations

import pytest

from gateway.control.console.sessions import login_pace
from gateway.control.console.sessions.login_pace import LoginPace, PaceSettings


class Guesses:
    def __init__(self, settings: PaceSettings) -> None:
        self.at = 1000.0
        self.pace = LoginPace(lambda: settings, lambda: self.at)

    def wrong(self, name: str, address: str) -> float:
        """Guess as soon as it is possible; how long one waits for that."""
        waited = 0.0
        while (wait := self.pace.take(name, address)) > 0:
            self.at += wait
            waited += wait
        return waited


def test_each_wrong_one_doubles_the_wait() -> None:
    guesses = Guesses(PaceSettings(5, 60.0))
    waits = [round(guesses.wrong("li", "a")) for _ in range(14)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_it_begins_anew_when_nobody_tries_any_more() -> None:
    guesses = Guesses(PaceSettings(2, 60.0))
    for _ in range(6):
        guesses.wrong("li", "a")
    guesses.at += 4 * 60.0
    assert guesses.wrong("li", "a") == 0


def test_the_right_one_forgives() -> None:
    guesses = Guesses(PaceSettings(3, 60.0))
    for _ in range(50):
        assert guesses.wrong("li", "a") == 0
        guesses.pace.right("li", "a")


def test_a_stranger_does_not_lock_a_person_out() -> None:
    guesses = Guesses(PaceSettings(5, 900.0))
    for _ in range(10):
        guesses.wrong("li", "stranger")
    assert guesses.pace.take("li", "home") == 0


@pytest.mark.parametrize(("name", "address", "free"), [("{}", "a", 20), ("li", "{}", 50)])
def test_many_names_from_one_address_and_one_name_from_many(name: str, address: str, free: int) -> None:
    guesses = Guesses(PaceSettings(5, 60.0))
    waits = [guesses.wrong(name.format(at), address.format(at)) for at in range(free + 3)]
    assert waits[:free] == [0] * free
    assert [round(wait) for wait in waits[free:]] == [1, 2, 4]


def test_who_logged_in_from_there_waits_for_nobody_elses_guesses() -> None:
    guesses = Guesses(PaceSettings(5, 60.0))
    assert guesses.pace.take("li", "office") == 0
    guesses.pace.right("li", "office")
    for at in range(60):
        guesses.wrong(f"colleague-{at}", "office")  # of all names, from there
    assert guesses.pace.take("wang", "office") > 0 and guesses.pace.take("li", "office") == 0
    guesses.pace.right("li", "office")
    for at in range(60):
        guesses.wrong("li", f"stranger-{at}")  # of the name, from everywhere
    assert guesses.pace.take("li", "elsewhere") > 0
    assert [guesses.pace.take("li", "office") for _ in range(5)] == [0.0] * 5
    assert guesses.pace.take("li", "office") > 0  # what is guessed of it there counts as before


def test_its_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_pace, "KEYS", 30)
    guesses = Guesses(PaceSettings(5, 60.0))
    for at in range(200):
        guesses.pace.take(f"n{at}", f"a{at}")
        guesses.pace.right(f"n{at}", "a")
    assert len(guesses.pace._tries) <= 30 and len(guesses.pace._at_home) <= 30
