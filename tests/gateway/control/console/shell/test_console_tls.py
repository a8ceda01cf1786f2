"""The console over TLS, with a certificate of its own as ``control.certificate`` has it: the cookie, and what browsers
are told."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientSession, CookieJar, TCPConnector, web

from gateway.control.access.roles import Role
from gateway.control.api.api import application
from gateway.control.console.console_pages import PAGES
from gateway.control.console.shell.console_site import ConsoleSite
from gateway.control.features import ENDPOINTS
from tests import certificates
from tests.gateway.control.console.conftest import PASSWORD, House


class Secure(NamedTuple):
    """A browser that trusts this certificate alone."""

    session: ClientSession
    base: str


@pytest.fixture
async def secure(house: House, tmp_path: Path) -> AsyncIterator[Secure]:
    pair = certificates.make(tmp_path, "localhost")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pair.certificate, pair.key)
    pages = ConsoleSite(house.plant.services, PAGES).routes()
    runner = web.AppRunner(application(house.plant.services, house.plant.people, ENDPOINTS, version="0", pages=pages))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    trusted = ssl.create_default_context(cafile=str(pair.certificate))
    async with ClientSession(connector=TCPConnector(ssl=trusted), cookie_jar=CookieJar(unsafe=True)) as session:
        yield Secure(session, f"https://localhost:{runner.addresses[0][1]}/console")
    await runner.cleanup()


async def logged_in(secure: Secure, house: House) -> Any:
    await house.add("li", Role.LEAD)
    form = {"name": "li", "password": PASSWORD}
    async with secure.session.post(f"{secure.base}/login", data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers


async def test_over_tls_the_cookie_is_for_this_host_alone(secure: Secure, house: House) -> None:
    told = (await logged_in(secure, house))["Set-Cookie"]
    assert re.match(r"__Host-tidegate=[A-Za-z0-9_-]{43};", told)
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Secure"):
        assert part in told
    assert "Domain" not in told
    async with secure.session.get(f"{secure.base}/queues") as answer:
        assert (answer.status, answer.url.path) == (200, "/console/queues")
        mark = re.search(r'name="csrf" value="([0-9a-f]+)"', await answer.text())
    assert mark is not None
    form = {"csrf": mark[1]}
    async with secure.session.post(f"{secure.base}/logout", data=form, allow_redirects=False) as answer:
        gone = answer.headers["Set-Cookie"]
    assert gone.startswith('__Host-tidegate="";') and "Max-Age=0" in gone and "Secure" in gone


async def test_the_cookie_of_plain_http_opens_nothing(secure: Secure, house: House) -> None:
    browser = await house.logged_in("bo", Role.LEAD)
    token = next(one.value for one in browser.session.cookie_jar if one.key == "tidegate-console")
    headers = {"Cookie": f"tidegate-console={token}"}
    async with secure.session.get(f"{secure.base}/queues", headers=headers, allow_redirects=False) as answer:
        assert answer.headers["Location"].startswith("/console/login")


async def test_browsers_are_told_to_come_by_tls(secure: Secure, house: House) -> None:
    """Not where a port stands in the address: what is said there would hold for every other port of the host."""
    for host, told in (("console.example", "max-age=31536000"), ("console.example:8443", None)):
        async with secure.session.get(f"{secure.base}/login", headers={"Host": host}) as answer:
            assert answer.status == 200
            assert answer.headers.get("Strict-Transport-Security") == told
