"""A program in front of a gate, as `deploy/fronts` has it: its file with other ports and folders, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from rig.ports import free_ports
from tests.certificates import make

ROOT = Path(__file__).parent.parent.parent
FRONTS = ROOT / "deploy" / "fronts"
NAME = "platform.example"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxied; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/tidegate.conf;
}}
"""


class Gate(NamedTuple):
    """Ports of the gate that is behind. ``named``: with TLS, behind PROXY headers. ``pages``: the mirror's folder."""

    public: int
    control: int
    named: int = 0
    pages: Path | None = None


class Places(NamedTuple):
    """``folder``: of the front's own; ``https`` and ``http``: its ports."""

    folder: Path
    https: int
    http: int


class Program(NamedTuple):
    """``write`` makes the files and gives the commands that check them and that serve by them."""

    binary: str
    write: Callable[[str, Places, Gate], tuple[list[str], list[str]]]
    http: str = "2"


def program(name: str) -> str:
    """Its path. Skips where it is not installed."""
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"deploy: {name} is not installed")
    return found


def replaced(file: str, places: Places, gate: Gate) -> str:
    """The file as it is shipped, for these ports and folders. Each of its own must be there to be replaced."""
    text = (FRONTS / file).read_text(encoding="utf-8")
    for old, new in (
        (r"127\.0\.0\.1:8080", f"127.0.0.1:{gate.public}"),
        (r"127\.0\.0\.1, port_value: 8080", f"127.0.0.1, port_value: {gate.public}"),
        (r"\b(port |health_port |port_value: )8081\b", rf"\g<1>{gate.control}"),
        (r"127\.0\.0\.1:8443", f"127.0.0.1:{gate.named}"),
        (r"/etc/(tidegate|haproxy|caddy)/tls/", f"{places.folder}/"),
        (r"/etc/nginx/tidegate-", f"{places.folder}/tidegate-"),
        (r"    listen \[::\]:.*\n", ""),
        (r"\blisten 443 ", f"listen 127.0.0.1:{places.https} "),
        (r"\blisten 80;", f"listen 127.0.0.1:{places.http};"),
        (r"bind :443\b", f"bind 127.0.0.1:{places.https}"),
        (r"bind :80\b", f"bind 127.0.0.1:{places.http}"),
        (r"maxconn 20000", "maxconn 200"),  # a machine of tests has no room for so many
        (r"0\.0\.0\.0, port_value: 443", f"127.0.0.1, port_value: {places.https}"),
    ):
        text = re.sub(old, new, text)
    return text


def nginx(binary: str, places: Places, gate: Gate) -> tuple[list[str], list[str]]:
    site = replaced("nginx.conf", places, gate)
    folder = places.folder
    if gate.pages is not None:
        site = site.replace("#include", "include")
        pages = replaced("nginx-mirror.conf", places, gate).replace("/srv/tidegate;", f"{gate.pages.parent};")
        (folder / "tidegate-mirror.conf").write_text(pages, encoding="utf-8")
    (folder / "tidegate.conf").write_text(site, encoding="utf-8")
    shutil.copy(FRONTS / "nginx-headers.conf", folder / "tidegate-headers.conf")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder), encoding="utf-8")
    argv = [binary, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return [*argv, "-t"], argv


def haproxy(file: str) -> Callable[[str, Places, Gate], tuple[list[str], list[str]]]:
    def write(binary: str, places: Places, gate: Gate) -> tuple[list[str], list[str]]:
        tls = places.folder / "haproxy"
        tls.mkdir(exist_ok=True)
        text = replaced(file, places, gate).replace(f"crt {places.folder}/", f"crt {tls}/")
        pem = tls / f"{NAME}.pem"
        pem.write_text("".join((places.folder / f"{NAME}.{kind}").read_text() for kind in ("pem", "key")))
        path = places.folder / "haproxy.cfg"
        path.write_text(text, encoding="utf-8")
        return [binary, "-c", "-f", str(path)], [binary, "-db", "-f", str(path)]

    return write


def caddy(binary: str, places: Places, gate: Gate) -> tuple[list[str], list[str]]:
    # Its control socket and its ports are one a machine: here several run beside each other.
    ports = f"{{\n\tadmin off\n\thttp_port {places.http}\n\thttps_port {places.https}\n\tdefault_bind 127.0.0.1\n"
    path = places.folder / "Caddyfile"
    path.write_text(replaced("Caddyfile", places, gate).replace("{\n", ports, 1), encoding="utf-8")
    argv = ["--config", str(path), "--adapter", "caddyfile"]
    return [binary, "validate", *argv], [binary, "run", *argv]


def envoy(binary: str, places: Places, gate: Gate) -> tuple[list[str], list[str]]:
    path = places.folder / "envoy.yaml"
    path.write_text(replaced("envoy.yaml", places, gate), encoding="utf-8")
    argv = [binary, "-c", str(path), "--log-level", "warning", "--concurrency", "1", "--disable-hot-restart"]
    return [*argv, "--mode", "validate"], argv


PROGRAMS = {
    "nginx": Program("nginx", nginx),
    "haproxy": Program("haproxy", haproxy("haproxy.cfg")),
    "haproxy-tcp": Program("haproxy", haproxy("haproxy-tcp.cfg"), "1.1"),
    "caddy": Program("caddy", caddy),
    "envoy": Program("envoy", envoy),
}


class Front:
    """A front that runs. ``told``: what it said so far."""

    def __init__(self, places: Places, http: str, log: Path) -> None:
        self.places = places
        self.http = http
        self._log = log

    def told(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def curl(self, path: str, *more: str, source: str = "127.0.0.9", plain: bool = False) -> list[str]:
        """A command that asks it as a browser would, over HTTP/2 where it speaks that."""
        scheme, port = ("http", self.places.http) if plain else ("https", self.places.https)
        return [
            program("curl"), "--silent", "--show-error", "--max-time", "60", "--noproxy", "*",
            "--cacert", str(self.places.folder / f"{NAME}.pem"), "--resolve", f"{NAME}:{port}:127.0.0.1",
            "--interface", source, "--http2", *more, f"{scheme}://{NAME}:{port}{path}",
        ]  # fmt: skip


def prepared(folder: Path) -> Places:
    """A folder with a certificate, and two ports."""
    folder.mkdir(parents=True, exist_ok=True)
    made = make(folder, NAME, stem=NAME)
    assert made.key.exists()
    return Places(folder, *free_ports(2))


def checked(one: Program, places: Places, gate: Gate) -> subprocess.CompletedProcess[str]:
    """What the program says of its own file."""
    check, _ = one.write(program(one.binary), places, gate)
    return subprocess.run(check, capture_output=True, text=True, check=False, timeout=60, env=_environment(places))


@contextlib.asynccontextmanager
async def running(one: Program, places: Places, gate: Gate) -> AsyncIterator[Front]:
    """The front, once it listens."""
    _, argv = one.write(program(one.binary), places, gate)
    log = places.folder / "log"
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=said, stderr=said, stdin=asyncio.subprocess.DEVNULL, env=_environment(places)
        )
    front = Front(places, one.http, log)
    try:
        async with asyncio.timeout(60):
            while not _listens(places.https):
                assert process.returncode is None, front.told()
                await asyncio.sleep(0.02)
        yield front
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _environment(places: Places) -> dict[str, str]:
    return {"PATH": PATH, "HOME": str(places.folder), "XDG_DATA_HOME": str(places.folder / "data")}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
