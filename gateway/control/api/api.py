"""The admin API over aiohttp: who calls, is it well formed, what is answered. One way in for every endpoint."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final, cast

import orjson
import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from gateway.control.access.roles import NOBODY, Permission, Principal
from gateway.control.acts.refusal import MEDIA_TYPE, ControlError, DatabaseUnavailable
from gateway.control.api.openapi import describe
from gateway.control.calls import connections, received, validation
from gateway.control.calls.call import Call, Services, permit
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.schemas import Done
from gateway.control.people.people import People, anew, unknown_token
from gateway.logs.access_log import AccessLog

log = structlog.get_logger()

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
PEOPLE: web.AppKey[People] = web.AppKey("people", People)


def application(
    services: Services,
    people: People,
    endpoints: Sequence[Endpoint],
    *,
    version: str,
    allow: Sequence[Network] = (),
    described: bool = True,
    pages: Sequence[web.RouteDef] = (),
) -> web.Application:
    """The API of these endpoints. ``allow``: networks of peers that may call; empty for whoever reaches the address.
    ``described``: whether ``/openapi.json`` is there; ``pages``: what is for browsers, and answers by itself."""
    app = web.Application(client_max_size=services.bounds.max_body, middlewares=[_answered])
    app[SERVICES] = services
    app[PEOPLE] = people
    for endpoint in endpoints:
        app.router.add_route(endpoint.method, endpoint.path, _entrance(endpoint, tuple(allow)))
    for page in pages:
        app.router.add_route(page.method, page.path, _from_there(page.handler, tuple(allow)))
    if described:
        document = orjson.dumps(describe(endpoints, version))

        async def description(_request: web.Request) -> web.Response:
            return web.Response(body=document, content_type="application/json")

        app.router.add_get("/openapi.json", description)
    return app


def _from_there(handler: Handler, allow: Sequence[Network]) -> Handler:
    async def enter(request: web.Request) -> web.StreamResponse:
        _check_peer(request, allow)
        return await handler(request)

    return enter


def _check_peer(request: web.Request, allow: Sequence[Network]) -> None:
    if allow and not _allowed(request.remote, allow):
        raise ControlError(403, "control.peer_refused", "This address may not call control (control.allow).")


def _entrance(endpoint: Endpoint, allow: Sequence[Network]) -> Handler:
    handler, access, body_model, query_model = endpoint.handler, endpoint.access, endpoint.body, endpoint.query

    async def enter(request: web.Request) -> web.StreamResponse:
        _check_peer(request, allow)
        if not endpoint.open:
            request.app[SERVICES].admit()
        caller = _caller(request, access)
        validation.placeholders(request.match_info)
        query = validation.query(query_model, _parameters(request))
        body = validation.body(body_model, await received.body(request)) if body_model is not None else None
        if body is not None:  # it may have taken its time to come
            caller = _caller(request, access)
        result = await handler(
            Call(request, request.app[SERVICES], request.match_info, caller, access, anew, body, query)
        )
        if not isinstance(result, BaseModel):
            return result
        status = 202 if isinstance(result, Done) and not result.in_force else 200
        return web.json_response(text=result.model_dump_json(), status=status)

    return enter


def _caller(request: web.Request, access: Permission) -> Principal:
    """Whose token it is, where they may."""
    if access.open:
        return NOBODY
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    caller = request.app[PEOPLE].known(token.strip()) if scheme.lower() == "bearer" else None
    if caller is None:
        raise unknown_token()
    permit(access, caller)
    return caller


def _parameters(request: web.Request) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in request.query.items():
        if name in parameters:
            raise ControlError(400, "control.invalid", "A query parameter is given twice.")
        parameters[name] = value
    return parameters


def _allowed(peer: str | None, allow: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in allow)


_REASON: Final = web.ResponseKey("reason", str)
"""Why a call was refused, for its access line."""


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal leaves through here."""
    if not request.body_exists:
        connections.working(request)
    try:
        return await handler(request)
    except DatabaseUnavailable as error:
        return _problem(error, {"Retry-After": "1"})
    except ControlError as error:
        return _problem(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        reason = {404: "control.unknown_path", 405: "control.method", 413: "control.too_large"}
        code = reason.get(error.status, "control.http")
        return _problem(ControlError(error.status, code, error.reason), headers)
    except Exception:  # a fault of ours: aiohttp would answer in its own words, and log what we may not
        log.error("control.call_failed", route=_template(request), exc_info=True)
        return _problem(ControlError(500, "control.failed", "Control failed; its log says where."))
    finally:
        connections.answered(request)


def _problem(error: ControlError, headers: dict[str, str] | None = None) -> web.Response:
    sent = dict(headers or {})
    if error.status == 401:
        sent["WWW-Authenticate"] = "Bearer"
    answer = web.Response(
        body=orjson.dumps(error.problem()), status=error.status, content_type=MEDIA_TYPE, headers=sent or None
    )
    answer[_REASON] = error.reason
    return answer


def _template(request: web.BaseRequest) -> str:
    """The endpoint's path with its placeholders: what was put in their place may be personal."""
    match = getattr(request, "match_info", None)
    resource = match.route.resource if match is not None else None
    return resource.canonical if resource is not None else ""


class AccessLogger(AbstractAccessLogger):
    """One line a call: method, endpoint, status, time, sizes. No address, no path, no query.

    ``logger`` is an ``AccessLog``; what aiohttp calls so is what it was given as ``access_log``.
    """

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        access = cast(AccessLog, self.logger)
        received = request.content_length if request.body_exists else 0
        access.add(
            request.method, "", _template(request), response.status, seconds=time,
            sizes=(received, response.body_length), reason=response.get(_REASON, ""),
        )  # fmt: skip
        access.flush()
