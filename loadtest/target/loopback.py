"""Whom one may load: this machine, and what one says is one's own."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

OWN_HOST = "--i-own-this-host"


def is_loopback(url: str) -> bool:
    """Whether the address can only be this machine. Names are not looked up: a name may point anywhere tomorrow."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refused(url: str, *, allowed: bool) -> str:
    """Why this target is not loaded; empty where it is."""
    if allowed or is_loopback(url):
        return ""
    return (
        f"{url} is not this machine. A load test against somebody else's service is an attack: "
        f"if it is yours, say so with {OWN_HOST}."
    )
