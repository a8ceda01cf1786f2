"""One's own side: language and look, what one does not want to see, the password, the way out."""

from __future__ import annotations

import re

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.console.shell.console_login import ConsoleLogin
from gateway.control.console.shell.console_page import AT, Visit
from gateway.control.console.shell.console_site import within
from gateway.control.console.shell.console_words import refusal


async def own(visit: Visit) -> web.Response:
    """How somebody wants to have the console."""
    return await _own(visit)


async def change(visit: Visit) -> web.Response:
    """As the form says."""
    fields = visit.fields
    declined = [part.strip() for part in re.split("[,，、\r\n]", fields("declined")) if part.strip()]
    await visit.ask(
        "PUT /v1/me/console",
        {
            "language": fields("language"), "theme": fields("theme"), "declined": declined,
            "cap": fields.number("cap") or 0, "rest": fields.number("rest") or 0,
        },
    )  # fmt: skip
    return visit.go("/own?saved=1")


async def _own(visit: Visit) -> web.Response:
    told = await visit.ask("GET /v1/me/console")
    me = await visit.ask("GET /v1/me")
    return visit.show(told=told, roles=me.roles, saved=visit.fields("saved") == "1")


async def choose(visit: Visit) -> web.Response:
    """Language or look, from the head of any page, and back to it."""
    fields = visit.fields
    body = {name: fields(name) for name in ("language", "theme") if fields(name)}
    await visit.ask("PUT /v1/me/console", body)
    return visit.go((within(fields("back")) or f"{AT}/own").removeprefix(AT))


async def password(visit: Visit) -> web.Response:
    """Choose another password; for whoever has a given one the only page there is."""
    return visit.show(why="", once=visit.who.once)


async def change_password(visit: Visit) -> web.Response:
    """The old one is asked for: whoever finds a console open has not found the account."""
    login, fields = visit.services.of(ConsoleLogin), visit.fields
    try:
        if fields.raw("password") != fields.raw("again"):
            raise ControlError(400, "console.passwords_differ", "The two new passwords are not the same.")
        if fields.raw("password") == fields.raw("old"):
            raise ControlError(400, "console.password_same", "This is the password that you have.")
        if not await login.proves(visit.person, fields.raw("old"), visit.request.remote or ""):
            raise ControlError(403, "console.login_refused", "Name or password are not right.")
        await visit.ask("PUT /v1/me/password", {"password": fields.raw("password")})
    except ControlError as error:
        if error.status not in (400, 403, 429, 503):
            raise
        return visit.show(status=error.status, why=refusal(error, visit.language), once=visit.who.once)
    response = visit.go("/")
    login.give(response, visit.request, await login.renewed(visit.person))
    return response


async def log_out(visit: Visit) -> web.Response:
    """What they hold waits again."""
    await _let_go(visit)
    await visit.sessions.end(visit.who.caller)
    return _gone(visit)


async def log_out_everywhere(visit: Visit) -> web.Response:
    """On every machine."""
    await _let_go(visit)
    await visit.ask("DELETE /v1/me/sessions", query={"reason": "logged out everywhere"})
    return _gone(visit)


async def _let_go(visit: Visit) -> None:
    if visit.may("POST /v1/review/cases:release") and not visit.who.once:
        await visit.ask("POST /v1/review/cases:release", {})


def _gone(visit: Visit) -> web.Response:
    response = visit.go("/login")
    response.headers["Clear-Site-Data"] = '"cache"'
    visit.services.of(ConsoleLogin).give(response, visit.request, "")
    return response
