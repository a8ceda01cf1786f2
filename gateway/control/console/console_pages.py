"""Every page of the console, in one table that a reader can see. How one is added: CONTRIBUTING."""

from __future__ import annotations

from gateway.control.access.roles import Role
from gateway.control.console.pages import node_page, own_pages, queues_page
from gateway.control.console.shell.console_page import ConsolePage

ME = "GET /v1/me"

PAGES: tuple[ConsolePage, ...] = (
    ConsolePage("GET", "/queues", "queues", queues_page.queues, "GET /v1/review", menu=True, start=Role.LEAD),
    ConsolePage("GET", "/node", "node", node_page.node, "GET /v1/status", menu=True, start=Role.ADMIN),
    ConsolePage("GET", "/own", "own", own_pages.own, "GET /v1/me/console"),
    ConsolePage("POST", "/own", "own", own_pages.change, "PUT /v1/me/console"),
    ConsolePage("POST", "/choose", "choose", own_pages.choose, "PUT /v1/me/console"),
    ConsolePage("GET", "/password", "password", own_pages.password, "PUT /v1/me/password"),
    ConsolePage("POST", "/password", "password", own_pages.change_password, "PUT /v1/me/password"),
    ConsolePage("POST", "/logout", "logout", own_pages.log_out, ME),
    ConsolePage("POST", "/logout-everywhere", "own", own_pages.log_out_everywhere, "DELETE /v1/me/sessions"),
)
