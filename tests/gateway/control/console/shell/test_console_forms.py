"""Forms: bounded, and told from those of strangers."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.control.console.shell.console_forms import Fields, foreign


def test_fields() -> None:
    fields = Fields([("a", " x "), ("a", "y"), ("n", "12"), ("w", "１２"), ("p", " secret ")])
    assert (fields("a"), fields.all("a"), fields("none")) == ("x", ["x", "y"], "")
    assert (fields.number("n"), fields.number("a"), fields.number("w"), fields.number("none")) == (12, None, None, None)
    assert fields.raw("p") == " secret "


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, False),  # no browser: there is no cookie that it would add by itself
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://desk.example"}, False),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "http://desk.example"}, False),
        ({"Origin": "https://desk.example:8443"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": ""}, True),
        ({"Origin": "http://[::1"}, True),
    ],
)
def test_strangers(headers: dict[str, str], told: bool) -> None:
    request = make_mocked_request("POST", "/console/own", headers={"Host": "desk.example", **headers})
    assert foreign(request) is told
