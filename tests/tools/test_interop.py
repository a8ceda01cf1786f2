"""Suites of others, compared: what is told as a difference, and that the gate stands before each server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.gateway.http.calls import OK
from tools.interop.__main__ import HERE, compare, front, outcomes
from tools.interop.suites import SUITES

REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one"/>
<testcase classname="tests.test_a" name="test_two"><failure>why</failure></testcase>
<testcase classname="tests.test_a" name="test_three"><skipped/></testcase>
<testcase classname="tests.test_b.TestB" name="test_four"><error/></testcase>
</testsuite></testsuites>"""


def test_what_became_of_each_test(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    assert outcomes(tmp_path / "report.xml") == {
        "tests.test_a::test_one": "passed",
        "tests.test_a::test_two": "failed",
        "tests.test_a::test_three": "skipped",
        "tests.test_b.TestB::test_four": "failed",
    }


@pytest.mark.parametrize(
    ("through", "rows", "well", "told"),
    [
        ({"a": "passed", "b": "failed"}, [], True, "through: 1 of 2 passed"),
        ({"a": "failed", "b": "failed"}, [], False, "DIFFERS: a"),
        ({"b": "failed"}, [], False, "DIFFERS: a"),
        ({"a": "skipped", "b": "failed"}, [{"test": "[a]", "why": "because"}], True, "may differ: a"),
        ({"a": "passed", "b": "passed"}, [{"test": "a*", "why": "because"}], True, "not needed any more: a*"),
    ],
)
def test_only_what_is_named_may_differ(
    capsys: pytest.CaptureFixture[str], through: dict[str, str], rows: list[dict[str, str]], well: bool, told: str
) -> None:
    direct = {"a": "passed", "b": "failed"}
    assert compare(SUITES["requests"], direct, through, rows) is well
    assert told in capsys.readouterr().out


def test_every_row_says_why() -> None:
    import tomllib

    rows = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
    assert rows.keys() <= SUITES.keys()
    assert all(row.keys() == {"test", "why"} and row["why"] for named in rows.values() for row in named)


async def test_the_gate_stands_before_the_server() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with front() as port:
        orders, order = await asyncio.open_connection("127.0.0.1", int(port))
        order.write(b"%d\n" % server.sockets[0].getsockname()[1])
        fronted = int(await orders.readline())
        reader, writer = await asyncio.open_connection("127.0.0.1", fronted)
        writer.write(b"GET /%7e HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await reader.readexactly(len(OK))).endswith(b"ok")
        writer.close()
        order.close()
    server.close()
    assert seen[0].startswith(b"GET /%7e HTTP/1.1\r\n")
    assert b"\r\nVia: 1.1 tidegate\r\n" in seen[0]
