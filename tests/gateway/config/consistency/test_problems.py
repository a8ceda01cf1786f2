from typing import Any

import pytest

from gateway.config.consistency.problems import ConfigError, ConfigProblem, shown, unknown, written


def test_a_problem_reads_as_one_line() -> None:
    assert str(ConfigProblem("f.toml", "a.b", '"x"', "is wrong")) == 'f.toml: a.b = "x": is wrong'
    assert str(ConfigProblem("f.toml", "", "", "is wrong")) == "f.toml: is wrong"


def test_a_problem_stays_one_line_whatever_it_holds() -> None:
    assert str(ConfigProblem("f", "a\nb", '"\x1b[31m"', "has\r\n")) == 'f: a�b = "�[31m": has��'


def test_the_error_tells_all() -> None:
    error = ConfigError([ConfigProblem("f", "a", "", "one"), ConfigProblem("f", "b", "", "two")])
    assert str(error) == "f: a: one\nf: b: two"
    assert len(error.problems) == 2


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        ("x", ("a",), '"x"'),
        (True, ("a",), "true"),
        (3, ("a",), "3"),
        (None, ("a",), ""),
        ({"b": 1}, ("a",), ""),
        ([1], ("a",), ""),
        ("a\nb\x1b[31m", ("a",), '"a�b�[31m"'),
        ("redis://:pw@host", ("state", "url"), '"redis://***@host"'),
        ("redis://u:p@ss/w@host", ("state", "url"), '"redis://***@host"'),
        ("redis:/:pw@host", ("state", "url"), '"redis:***@host"'),
        ("pw", ("state", "password"), '"***"'),
        ("env:PW", ("state", "password"), '"env:PW"'),
        (7, ("state", "password"), ""),
        ("pw", ("jwt", "keys", 0), '"***"'),
        ("s3cret", ("callbacks", 0, "secret"), '"***"'),
        ("s3cret", ("callbacks", 0, "previous_secrets", 1), '"***"'),
        ("https://robot.example/?key=1", ("callbacks", 0, "url"), '"***"'),
        ("https://robot.example/?key=1", ("desk", "on_call", "url"), '"***"'),
        ("hunter2", ("appeals", "key"), '"***"'),
        ("Bearer x", ("routes", 0, "takedown", "headers", "Authorization"), '"***"'),
    ],
)
def test_values_are_shown_and_secrets_are_not(value: Any, path: Any, text: str) -> None:
    assert shown(value, path) == text


def test_a_long_value_is_cut() -> None:
    assert len(shown("x" * 1000)) == 60


@pytest.mark.parametrize("key", ["pasword", "Password", "passwort", "tokn", "secrets", "kyes", "authorisation"])
def test_a_misspelt_secret_is_a_secret_still(key: str) -> None:
    assert "hunter2" not in unknown("hunter2", key)


def test_other_unknown_values_are_shown() -> None:
    assert unknown("127.0.0.1", "lisen") == '"127.0.0.1"'


def test_paths_name_what_a_reader_looks_for() -> None:
    document = {"routes": [{"name": "live"}, {"name": "a b"}], "policies": {"p": {"rules": [{"check": "limit"}, 3]}}}
    assert written(("routes", 0, "match"), document) == "routes[live].match"
    assert written(("routes", 1, "match"), document) == "routes[2].match"
    assert written(("policies", "p", "rules", 0, "limits", 1), document) == "policies.p.rules[1 limit].limits[2]"
    assert written(("policies", "p", "rules", 1), document) == "policies.p.rules[2]"
    assert written(("lists", "a b", "path"), document) == 'lists."a b".path'
