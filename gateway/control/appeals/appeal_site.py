"""Where appellants are heard: a small server of control's own on a unix socket that no address leads to but the
gateway's public side (``gateway/appeals/appeals_relay.py``). Nothing of the admin API is here.

    GET  PATH[?code=…&lang=zh]    the page; with a code what was decided and what became of the appeal
    POST PATH                     a form or JSON: code, statement, text, message_id, do (file, insist, withdraw)

JSON is answered where it was sent, or where Accept prefers it; problems are RFC 9457.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
import structlog
from aiohttp import web

from filters.model.meaning import ENGLISH, LANGUAGES
from gateway.appeals.codes import canonical
from gateway.common.addresses import counted
from gateway.common.ending import end
from gateway.common.units import Rate
from gateway.config import Config
from gateway.control.acts.refusal import ControlError, DatabaseUnavailable
from gateway.control.appeals.admissibility import AppealRefused
from gateway.control.appeals.appeal_page import MOST_STATEMENT, MOST_TEXT, TAGS, page, sheet
from gateway.control.appeals.appeal_words import PAGE, REDRESS, STATES
from gateway.control.appeals.asking_pace import AskingPace
from gateway.control.appeals.filing import AppealDesk, AppealGiven, Filed
from gateway.control.calls import received
from gateway.control.calls.received import field
from gateway.generation import conversion
from gateway.http.server.problem import PROBLEM_JSON, Problem, encode_problem
from gateway.http.server.shapes import prefers_pages
from gateway.http.wire.languages import preferred
from gateway.http.wire.peers import TrustedProxies
from gateway.judging.answers import reason_of
from gateway.sentences.appealing import REASONS
from gateway.sentences.own import NOTICES

log = structlog.get_logger()

MAX_BODY: Final = 64 << 10
"""Bytes: a statement and a text, percent-encoded."""
FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = {"code": 40, "statement": MOST_STATEMENT, "text": MOST_TEXT, "message_id": 36, "do": 16, "lang": 8}
_RETRY: Final = 5.0  # seconds, where nobody can be heard now


class AppealSite:
    """``config`` as it is in force; without ``[appeals]`` nothing is here."""

    def __init__(self, path: Path, desk: AppealDesk, config: Callable[[], Config]) -> None:
        self._socket = path
        self._desk = desk
        self._config = config
        self._task: asyncio.Task[None] | None = None
        self._addresses = AskingPace(lambda: self._rates()[0])
        self._codes = AskingPace(lambda: self._rates()[1])

    def start(self) -> None:
        self._task = asyncio.create_task(self._serve(), name="appeals.site")

    async def stop(self) -> None:
        if self._task is not None:
            await end([self._task])

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        app.on_response_prepare.append(_anonymous)
        return app

    async def _serve(self) -> None:
        runner = web.AppRunner(self.application(), access_log=None)
        await runner.setup()
        try:
            with contextlib.suppress(FileNotFoundError):
                self._socket.unlink()  # of a control that was killed
            await web.UnixSite(runner, self._socket).start()
            self._socket.chmod(0o600)
            await asyncio.get_running_loop().create_future()
        except OSError as error:
            log.error("appeals.not_served", problem=type(error).__name__)
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        section = self._config().appeals
        if section is None or request.path.rstrip("/") != section.path:
            return web.Response(status=404)
        if request.method not in ("GET", "HEAD", "POST"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD, POST"})
        sent = request.content_type == "application/json"
        accept = field(request, "Accept")
        json = sent or (b"json" in accept.lower() and not prefers_pages(accept))
        given, do = AppealGiven(""), ""
        filed: Filed | None = None
        problem: Problem | None = None
        language = self._language(request, "")
        try:
            self._allow(self._addresses, self._client(request))
            fields = await _fields(request, sent)
            language = self._language(request, fields.get("lang", ""))
            given, do = _given(fields, language), fields.get("do", "")
            if given.code:
                self._allow(self._codes, canonical(given.code) or "none")
                filed = await self._done(request.method, do, given)
            elif request.method == "POST":
                raise AppealRefused("appeal.malformed")
        except AppealRefused as error:
            problem = _problem(error.reason, error.retry_after)
        except DatabaseUnavailable:
            problem = _problem("appeal.unavailable", _RETRY)
        except web.HTTPRequestEntityTooLarge:
            problem = _problem("appeal.malformed")
        except Exception:  # a fault of ours, in our own words
            log.error("appeals.failed", exc_info=True)
            problem = _problem("appeal.unavailable", _RETRY)._replace(status=500)
        if problem is not None and filed is None and given.code and not json:
            filed = await self._as_it_stands(problem, given)
        return self._told(section.path, language, given, filed, problem, json=json)

    async def _done(self, method: str, do: str, given: AppealGiven) -> Filed:
        if method != "POST":
            return await self._desk.see(given)
        match do:
            case "" | "file":
                return await self._desk.file(given)
            case "insist":
                return await self._desk.file(given, insist=True)
            case "withdraw":
                return await self._desk.withdraw(given)
            case _:
                raise AppealRefused("appeal.malformed")

    async def _as_it_stands(self, problem: Problem, given: AppealGiven) -> Filed | None:
        """For a form that comes back with what is wrong with it."""
        if problem.status not in (409, 422) or problem.reason in ("appeal.ambiguous", "appeal.undecided"):
            return None
        try:
            return await self._desk.see(given)
        except (AppealRefused, DatabaseUnavailable):
            return None

    def _told(
        self, path: str, language: str, given: AppealGiven, filed: Filed | None, problem: Problem | None, *, json: bool
    ) -> web.Response:
        sentences = conversion.sentences(self._config().sentences)
        worded = sentences.worded(problem, language) if problem is not None else None
        refusal = None
        if filed is not None:
            refusal = sentences.worded(_refusal(filed), language)
            ground = sentences.worded(Problem(200, "", "", ground=filed.answer_ground), language).ground
            filed = filed._replace(answer_ground=ground)
        headers = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Content-Language": TAGS[language],
            "Vary": "Accept-Language, Accept",
        }
        status = worded.status if worded is not None else 200
        if worded is not None and worded.retry_after:
            headers["Retry-After"] = str(int(worded.retry_after) + 1)
        if json:
            if worded is not None:
                headers["Content-Type"] = PROBLEM_JSON.decode()
                return web.Response(body=encode_problem(worded), status=status, headers=headers)
            headers["Content-Type"] = "application/json"
            return web.Response(body=orjson.dumps(_members(filed, refusal, language)), headers=headers)
        headers |= {"Content-Security-Policy": sheet().policy, "Content-Type": "text/html; charset=utf-8"}
        body = page(path, language, given, filed, refusal, worded)
        return web.Response(body=body, status=status, headers=headers)

    def _language(self, request: web.Request, named: str) -> str:
        """The switch of the page, else what the reader's browser prefers, else the operator's."""
        if named in LANGUAGES:
            return named
        section = self._config().sentences
        wanted = preferred(field(request, "Accept-Language"), LANGUAGES)
        return section.language if section.language != "auto" else wanted or section.otherwise

    def _client(self, request: web.Request) -> str:
        """Who asks, as the worker has told it: whom a trusted proxy names counts as that."""
        server = self._config().server
        trusted = TrustedProxies(str(network) for network in server.trusted_proxies)
        chain = field(request, "X-Forwarded-For")
        return counted(trusted.client("", chain), server.ipv6_prefix)

    def _rates(self) -> tuple[Rate, Rate]:
        section = self._config().appeals
        return (section.per_address, section.per_code) if section is not None else (Rate(1, 1.0), Rate(1, 1.0))

    @staticmethod
    def _allow(pace: AskingPace, key: str) -> None:
        wait = pace.wait(key)
        if wait > 0:
            raise AppealRefused("appeal.too_many", wait)


async def _anonymous(_request: web.Request, response: web.StreamResponse) -> None:
    """Nobody has to know what serves this."""
    response.headers.pop("Server", None)


async def _fields(request: web.Request, sent_json: bool) -> Mapping[str, str]:
    """What was given, each field once, none longer than it may be. Raises ``AppealRefused``."""
    pairs: list[tuple[str, Any]]
    if request.method != "POST":
        pairs = list(request.query.items())
    else:
        try:
            body = await received.body(request)
        except ControlError:
            raise AppealRefused("appeal.malformed") from None
        try:
            if sent_json:
                read = orjson.loads(body)
                pairs = list(read.items()) if isinstance(read, dict) else [("", None)]
            elif request.content_type == FORM:
                pairs = list(
                    parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
                )
            else:
                raise AppealRefused("appeal.malformed")
        except (ValueError, UnicodeError):
            raise AppealRefused("appeal.malformed") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name not in _FIELDS:
            if request.method == "POST":
                raise AppealRefused("appeal.malformed")
            continue  # an address may carry what others have put there
        value = value.replace("\r\n", "\n").strip() if isinstance(value, str) else None
        if value is None or name in fields or len(value) > _FIELDS[name] or not _clean(value):
            raise AppealRefused("appeal.malformed")
        fields[name] = value
    return fields


def _clean(value: str) -> bool:
    """No control character but line ends and tabs, and no half of a surrogate pair."""
    return not any(
        (ord(one) < 32 and one not in "\n\t") or ord(one) == 127 or 0xD800 <= ord(one) <= 0xDFFF for one in value
    )


def _given(fields: Mapping[str, str], language: str) -> AppealGiven:
    return AppealGiven(
        fields.get("code", ""), fields.get("statement", ""), fields.get("text", ""), fields.get("message_id", ""),
        language,
    )  # fmt: skip


def _problem(reason: str, retry_after: float = 0.0) -> Problem:
    row = REASONS[reason]
    return Problem(row.status, reason, *row.told(), retry_after=retry_after)


def _refusal(filed: Filed) -> Problem:
    """What was decided, as its sender was told it."""
    row = NOTICES.get(filed.reason) or reason_of(filed.reason)
    return Problem(row.status, filed.reason, *row.told(ENGLISH), ground=filed.ground, category=filed.category)


def _members(filed: Filed | None, refusal: Problem | None, language: str) -> dict[str, Any]:
    if filed is None or refusal is None:
        return {"fields": sorted(_FIELDS), "title": PAGE[language]["title"]}
    told: dict[str, Any] = {
        "code": filed.code,
        "state": filed.state or "open",
        "decision": {
            "at": filed.at // 1_000_000, "reason": filed.reason, "title": refusal.title, "detail": refusal.detail,
            "ground": refusal.ground, "category": refusal.category,
        },
    }  # fmt: skip
    if not filed.state:
        told |= {
            "file_until": filed.file_until // 1_000_000, "text_needed": filed.text_needed, "explained": filed.explained,
        }  # fmt: skip
        return told
    title, detail = STATES[language][filed.state]
    told |= {"title": title, "detail": detail, "filed_at": filed.filed_at // 1_000_000}
    if filed.answer_by:
        told["answer_by"] = filed.answer_by // 1_000_000
    if filed.answer or filed.answer_ground:
        told |= {"answer": filed.answer, "answer_ground": filed.answer_ground, "same_person": filed.same_person}
    if filed.redress:
        told["redress"] = {"kind": filed.redress, "detail": REDRESS[language][filed.redress]}
    return told
