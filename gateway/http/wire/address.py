"""Where one upstream server listens."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


class ServerAddress(NamedTuple):
    """``path`` is set for a unix socket, ``host`` and ``port`` otherwise. ``text`` is what the configuration says."""

    text: str
    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False

    @property
    def authority(self) -> str:
        """The value of a Host field for requests of our own (health checks)."""
        if self.path:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"


def parse_address(text: str) -> ServerAddress:
    """``http://HOST[:PORT]``, ``https://HOST[:PORT]`` or ``unix:/PATH``. ValueError says what to write."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        path = "/" + path.lstrip("/") if path.startswith("//") else path
        if not path.startswith("/"):
            raise ValueError(f"{text!r}: a unix socket needs an absolute path, as in unix:/run/platform.sock")
        return ServerAddress(text, path=path)
    parts = urlsplit(text)
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"{text!r}: begin with http://, https:// or unix:")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"{text!r}: a server is an address without path or query")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{parts.scheme}://…@{parts.hostname}: credentials do not belong in a server's address")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r}: the port must be a number from 1 to 65535") from error
    if not parts.hostname or port == 0:
        raise ValueError(f"{text!r}: write a host and, where needed, a port from 1 to 65535")
    return ServerAddress(text, parts.hostname, port or DEFAULT_PORTS[parts.scheme], "", parts.scheme == "https")
