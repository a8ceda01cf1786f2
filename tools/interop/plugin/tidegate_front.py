"""For pytest in a suite's own environment: puts the gate before each server of the suite (``-p tidegate_front``).

Where the environment variable TIDEGATE_FRONT is empty nothing is changed. Imports nothing but the standard library and
what the suite has itself.
"""

import functools
import os
import socket

import pytest

FRONT = os.environ.get("TIDEGATE_FRONT", "")


@functools.cache
def _front():
    connection = socket.create_connection(("127.0.0.1", int(FRONT)))
    return connection.makefile("rwb", buffering=0)


def before(port):
    """The port of the gate before the server on ``port``."""
    if not FRONT:
        return port
    order = _front()
    order.write(b"%d\n" % port)
    return int(order.readline())


def pytest_collection_finish(session):
    if FRONT:
        _httpbin()
        _scripted(session)
        _aiohttp()


def _httpbin():
    """requests: httpbin, and not its TLS twin, which speaks to its client itself."""
    try:
        from pytest_httpbin import serve
    except ImportError:
        return
    started = serve.Server.start

    def start(self):
        started(self)
        if self.protocol == "http" and not hasattr(self, "fronted"):
            self.fronted = before(self.port)
            self.port = self.fronted

    serve.Server.start = start


def _scripted(session):
    """requests: servers that answer from a script."""
    try:
        from tests.testserver.server import Server
    except ImportError:
        return
    entered = Server.__enter__

    def enter(self):
        host, port = entered(self)
        return host, port if "TLS" in type(self).__name__ else before(port)

    Server.__enter__ = enter


def _aiohttp():
    try:
        from aiohttp.test_utils import BaseTestServer
        from yarl import URL
    except ImportError:
        return
    started = BaseTestServer.start_server

    async def start_server(self, *arguments, **named):
        again = self.runner is not None
        await started(self, *arguments, **named)
        if again or self.scheme != "http" or self.host not in ("127.0.0.1", "localhost"):
            return
        self.port = before(self.port)
        self._root = URL(f"http://{self.host}:{self.port}")

    BaseTestServer.start_server = start_server


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    """httpx: its fixture ``server``, an application under uvicorn."""
    made = yield
    if (
        FRONT
        and fixturedef.argname == "server"
        and type(made).__name__ == "TestServer"
        and not hasattr(made, "fronted")
    ):
        kind = type(made)
        port = made.config.port or made.servers[0].sockets[0].getsockname()[1]
        made.fronted = before(port)
        url = kind.url.fget(made)
        kind.url = property(lambda self: url.copy_with(port=self.fronted))
    return made
