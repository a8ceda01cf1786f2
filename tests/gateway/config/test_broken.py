"""Sixty broken configurations: each is told in lines that name file, line and remedy, and nothing else happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.config import app
from tests.gateway.config.conftest import SMALL

SERVER = "[server]\n"
STATE = "[state]\n"
ROUTE = "[[routes]]\n"
KEYS = [
    ("workers = 0", "at least 1"), ("workers = 255", "at most 254"), ('workers = "2"', "without quotes"),
    ("workers = 2.0", "not a whole number"), ("workers = true", "not a whole number"), ("worker = 2", "“workers”"),
    ("wrokers = 2", "“workers”"), ('max_head = "16KB"', "64KiB"), ("max_head = 16384", "64KiB"),
    ('max_head = "1B"', "at least 1KiB"), ('max_head = ""', "64KiB"), ('head_timeout = "10"', "20ms"),
    ('head_timeout = "0s"', "above 0s"), ('shutdown_delay = "2h"', "at most 1h"),
    ("head_timeout = nan", "20ms"),
    ('listen = "8080"', "host:port"), ("listen = []", "name an address"), ("listen = [8080]", "host:port"),
    ('listen = "0.0.0.0:99999"', "host:port"), ('unmatched = "relays"', "“relay”"),
    ('unmatched = "x"', "relay, read, refuse"),
    ('trusted_proxies = ["10.0.0.1/8"]', "prefix at zero"), ('trusted_proxies = "10.0.0.0/8"', "[brackets]"),
    ('request_ids = "yes"', "true nor false"), ("request_ids = 1", "true nor false"), ('via = "a b"', "Via"),
    ("via = 1", "in quotes"), ("ipv6_prefix = 129", "at most 128"), ('data_dir = ""', "path"), ("data_dir = 7", "path"),
    ('unmatched_upstream = "platfrom"', "“platform”"), ('unmatched_hosts = { "A.B" = "platform" }', "small letters"),
    ("node = 16384", "at most 16383"), ('node = "env:NOT_SET_ANYWHERE"', "set it"), ('max_small_chunks = "5"', "5/10s"),
    ("turn_bytes = { a = 1 }", "64KiB"), ("listen = 8080", "host:port"), ("listen = 2026-01-01", "host:port"),
    ('listen = ["127.0.0.1:8080", "127.0.0.1:8080"]', "server.listen already"),
    ('listen = "0.0.0.0:8081"', "server.listen already"), ('listen = "127.0.0.1:9000"', "this gateway listens"),
    ('listen = "[::]:9000"', "this gateway listens"), ("workers = " + "9" * 5000, "too many digits"),
    ('"' + "k" * 5000 + '" = 1', "known are"), ('workers = "env:HOME"', "correct what this name holds"),
    ('tls = { listen = "127.0.0.1:8443" }', "certificates"),
    ('tls = { listen = [], certificates = [] }', "at least 1"), ("tls = true", "table"),
    ('tls = { listen = ":8443", certificates = [{ certificate = "no.pem", key = "no.key" }] }', "No such file"),
    ('tls = { listen = ":8443", certificates = [{ certificate = "spam.txt", key = "spam.txt" }] }', "not a chain"),
    ('tls = { listen = "127.0.0.1:8080", certificates = [{ certificate = "spam.txt" }] }', "key"),
    ('tls = { listen = ":1", certificates = [], min_version = "1.1" }', "1.2, 1.3"),
    ('tls = { listen = ["0.0.0.0:8080"], certificates = [] }', "server.listen already"),
    ('listen = []\ntls = { listen = [":8081"], certificates = [] }', "server.tls.listen already"),
    ('proxy_protocol = { "127.0.0.1:8081" = ["10.0.0.0/8"] }', "no address of listen"),
    ('proxy_protocol = { "127.0.0.1:8080" = "10.0.0.0/8" }', "[brackets]"),
    ('proxy_protocol = { "127.0.0.1:8080" = [] }', "nobody would be let in"),
    ('listen = "unix:/run/t.sock"\nproxy_protocol = { "unix:/run/t.sock" = ["10.0.0.0/8"] }', "give it a port"),
]  # fmt: skip
OTHERS = [
    (f'{STATE}url = "http://x"', "redis://"), (f'{STATE}url = "file:none"', "cannot be read"),
    (f"{STATE}local_share = 2", "at most 1"), (f'{STATE}topology = "cluster"', "name one node"),
    (f'{STATE}breaker = {{ pause = "9s", max_pause = "1s" }}', "raise it"), (f"{STATE}deadline = inf", "20ms"),
    (
        '[journal.replicas.peers]\nb = { url = "http://h:1", node = 2, token = "t" }\n'
        'c = { url = "http://h:2", node = 2, token = "t" }',
        "is that of b as well",
    ),
    ('[journal.replicas.peers.b]\nurl = "unix:/x"\nnode = 2\ntoken = "t"', "is a unix socket"),
    ('[journal]\nkeep_at_least = "30d"', "184d"), ('[journal]\nlow_disk = "1MiB"\nfull_disk = "1GiB"', "raise it"),
    ('[journal]\nfsync = "allways"', "“always”"), ("[jwt]\n", "without keys"), ('[jwt]\nkeys = ["env:NOPE"]', "set it"),
    ('[control]\nlisten = "0.0.0.0"', "host:port"), ('[control]\ncertificate = "none.pem"', "create it"),
    ('[control]\nprobes = "127.0.0.1:8081"', "remove it"), ('[metrics]\nbuckets = ["2ms", "1ms"]', "short to long"),
    ('[logs]\nlevel = "loud"', "debug, info"), ("[journel]\n", "“journal”"), (f'{ROUTE}name = "x"', "match"),
    ('[policies.other]\nrules = []', "appeal"), ('[lists.other]\npath = "none.txt"', "create it"),
    ('[credit]\nrecovery = 101', "at most 100"), ('[control]\nlisten = "127.0.0.1:8080"', "server.listen already"),
    ('[control]\nprobes = "127.0.0.1:8080"', "server.listen already"), ("[[credit]]\n", "in one bracket"),
    ('[control]\ndatabase = "mysql://x/y"', "write a path"), ('[upstreams.b]\nservers = []', "at least 1"),
    ('[upstreams.b]\nservers = ["x"]\nretries = 11', "at most 10"),
]  # fmt: skip
FILES = [
    (b"\xef\xbb\xbf" + SMALL.encode(), "plain UTF-8"), ("x = 1".encode("utf-16"), "plain UTF-8"),
    (b'x = "\xff"', "save it as UTF-8"), (b"", "upstreams"), (b"x =", "text in quotes"),
    (b"a = 1\na = 2", "keep one of them"),
    (b"[a]\n[b]\n[a]\n", "under one heading"), (b"x = [1", "the ]"),
    (b"x = 'a\n", "close its quotes"), (b'x = "a\n"', "close its quotes"), (b"x = 1\ry = 2", "line feeds"),
    (SMALL.replace("[[routes]]", "[routes]").encode(), "in two brackets"),
    (SMALL.replace("[upstreams.platform]", "[[upstreams]]").encode(), "[upstreams.NAME]"),
    (b"a = " + b"[" * 20_000, "too deeply"), (b"\x00", "is not TOML"),
]  # fmt: skip


def check(folder: Path, content: bytes, *more: str) -> Any:
    (folder / "spam.txt").write_text("spam\n")
    file = folder / "tidegate.toml"
    file.write_bytes(content)
    done = CliRunner().invoke(app, ["check", str(file), *more])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    return done


BROKEN = [
    *((SMALL.replace("[upstreams", f"{SERVER}{key}\n[upstreams", 1).encode(), told) for key, told in KEYS),
    *(((SMALL + more + "\n").encode(), told) for more, told in OTHERS),
    *FILES,
]


def test_there_are_enough() -> None:
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("place", range(len(BROKEN)))
def test_each_is_told_with_line_and_remedy(tmp_path: Path, place: int) -> None:
    content, wanted = BROKEN[place]
    done = check(tmp_path, content)
    *lines, count = done.stderr.splitlines()
    assert count == f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    assert all(line.startswith(f"{tmp_path}/tidegate.toml:") for line in lines)
    assert any(wanted in line for line in lines), done.stderr
    told = json.loads(check(tmp_path, content, "--json").stdout)["problems"]
    assert len(told) == len(lines)
    # What is missing altogether, and what is nested without end, stands nowhere.
    assert all(one["line"] for one in told if one["value"] or "is not TOML" in one["message"]), told


def test_all_are_told_at_once(tmp_path: Path) -> None:
    keys = "\n".join(key for key, _ in (KEYS[0], KEYS[8], KEYS[15], KEYS[19], KEYS[27]))
    text = SMALL.replace("[upstreams", f"{SERVER}{keys}\n[upstreams", 1) + OTHERS[0][0] + "\n" + OTHERS[8][0] + "\n"
    lines = check(tmp_path, text.encode()).stderr.splitlines()
    assert lines[-1] == "7 problems"
    numbers = [int(line.split(":")[1]) for line in lines[:-1]]
    assert numbers == sorted(numbers)
