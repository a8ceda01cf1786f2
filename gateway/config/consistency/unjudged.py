"""What is written through the gate and judged by nobody: told by ``config check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gateway.obligations.regulations.sentence import Sentence

if TYPE_CHECKING:
    from gateway.config.sections.file import Config
    from gateway.config.sections.routes import Route
    from gateway.http.wire.path import Template

READING: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))


def unread(route: Route) -> frozenset[bytes]:
    """The methods of a route by which something is written; what it judges is judged by all of them."""
    return frozenset(route.template.methods) - READING


def below(one: Template, other: Template) -> bool:
    """Whether requests that ``one`` matches may be at the address of ``other``, or below it."""
    if one.host and other.host and one.host != other.host:
        return False
    pairs = zip(one.segments, other.segments, strict=False)
    return len(one.segments) >= len(other.segments) and all(a is None or b is None or a == b for a, b in pairs)


def unjudged(config: Config) -> Iterator[Sentence]:
    """One line for each: routes that relay by name, judged addresses that relay the rest, and what no route matches."""
    for route in config.routes:
        writing = [method.decode() for method in route.template.methods if method in unread(route)]
        if not route.judged and writing:
            written = f"{'|'.join(writing)} {route.template.address}"
            yield Sentence(f"{written}: relayed by route {route.name}", f"{written}：由路由 {route.name} 直接转发")
    for route in config.routes:
        if route.judged and route.unjudged == "relay":
            address = route.template._replace(below=False).address
            yield Sentence(
                f"{address} and below: the rest, as route {route.name} says",
                f"{address} 及其下级：其余写入按路由 {route.name} 的设置转发",
            )
    if config.server.unmatched != "relay":
        return
    judged = [one.template for one in config.routes if one.judged]
    for address in dict.fromkeys(one._replace(below=False).address for one in judged if one.segments):
        parent = address.rstrip("/").rpartition("/")[0]
        yield Sentence(
            f"{parent or '/'} and {parent}/… beside {address}: relayed where no route matches",
            f"{parent or '/'} 及 {parent}/…（{address} 除外）：没有路由匹配时直接转发",
        )
