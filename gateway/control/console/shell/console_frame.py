"""How a page is made: Jinja2 with everything escaped and nothing left out, and headers that let nothing else in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.common.units import duration
from gateway.control.console.shell.console_assets import address
from gateway.control.console.shell.console_words import TAGS, named, wording
from gateway.control.console.shell.shown_text import shown

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not “no-referrer”: browsers would say “Origin: null” of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=()",
    "Cache-Control": "no-store",
    "Server": "tidegate",
}


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("gateway.control.console", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {"moment": moment, "span": span, "isotime": isotime, "length_of": duration, "shown": shown}
    made.globals["asset"] = address
    return made


def moment(micros: int) -> str:
    """To the second, in UTC: what a browser's script makes the reader's own time of."""
    return f"{_time(micros):%Y-%m-%d %H:%M:%S} UTC"


def isotime(micros: int) -> str:
    return f"{_time(micros):%Y-%m-%dT%H:%M:%SZ}"


def _time(micros: int) -> datetime:
    """What lies beyond the calendar is its last moment: an end may be given as far off as one likes."""
    try:
        return datetime.fromtimestamp(micros / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def span(seconds: float, language: str) -> str:
    """How long: the two largest units."""
    whole = max(0, round(seconds))
    units = {"en": (" d", " h", " min", " s"), "zh": ("天", "小时", "分钟", "秒")}[language]
    parts = (whole // 86400, whole % 86400 // 3600, whole % 3600 // 60, whole % 60)
    at = next((place for place, part in enumerate(parts) if part), 3)
    told = [f"{part}{unit}" for part, unit in list(zip(parts, units, strict=True))[at : at + 2] if part]
    return (" " if language == "en" else "").join(told) or f"0{units[3]}"


def rendered(template: str, page: str, language: str, values: Mapping[str, Any]) -> str:
    """``page`` says whose words they are."""
    return (
        environment()
        .get_template(f"{template}.html")
        .render(w=wording(page, language), n=named(language), language=language, tag=TAGS[language], **values)
    )


def answer(body: str, language: str, status: int = 200) -> web.Response:
    headers = {**HEADERS, "Content-Language": TAGS[language], "Vary": "Accept-Language, Cookie, HX-Request"}
    return web.Response(text=body, status=status, content_type="text/html", charset="utf-8", headers=headers)
