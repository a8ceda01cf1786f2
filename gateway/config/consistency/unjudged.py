"""What is written through the gate and judged by nobody: told by ``config check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.config.sections.file import Config

READING: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))


def unjudged(config: Config) -> Iterator[str]:
    """One line for each: routes that relay by name, judged addresses that relay the rest, and what no route matches."""
    for route in config.routes:
        writing = [method.decode() for method in route.template.methods if method not in READING]
        if not route.judged and writing:
            yield f"{'|'.join(writing)} {route.template.address}: relayed by route {route.name}"
    for route in config.routes:
        if route.judged and route.unjudged == "relay":
            yield f"{route.template.address} and below: the rest, as route {route.name} says"
    if config.server.unmatched != "relay":
        return
    for address in dict.fromkeys(one.template.address for one in config.routes if one.judged):
        parent = address.rstrip("/").rpartition("/")[0]
        yield f"{parent or '/'} and {parent}/… beside {address}: relayed where no route matches"
