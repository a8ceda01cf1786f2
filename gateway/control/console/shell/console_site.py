"""The way in to the console, for every page alike: who is it, may they, did they send this, what is answered.

    /console/                 to the page on which somebody's day begins
    /console/login            name and password; open
    /console/static/NAME      style and scripts; open
    /console/…                the table of pages

Errors leave through here as pages, or as a line where a script asked (``HX-Request``). Nothing here knows what a page
does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from filters.model.meaning import CHINESE, ENGLISH
from gateway.control.acts.refusal import ControlError
from gateway.control.calls import validation
from gateway.control.calls.call import Services
from gateway.control.calls.received import field
from gateway.control.console.sessions.console_sessions import Choice, ConsoleSessions, LoggedIn
from gateway.control.console.shell import console_forms, console_problems
from gateway.control.console.shell.console_assets import assets
from gateway.control.console.shell.console_frame import HEADERS, answer, rendered
from gateway.control.console.shell.console_login import ConsoleLogin, cookie
from gateway.control.console.shell.console_page import AT, ConsolePage, Visit, permitted, start
from gateway.control.console.shell.console_terms import ConsoleTerms
from gateway.control.console.shell.console_words import LANGUAGES, kinds, refusal, wording
from gateway.control.incidents import incident_states
from gateway.control.incidents.incident_settings import IncidentDesk
from gateway.control.incidents.incident_states import OpenIncident
from gateway.http.wire.languages import preferred

log = structlog.get_logger()

OPEN_BEFORE_CHANGE: Final = ("password", "logout", "choose")
"""Pages for whoever has to choose a password first."""
THEMES: Final = ("light", "dark")
LANGUAGE, THEME = "tidegate-language", "tidegate-theme"


class ConsoleSite:
    """``services``: those of the API; ``pages``: the table."""

    def __init__(self, services: Services, pages: Sequence[ConsolePage]) -> None:
        self._services = services
        self._pages = pages
        self._sessions = services.of(ConsoleSessions)
        self._login = services.of(ConsoleLogin)
        self._incidents = services.of(IncidentDesk)
        self._terms = services.of(ConsoleTerms)
        self._endpoints = {f"{one.method} {one.path}": one for one in services.endpoints}

    def routes(self) -> list[web.RouteDef]:
        """All of it; what is no page is told so in the reader's language."""
        found = [
            web.route("GET", AT, self._guarded(self._start)),
            web.route("GET", f"{AT}/", self._guarded(self._start)),
        ]
        found += [
            web.route("GET", f"{AT}/login", self._guarded(self._login_page)),
            web.route("POST", f"{AT}/login", self._guarded(self._log_in)),
            web.route("GET", f"{AT}/static/{{name}}", self._guarded(self._static)),
        ]
        found += [web.route(page.method, AT + page.path, self._guarded(self._entrance(page))) for page in self._pages]
        return [*found, web.route("*", f"{AT}/{{tail:.*}}", self._guarded(self._nothing))]

    # Who is there

    async def _who(self, request: web.Request, *, quiet: bool = False) -> LoggedIn | None:
        token = request.cookies.get(cookie(request, behind_tls=self._login.behind_tls()), "")
        return await self._sessions.known(token, quiet=quiet) if token else None

    def _entrance(self, page: ConsolePage) -> Handler:
        async def enter(request: web.Request) -> web.StreamResponse:
            self._services.admit()
            who = await self._who(request, quiet=page.quiet)
            if who is None:
                return self._to_login(request)
            fields = await console_forms.fields(request)
            if request.method != "GET":
                console_forms.check(request, fields, who.csrf)
            if who.once and page.name not in OPEN_BEFORE_CHANGE:
                return _moved(request, f"{AT}/password")
            denied = permitted(page, self._endpoints, who)
            if denied is not None:
                raise denied
            validation.placeholders(request.match_info)
            language = self._language(request, who.choice)
            visit = Visit(
                request, page, self._services, self._endpoints, self._sessions, who, language,
                wording(page.name, language), fields, self._show, () if page.quiet else await self._standing(),
            )  # fmt: skip
            return await page.handler(visit)

        return enter

    def _language(self, request: web.Request, choice: Choice | None = None) -> str:
        """Theirs, else the cookie's, else what the browser prefers."""
        for told in (choice.language if choice is not None else "", request.cookies.get(LANGUAGE, "")):
            if told in LANGUAGES:
                return told
        return preferred(field(request, "Accept-Language"), (ENGLISH, CHINESE)) or CHINESE

    # What is answered

    def _show(self, visit: Visit, template: str, values: Mapping[str, Any], status: int) -> web.Response:
        common = self._common(visit.request, visit.who, visit.language, visit.incidents)
        body = rendered(template, visit.page.name, visit.language, {**common, "here": visit.page.path, **values})
        return answer(body, visit.language, status)

    async def _standing(self) -> Sequence[OpenIncident]:
        """Incidents that stand, which every page tells while one does."""
        now = self._incidents.now()
        return await self._services.database.read(lambda session: incident_states.open_ones(session, now))

    def _common(
        self, request: web.Request, who: LoggedIn | None, language: str, incidents: Sequence[OpenIncident] = ()
    ) -> dict[str, Any]:
        """What the frame of every page needs."""
        menu = []
        if who is not None and not who.once:
            menu = [
                (AT + page.path, wording(page.name, language).menu, page.later)
                for page in self._pages
                if page.menu and permitted(page, self._endpoints, who) is None
            ]
        theme = (who.choice.theme if who is not None else "") or request.cookies.get(THEME, "")
        return {
            "menu": menu,
            "person": who.caller.person if who is not None else "",
            "csrf": who.csrf if who is not None else "",
            "theme": theme if theme in THEMES else "",
            "at": AT,
            "path": request.path,
            "incidents": incidents,
            "configured": self._terms,
            "term": partial(self._terms.told, language=language),
            "meaning": partial(self._terms.meaning, language=language),
            "kinds": kinds(language),
            "other": ENGLISH if language == CHINESE else CHINESE,
        }

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                response = await handler(request)
            except ControlError as error:
                response = await self._refused(request, error)
            except web.HTTPRequestEntityTooLarge:
                response = await self._refused(request, ControlError(413, "control.too_large", "This is too large."))
            except web.HTTPException:
                raise
            except Exception:  # a fault of ours: its page says no more than that
                log.error("console.page_failed", exc_info=True)
                failed = ControlError(500, "control.failed", "Control failed; its log says where.")
                response = await self._refused(request, failed)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            if request.secure and ":" not in request.host:
                response.headers["Strict-Transport-Security"] = "max-age=31536000"
            return response

        return guarded

    async def _refused(self, request: web.Request, error: ControlError) -> web.Response:
        if error.status == 401:
            return self._to_login(request)
        who = None
        if error.status != 503:
            who = await self._who(request, quiet=True)
        language = self._language(request, who.choice if who is not None else None)
        problems = [said for one in error.errors or () if (said := console_problems.told(one, language))]
        told = {"why": refusal(error, language), "reason": error.reason, "problems": problems, "here": ""}
        template = "refused_line" if _by_script(request) else "refused"
        body = rendered(template, "refused", language, {**self._common(request, who, language), **told})
        return answer(body, language, error.status)

    def _to_login(self, request: web.Request) -> web.Response:
        """And back to where they were, where that is a page that can be gone to."""
        back = f"?next={quote(request.path_qs, safe='')}" if request.method == "GET" and not _by_script(request) else ""
        return _moved(request, f"{AT}/login{back}")

    # Pages that need nobody

    async def _start(self, request: web.Request) -> web.StreamResponse:
        self._services.admit()
        who = await self._who(request)
        if who is None:
            return _moved(request, f"{AT}/login")
        path = "/password" if who.once else start(self._pages, self._endpoints, who)
        return _moved(request, AT + path)

    async def _login_page(self, request: web.Request) -> web.StreamResponse:
        self._services.admit()
        if await self._who(request, quiet=True) is not None:
            return _moved(request, f"{AT}/")
        return self._form(request, "", within(request.query.get("next", "")))

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        self._services.admit()
        fields = await console_forms.fields(request)
        if console_forms.foreign(request):
            raise ControlError(403, "console.forged", "This was not sent from a page of this console.")
        back = within(fields("next"))
        before = request.cookies.get(cookie(request, behind_tls=self._login.behind_tls()), "")
        try:
            token = await self._login.log_in(fields("name"), fields.raw("password"), request.remote or "", before)
        except ControlError as error:
            if error.reason not in ("console.login_refused", "console.login_waits", "control.busy"):
                raise
            return self._form(request, refusal(error, self._language(request)), back, fields("name"), error)
        response = _moved(request, back or f"{AT}/")
        self._login.give(response, request, token)
        return response

    def _form(
        self, request: web.Request, why: str, back: str, name: str = "", error: ControlError | None = None
    ) -> web.Response:
        language = self._language(request)
        values = {**self._common(request, None, language), "why": why, "next": back, "name": name, "here": "/login"}
        response = answer(rendered("login", "login", language, values), language, error.status if error else 200)
        if error is not None and error.errors:
            response.headers["Retry-After"] = str(error.errors[0]["seconds"])
        return response

    async def _static(self, request: web.Request) -> web.StreamResponse:
        found = assets().get(request.match_info["name"])
        if found is None:
            return await self._nothing(request)
        etag = f'"{found.digest[:32]}"'
        kept = "public, max-age=31536000, immutable" if request.query.get("v") == found.digest[:16] else "no-cache"
        headers = {"ETag": etag, "Cache-Control": kept}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.body, content_type=found.media, charset="utf-8", headers=headers)

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        raise ControlError(404, "control.unknown_path", "There is no such page.")


def within(path: str) -> str:
    """A way back that leads into the console and nowhere else; empty for any other."""
    fits = path.startswith(f"{AT}/") and not any(sign in path for sign in ("\\", "//", "\r", "\n", "/login"))
    return path if fits and len(path) <= 512 and path.isprintable() else ""


def _by_script(request: web.Request) -> bool:
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def _moved(request: web.Request, path: str) -> web.Response:
    """A script is told to move the whole page: it would put another one into a part of this."""
    if _by_script(request):
        return web.Response(status=200, headers={"HX-Redirect": path})
    return web.Response(status=303, headers={"Location": path})
