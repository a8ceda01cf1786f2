"""People and their roles: who is here, who comes and goes, who may what."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.control.access.roles import Role
from gateway.control.console.shell.console_page import Visit


async def listed(visit: Visit) -> web.Response:
    """Everybody."""
    return await _shown(visit)


async def add(visit: Visit) -> web.Response:
    """The first password is shown this once, on this page."""
    fields = visit.fields
    body = {"name": fields("name"), "roles": fields.all("roles"), "reason": fields("reason")}
    await visit.ask("POST /v1/people", body)
    given = await visit.ask(
        "PUT /v1/people/{name}/password", {"reason": fields("reason")}, places={"name": fields("name")}
    )
    return await _shown(visit, name=fields("name"), password=given.result.password)


async def give_roles(visit: Visit) -> web.Response:
    """These and no other."""
    fields = visit.fields
    body = {"roles": fields.all("roles"), "reason": fields("reason")}
    done = await visit.ask("PUT /v1/people/{name}/roles", body, places={"name": visit.places["name"]})
    return visit.go(f"/people?done={done.act}")


async def give_password(visit: Visit) -> web.Response:
    """Another first one, shown this once: for whoever has forgotten theirs."""
    body, name = {"reason": visit.fields("reason")}, visit.places["name"]
    given = await visit.ask("PUT /v1/people/{name}/password", body, places={"name": name})
    return await _shown(visit, name=name, password=given.result.password)


async def throw_out(visit: Visit) -> web.Response:
    """Every session of theirs ends: a lost telephone."""
    query = {"reason": visit.fields("reason")}
    done = await visit.ask("DELETE /v1/people/{name}/sessions", places={"name": visit.places["name"]}, query=query)
    return visit.go(f"/people?done={done.act}")


async def remove(visit: Visit) -> web.Response:
    """With every session and every machine's token of theirs."""
    query = {"reason": visit.fields("reason")}
    done = await visit.ask("DELETE /v1/people/{name}", places={"name": visit.places["name"]}, query=query)
    return visit.go(f"/people?done={done.act}")


async def _shown(visit: Visit, name: str = "", password: str = "") -> web.Response:
    people: list[Any] = (await visit.ask("GET /v1/people")).people
    return visit.show(
        "people", people=people, roles=[role.value for role in Role], may=visit.may("POST /v1/people"), name=name,
        password=password, done=visit.fields.number("done"),
    )  # fmt: skip
