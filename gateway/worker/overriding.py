"""What a POST stands for at the addresses of routes that say so (``method_override``): one target an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.config import Config
from gateway.config.sections.routes import Cors as CorsSettings
from gateway.config.sections.routes import Route as RouteSettings
from gateway.http.server.cors import Cors
from gateway.http.server.router import READING
from gateway.http.wire.path import Template
from gateway.judging.route import Overridden

FORM: Final = "form:_method"


def cross_origin(section: CorsSettings) -> Cors:
    """``[routes.cors]``."""
    return Cors(
        section.origins, section.methods, section.headers,
        credentials=section.credentials, max_age=round(section.max_age),
    )  # fmt: skip


def overridden(config: Config) -> Iterator[tuple[Template, Overridden]]:
    """The targets, and what they match. That no other route has the POST, and that all routes of an address say the
    same, was checked (``consistency/routes.py``)."""
    several: dict[tuple[bytes, tuple[bytes | None, ...], bool], list[RouteSettings]] = {}
    for settings in config.routes:
        if settings.method_override is not None:
            template = settings.template
            several.setdefault((template.host, template.segments, template.below), []).append(settings)
    for routes in several.values():
        first = routes[0]
        yield (
            first.template._replace(methods=(b"POST",)),
            Overridden(
                first.name,
                frozenset(method for settings in routes for method in settings.template.methods) - READING,
                first.method_override != FORM,
                max(settings.max_body for settings in routes),
                cross_origin(first.cors) if first.cors is not None else None,
            ),
        )
