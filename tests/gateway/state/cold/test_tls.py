"""``rediss://``: a real server and an authority of our own; both the hot path's client and redis-py."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from redis.exceptions import RedisError

from filters.model.rule import Asks
from gateway.config.sections.state import State
from gateway.control.acts.neighbours import Change
from gateway.state import connecting
from gateway.state.cold import topology
from gateway.state.hot.state_client import StateClient
from gateway.state.model.snapshot import SnapshotRows

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates; all files are PEM in ``folder``."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._builder(self.name, self.key).add_extension(x509.BasicConstraints(True, None), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = own.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, address: str) -> tuple[Path, Path]:
        """Certificate and key for a server or a client at ``address``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        made = self._builder(subject, key).add_extension(names, critical=False).add_extension(both, critical=False)
        certificate = made.sign(self.key, hashes.SHA256())
        paths = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
        )


class Lab:
    """An authority, and servers with its certificates."""

    def __init__(self, folder: Path, outside: Any) -> None:
        self.folder = folder
        self.ours = Authority(folder, "authority")
        self.stack = AsyncExitStack()
        self._outside = outside

    def serve(self, *, address: str = "127.0.0.1", clients: str = "no") -> str:
        """A server whose certificate is for ``address``; gives its url."""
        certificate, key = self.ours.sign("server", address)
        server = self._outside(
            "--port", "0", "--tls-port", "{port}", "--bind", "127.0.0.1", "--save", "",
            "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
            "--tls-ca-cert-file", str(self.ours.file), "--tls-auth-clients", clients,
        )  # fmt: skip
        return f"rediss://127.0.0.1:{server.port}"

    async def client(self, state: State) -> StateClient:
        made = connecting.client(state, self.folder, lambda: None)
        await made.start()
        self.stack.push_async_callback(made.close)
        return made


@pytest.fixture
async def lab(tmp_path: Path, outside: Any) -> AsyncIterator[Lab]:
    made = Lab(tmp_path, outside)
    async with made.stack:
        yield made


def config(url: str, **tls: Path) -> State:
    files = {name: str(path) for name, path in tls.items()}
    return State(url=url, tls=files, deadline="500ms", reconnect="20ms", connect_timeout="5s")


async def within(seconds: float, look: Callable[[], bool]) -> None:
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.01)


async def written(state: State, folder: Path) -> None:
    """Control's way in, through redis-py; tried until the server is up."""
    row = {"verified": True, "verified_until": 0, "credit": 60}
    async with asyncio.timeout(10):
        while True:
            projection = await connecting.projection(state, folder)
            try:
                await projection.rebuild([[Change("accounts", {"sender": "alice"}, row)]], SnapshotRows(1))
                return
            except RedisError:
                await asyncio.sleep(0.05)
            finally:
                await projection.close()


async def test_a_server_that_our_authority_vouches_for(lab: Lab, message: Any, ask: Any) -> None:
    state = config(lab.serve(), ca=lab.ours.file)
    await written(state, lab.folder)
    client = await lab.client(state)
    await within(10, lambda: not client.problem)
    told = await ask(client).one(Asks(account=True), message("alice"))
    assert told.account is not None
    assert told.account.credit == 60


async def test_a_certificate_of_our_own_where_the_server_asks_for_one(lab: Lab, message: Any, ask: Any) -> None:
    url = lab.serve(clients="yes")
    certificate, key = lab.ours.sign("gateway", "127.0.0.1")
    state = config(url, ca=lab.ours.file, certificate=certificate, key=key)
    await written(state, lab.folder)
    client = await lab.client(state)
    await within(10, lambda: not client.problem)
    assert (await ask(client).one(Asks(account=True), message("alice"))).account is not None

    nameless = await lab.client(config(url, ca=lab.ours.file))
    await within(10, lambda: nameless.problem not in ("", "connecting"))
    assert (await ask(nameless).one(Asks(account=True), message("alice"))).missing["account"] == "state.unavailable"


@pytest.mark.parametrize("wrong", ["authority", "address"])
async def test_a_server_that_nobody_vouches_for_is_not_spoken_to(lab: Lab, message: Any, ask: Any, wrong: str) -> None:
    """Signed by somebody else, or for another address: neither path says a word to it, a password least of all."""
    url = lab.serve(address="127.0.0.1" if wrong == "authority" else "192.0.2.1")
    trusted = Authority(lab.folder, "another").file if wrong == "authority" else lab.ours.file
    await up(url, lab)
    state = config(url.replace("rediss://", "rediss://:sesame@"), ca=trusted)
    client = await lab.client(state)
    await within(10, lambda: client.problem not in ("", "connecting"))
    assert client.problem == "SSLCertVerificationError"
    assert (await ask(client).one(Asks(account=True), message("alice"))).missing["account"] == "state.unavailable"
    projection = await connecting.projection(state, lab.folder)
    with pytest.raises(RedisError, match=r"(?i)certificate.verify.failed") as caught:
        await projection.ping()
    assert "sesame" not in str(caught.value)
    await projection.close()


async def up(url: str, lab: Lab) -> None:
    """The server listens."""
    port = int(url.rpartition(":")[2])
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


SENTINEL = """
port 0
tls-port {{port}}
bind 127.0.0.1
tls-cert-file {certificate}
tls-key-file {key}
tls-ca-cert-file {ca}
tls-auth-clients yes
tls-replication yes
user default off
user gate on >sesame -@all +sentinel|get-master-addr-by-name +sentinel|master
sentinel monitor main 127.0.0.1 {primary} 1
"""


async def test_sentinels_that_ask_for_a_name_and_a_certificate(lab: Lab, outside: Any, message: Any, ask: Any) -> None:
    """The primary asks for neither; what is said to the one is not said to the others."""
    primary = lab.serve()
    certificate, key = lab.ours.sign("sentinel", "127.0.0.1")
    file = SENTINEL.format(certificate=certificate, key=key, ca=lab.ours.file, primary=primary.rpartition(":")[2])
    sentinel = outside("--sentinel", file=file)
    ours, our_key = lab.ours.sign("gateway", "127.0.0.1")
    files = {"ca": str(lab.ours.file), "certificate": str(ours), "key": str(our_key)}

    def state(**tls: Any) -> State:
        who = {"servers": [f"127.0.0.1:{sentinel.port}"], "service": "main", "username": "gate", "password": "sesame"}
        return State(
            sentinel=who | tls, tls={"ca": str(lab.ours.file)}, deadline="500ms", reconnect="20ms", connect_timeout="5s"
        )

    await written(state(tls=files), lab.folder)
    client = await lab.client(state(tls=files))
    await within(10, lambda: not client.problem)
    assert (await ask(client).one(Asks(account=True), message("alice"))).account is not None
    for wrong in ({}, {"tls": {}}, {"tls": {"ca": files["ca"]}}):
        with pytest.raises(OSError, match="no sentinel names a primary"):
            await topology.topology(state(**wrong), lab.folder).locate()
