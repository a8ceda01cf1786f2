"""Two on one address, and an upstream that is the gateway itself."""

from typing import Any

import pytest

from gateway.config.consistency.addresses import problems


def told(server: Any = None, control: dict[str, Any] | None = None, *servers: Any) -> list[tuple[str, str]]:
    document = {
        "server": {} if server is None else {"listen": server},
        "control": control or {},
        "upstreams": {"u": {"servers": list(servers)}},
    }
    return [(".".join(map(str, path)), message.partition(":")[0]) for path, message in problems(document)]


def test_what_is_free_is_well() -> None:
    assert told() == []
    assert told(["127.0.0.1:1", "127.0.0.2:1", "unix:/a"], {"listen": "127.0.0.1:2", "probes": "0.0.0.0:3"}) == []
    assert told("127.0.0.1:0", {"listen": "127.0.0.1:0"}) == []  # any port that is free
    assert told(8080, {"listen": [1], "probes": "x"}) == []  # the models tell that


@pytest.mark.parametrize(
    ("server", "control", "key", "by"),
    [
        ("127.0.0.1:1", {"listen": "127.0.0.1:1"}, "control.listen", "server.listen"),
        ("0.0.0.0:1", {"listen": "127.0.0.1:1"}, "control.listen", "server.listen"),
        ("127.0.0.1:1", {"listen": "[::]:1"}, "control.listen", "server.listen"),
        ("127.0.0.1:8081", {}, "control.listen", "server.listen"),  # control's default
        (["unix:/a", "127.0.0.1:1"], {"probes": "127.0.0.1:1"}, "control.probes", "server.listen"),
        (["unix:/a", "unix:/a"], {}, "server.listen.1", "server.listen"),
    ],
)
def test_the_later_of_two_is_told(server: Any, control: dict[str, Any], key: str, by: str) -> None:
    assert told(server, control) == [(key, f"is taken by {by} already")]


@pytest.mark.parametrize(
    ("listen", "server", "comes_back"),
    [
        ("127.0.0.1:1", "http://127.0.0.1:1", True),
        ("0.0.0.0:1", "http://localhost:1", True),
        ("[::]:1", {"url": "http://[::1]:1"}, True),
        ("10.0.0.1:80", "http://10.0.0.1", True),
        ("unix:/gate", "unix:/gate", True),
        ("127.0.0.1:1", "http://127.0.0.1:2", False),
        ("127.0.0.1:1", "http://10.0.0.9:1", False),
        ("0.0.0.0:1", "http://10.0.0.9:1", False),  # perhaps another machine
        ("127.0.0.1:1", "nonsense", False),
        ("127.0.0.1:1", "http://a:b", False),
    ],
)
def test_an_upstream_that_is_the_gateway_itself(listen: str, server: Any, comes_back: bool) -> None:
    found = told(listen, {}, "http://10.9.9.9:9", server)
    assert found == ([("upstreams.u.servers.1", "is where this gateway listens")] if comes_back else [])
