"""What an operator writes, as servers and credentials."""

from pathlib import Path

import pytest

from gateway.state.cold.topology import BadUrl, parse_url
from gateway.state.model.settings import Address, Tls

TLS = Tls(Path("ca.pem"))


def test_urls() -> None:
    address, credentials = parse_url("redis://us%40er:p%3Aw@db.example:7000/3", TLS)
    assert address == Address(host="db.example", port=7000)
    assert (credentials.username, credentials.password, credentials.database, credentials.tls) == (
        "us@er",
        "p:w",
        3,
        None,
    )
    address, credentials = parse_url("rediss://[::1]", TLS)
    assert address == Address(host="::1", port=6379)
    assert credentials.tls is TLS
    address, credentials = parse_url("unix://u:p@/run/state.sock?db=2", TLS)
    assert address == Address(path="/run/state.sock")
    assert (credentials.username, credentials.password, credentials.database) == ("u", "p", 2)


@pytest.mark.parametrize(
    "url", ["http://u:secret@x", "redis://u:secret@", "unix://", "redis://u:secret@x/y", "redis://u:secret@x:port"]
)
def test_bad_urls_are_not_repeated(url: str) -> None:
    with pytest.raises(BadUrl) as caught:
        parse_url(url, TLS)
    assert "secret" not in str(caught.value)
