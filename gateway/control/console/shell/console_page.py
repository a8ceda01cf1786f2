"""A page of the console, as ``gateway.control.console.console_pages`` lists it, and one visit to it.

A page is one file with its handlers (``pages/NAME.py``), one template (``templates/NAME.html``), its words in both
languages (``words/NAME.toml``) and a row for each address. It has no logic of its own: a row names the endpoint of the
API whose permission is the page's, and a handler asks endpoints (``visit.ask``), which validate, refuse, and note the
act in the visitor's name as they do for a token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from aiohttp import web
from yarl import URL

from gateway.control.access.roles import Role, refused
from gateway.control.acts.refusal import ControlError
from gateway.control.calls import validation
from gateway.control.calls.call import Call, Services, permit
from gateway.control.calls.endpoint import Endpoint
from gateway.control.console.sessions.console_sessions import ConsoleSessions, LoggedIn
from gateway.control.console.shell.console_forms import Fields
from gateway.control.console.shell.console_words import Wording
from gateway.control.incidents.incident_states import OpenIncident

AT = "/console"

PageHandler = Callable[["Visit"], Awaitable[web.Response]]
Show = Callable[["Visit", str, Mapping[str, Any], int], web.Response]


class ConsolePage(NamedTuple):
    """``path``: behind ``/console``; ``name``: of its words and its template; ``needs``: the endpoint whose permission
    it has, as ``GET /v1/review``. ``menu``: whether it stands in the menu (its word is ``menu`` in its words);
    ``later``: behind “More” where there is no room; ``start``: the role that begins its day here; ``quiet``: it is
    asked for by a page, without anybody's doing."""

    method: str
    path: str
    name: str
    handler: PageHandler
    needs: str
    menu: bool = False
    later: bool = False
    start: Role | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is logged in. ``fields``: of the form, or of the query where there is none;
    ``incidents``: those that stand, which every page tells."""

    request: web.Request
    page: ConsolePage
    services: Services
    endpoints: Mapping[str, Endpoint]
    sessions: ConsoleSessions
    who: LoggedIn
    language: str
    words: Wording
    fields: Fields
    shown: Show
    incidents: Sequence[OpenIncident] = ()

    @property
    def person(self) -> str:
        return self.who.caller.person

    @property
    def places(self) -> Mapping[str, str]:
        """What stood for the placeholders of the path."""
        return self.request.match_info

    def may(self, endpoint: str) -> bool:
        """Whether the visitor may call it."""
        return refused(self.endpoints[endpoint].access, self.who.caller) is None

    async def ask(
        self,
        endpoint: str,
        body: Mapping[str, Any] | None = None,
        *,
        places: Mapping[str, object] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """What an endpoint of the API answers, ``GET /v1/review/cases``; of a query None and what is empty is left out.
        Raises ``ControlError``."""
        asked = self.endpoints[endpoint]
        permit(asked.access, self.who.caller)
        named = {name: str(value) for name, value in (places or {}).items()}
        validation.placeholders(named)
        given = {name: str(value) for name, value in (query or {}).items() if value not in (None, "")}
        read = validation.query(asked.query, given)
        sent = validation.body(asked.body, orjson.dumps(body or {})) if asked.body is not None else None
        call: Call[Any, Any] = Call(
            self.request, self.services, named, self.who.caller, asked.access, self.sessions.anew, sent, read
        )
        return await asked.handler(call)

    def show(self, template: str = "", status: int = 200, **values: Any) -> web.Response:
        """The page, with these values; ``template``: another one of this page's, without a frame."""
        return self.shown(self, template or self.page.name, values, status)

    def go(self, path: str) -> web.Response:
        """To another page; ``path`` behind ``/console``, with nothing in it that is no address."""
        return web.Response(status=303, headers={"Location": str(URL(AT + path))})


def permitted(page: ConsolePage, endpoints: Mapping[str, Endpoint], who: LoggedIn) -> ControlError | None:
    """Why somebody may not visit a page; None where they may."""
    found = refused(endpoints[page.needs].access, who.caller)
    return ControlError(403, *found) if found is not None else None


ORDER = (Role.LEAD, Role.REVIEWER, Role.ADMIN, Role.AUDITOR, Role.LIST_EDITOR, Role.VIEWER)
"""Whose day it is, of several roles."""


def start(pages: Sequence[ConsolePage], endpoints: Mapping[str, Endpoint], who: LoggedIn) -> str:
    """Where somebody's day begins."""
    for role in ORDER:
        for page in pages:
            if page.start is role and role in who.caller.roles and permitted(page, endpoints, who) is None:
                return page.path
    return next((page.path for page in pages if page.menu and permitted(page, endpoints, who) is None), "/own")
