"""Asking the platform to delete a message: ``[routes.takedown]``, over the same strict client as the data plane's."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from gateway.appeals.codes import Codes
from gateway.config.sections.routes import Takedown as Section
from gateway.control.adapters.platform import PlatformSide, route_of
from gateway.control.takedowns.neighbours import Asked, Said
from gateway.http.upstream.upstream import Upstream
from gateway.http.wire.path import Template, parse_template
from gateway.surfaces.deletion import gone

GONE = (404, 410)  # there is nothing to delete, or nothing any more
UNCONFIGURED = "takedown.unconfigured"
UNNAMED = "takedown.unnamed"
OUTSTANDING = "takedown.outstanding"
UNSAFE = "takedown.unsafe_name"
DOTS = frozenset((".", ".."))  # as a segment of a path they would name another thing, and delete that


class PlatformDeletions:
    """Asks ``platform``. ``codes``: those by which people appeal, None where there are none."""

    def __init__(self, platform: PlatformSide, codes: Callable[[], Codes | None] = lambda: None) -> None:
        self._platform = platform
        self._codes = codes

    def appeal_code(self, message_id: str) -> str:
        codes = self._codes()
        try:
            return codes.code(message_id) if codes is not None else ""
        except ValueError:  # no id of ours: it was imported
            return ""

    def confirm_within(self, route: str) -> float:
        """Seconds the platform has for it; 0 where nobody can ask it."""
        takedown = route_of(self._platform.current(), route).takedown
        return takedown.confirm_within if takedown is not None else 0.0

    async def delete(self, asked: Asked) -> Said:
        """Ask once. Never raises: what went wrong is in the answer."""
        platform = self._platform
        route = route_of(platform.current(), asked.route)
        takedown = route.takedown
        if takedown is None:
            return Said(False, None, UNCONFIGURED)
        name = asked.upstream_id or (asked.message_id if route.id_to else "")
        if not name:
            return Said(False, None, UNNAMED)
        if name in DOTS or asked.room in DOTS:
            return Said(False, None, UNSAFE)
        upstream = platform.upstream(route.upstream)
        answer = await platform.ask(
            upstream, _head(takedown, upstream, name, asked, self.appeal_code(asked.message_id)), b"", idempotent=True
        )
        status = answer.status
        if status is None:
            return Said(False, None, answer.problem)
        if status in GONE:
            # What has not arrived yet is not there either, and may be a moment later.
            return Said(False, status, OUTSTANDING) if asked.outstanding else Said(True, status)
        return Said(gone(takedown.gone_when)(status, answer.body), status)


def _head(takedown: Section, upstream: Upstream, name: str, asked: Asked, code: str) -> bytes:
    template = parse_template(takedown.match)
    host = template.host.decode() or upstream.settings.servers[0].address.authority
    fields = {
        "Host": host,
        "User-Agent": "tidegate-takedown",
        "Accept": "*/*",
        "Tidegate-Message-Id": asked.message_id,
        **({"Tidegate-Appeal-Code": code} if code else {}),
        **{field: secret.get_secret_value() for field, secret in takedown.headers.items()},
    }
    method = template.methods[0].decode()
    if method not in ("DELETE", "GET"):
        fields["Content-Length"] = "0"
    lines = "".join(f"{field}: {value}\r\n" for field, value in fields.items())
    return f"{method} {_path(template, name, asked.room)} HTTP/1.1\r\n{lines}\r\n".encode()


def _path(template: Template, name: str, room: str) -> str:
    values = iter([{"id": name, "room": room}[one] for one in template.names])
    return "".join(
        "/" + (segment.decode() if segment is not None else quote(next(values), safe=""))
        for segment in template.segments
    )
