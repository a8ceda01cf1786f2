"""``python -m benchmarks.tls``: what TLS costs, beside nginx that terminates it too; and handshakes.

A message: comments over kept connections, plain and over TLS, at a bare nginx and at the gateway, in turn; CPU of the
process that terminates, without state and upstream. A handshake: full ones with P-256, nothing resumed and nothing
asked, by ``openssl s_time`` as fast as its processes can, which stand back (nice 19); two workers each. Meanwhile some
people write over TLS connections that stand, and their p99 is set beside the same with processes that only burn time.
Writes a record.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import Process
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.load.quantiles import Spread, of_sorted
from benchmarks.measuring import bench
from benchmarks.measuring.measure import Window, closed
from benchmarks.report import record
from benchmarks.systems.nginx import Nginx
from benchmarks.systems.system import System
from benchmarks.systems.tidegate import Tidegate
from rig.comments import request
from rig.ports import free_port
from rig.process import ROOT

RATE = 50.0  # comments a second of those whose connections stand
PEOPLE = 25
CLIENTS = 4  # processes that do nothing but shake hands


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tls", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement of messages")
    parser.add_argument("--shaking", type=int, default=8, help="seconds of each measurement of handshakes")
    asked = parser.parse_args()
    kept: dict[str, Any] = record.begin(vars(asked))
    kept["command"] = ["python", "-m", "benchmarks.tls", "--rounds", str(asked.rounds)]
    kept["tls"] = {
        "openssl": {"gateway": ssl.OPENSSL_VERSION, "nginx and load": _version()},
        "messages": messages(asked.rounds, asked.seconds),
        "handshakes": handshakes(asked.rounds, asked.shaking),
    }
    print(f"recorded in {record.write(kept)}")


def messages(rounds: int, seconds: float) -> dict[str, Any]:
    """CPU µs a message of each system, plain and over TLS, and the ratios round by round."""
    with _started(workers=1) as (place, nginx, gateway):
        ways: dict[str, Callable[[], dict[str, Any]]] = {}
        for system, tls in (nginx, gateway):
            over = copy.copy(system)
            over.port = tls
            ways[system.key] = partial(closed, place.bench, system, seconds=seconds)
            ways[f"{system.key}, TLS"] = partial(closed, place.bench, over, seconds=seconds, scheme="https")
        for warm in ways.values():
            warm()
        told: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, measured in ways.items():
                told[name].append(measured()["us"]["gateway"])
    figures: dict[str, Any] = {name: Spread.of(values)._asdict() for name, values in told.items()}
    for one, other in (("tidegate, TLS", "nginx, TLS"), ("tidegate", "nginx")):
        ratios = [a / b for a, b in zip(told[one], told[other], strict=True)]
        figures[f"{one} / {other}"] = Spread.of(ratios)._asdict()
    for name in ("tidegate", "nginx"):
        added = [a - b for a, b in zip(told[f"{name}, TLS"], told[name], strict=True)]
        figures[f"added to {name}"] = Spread.of(added)._asdict()
    for name, spread in figures.items():
        print(f"{name:32} {spread['median']:8.2f}  ({spread['low']:.2f} to {spread['high']:.2f})", flush=True)
    return figures


def handshakes(rounds: int, seconds: int) -> dict[str, Any]:
    """Of each system with two workers: full handshakes a second, CPU µs of one, and p99 of who stands, in ms."""
    told: dict[str, list[dict[str, float]]] = {}
    with _started(workers=2) as (place, nginx, gateway):
        for _ in range(max(2, rounds // 3)):
            for system, tls in (nginx, gateway):
                calm = _while_burning(partial(waits, tls, float(seconds)))
                standing: list[float] = []
                people = Thread(target=lambda: standing.extend(waits(tls, float(seconds))))  # noqa: B023 - joined below
                with Window(system, place.bench.upstream) as window:
                    people.start()
                    number = shaken(tls, seconds)
                    people.join()
                told.setdefault(system.key, []).append({
                    "per_second": number / window.seconds,
                    "us": window.cpu["gateway"] / number * 1e6,
                    "calm_p99_ms": of_sorted(sorted(calm), 0.99) * 1000,
                    "p99_ms": of_sorted(sorted(standing), 0.99) * 1000,
                })  # fmt: skip
                print(system.key, told[system.key][-1], flush=True)
    return {
        key: {name: Spread.of([row[name] for row in rows])._asdict() for name in rows[0]} for key, rows in told.items()
    }


def shaken(port: int, seconds: int) -> int:
    """Full handshakes that so many processes complete in that time."""
    argv = [
        "nice", "-n", "19", "openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(seconds),
    ]  # fmt: skip
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(CLIENTS)]
    number = 0
    for one in running:
        out = one.communicate(timeout=seconds * 3 + 30)[0]
        found = re.search(r"(\d+) connections in \d+ real seconds", out)
        if one.returncode or found is None:
            raise RuntimeError(f"openssl s_time said: {out[-300:]}")
        number += int(found[1])
    return number


def waits(port: int, seconds: float) -> list[float]:
    """Seconds until each comment of those whose connections stand was answered, from when it was due."""
    told: list[float] = []
    failed: list[Exception] = []
    number = int(seconds * RATE)
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    opened = []
    for _ in range(PEOPLE):
        made = socket.create_connection(("127.0.0.1", port), timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.append(trusting.wrap_socket(made))
    began = time.perf_counter()

    def person(one: int) -> None:
        try:
            for turn in range(one, number, PEOPLE):
                due = began + turn / RATE
                time.sleep(max(0.0, due - time.perf_counter()))
                opened[one].sendall(request(f"standing {turn} {time.time_ns()}", f"u{turn % 100 + 1}"))
                answer = opened[one].recv(65536)
                if not answer.startswith(b"HTTP/1.1 201"):
                    raise RuntimeError(f"answered {answer[:200]!r}")
                told.append(time.perf_counter() - due)
        except Exception as error:  # told by who waits for all
            failed.append(error)

    people = [Thread(target=person, args=(one,)) for one in range(PEOPLE)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    for made in opened:
        made.close()
    if failed:
        raise failed[0]
    return told


def _while_burning(measured: Callable[[], list[float]]) -> list[float]:
    burning = [Process(target=_burn, daemon=True) for _ in range(CLIENTS)]
    for one in burning:
        one.start()
    try:
        return measured()
    finally:
        for one in burning:
            one.kill()
            one.join()


def _burn() -> None:
    os.nice(19)
    while True:
        time.perf_counter()


@contextmanager
def _started(workers: int) -> Iterator[tuple[bench.Place, tuple[System, int], tuple[System, int]]]:
    """Both systems with a plain port and one with TLS, which stands beside each."""
    with bench.opened() as place, ExitStack() as stopping:
        pair = certificate(place.setting.scratch)
        tls = free_port()
        where = bench.cpus(workers)
        files = f'{{ certificate = "{pair[0]}", key = "{pair[1]}" }}'
        server = f'tls = {{ listen = "127.0.0.1:{tls}", certificates = [{files}] }}'
        setting = place.setting._replace(workers=workers, cpus=where.gateway, others_cpus=where.others, server=server)
        nginx, gateway = Nginx(pair), Tidegate()
        for system in (nginx, gateway):
            own = setting.scratch / system.key
            own.mkdir()
            system.start(setting._replace(scratch=own))
            stopping.callback(system.stop)
        yield place, (nginx, nginx.tls_port), (gateway, tls)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate with P-256 that signs itself, and its key."""
    pair = folder / "certificate.pem", folder / "certificate.key"
    argv: Sequence[str] = (
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-out", str(pair[0]), "-keyout", str(pair[1]),
    )  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)
    return pair


def _version() -> str:
    return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
