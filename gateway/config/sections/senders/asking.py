"""``[routes.whoami]``: the platform is asked who sends, with the request's own credentials."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from gateway.common.defaults import defaults
from gateway.config.values.match import AddressText
from gateway.config.values.section import Section, required, setting
from gateway.config.values.source_names import POINTER, TOKEN, several
from gateway.config.values.spelled import OrOne
from gateway.config.values.units import Duration, RateOf, Size
from gateway.http.wire.path import parse_template
from gateway.senders.settings import WhoamiSettings

WHOAMI = defaults(WhoamiSettings)

NEVER_ASKED_WITH = frozenset((
    "host", "cookie", "connection", "content-length", "content-type", "transfer-encoding", "te", "trailer", "upgrade",
    "expect", "keep-alive", "proxy-authorization", "accept-encoding", "range", "if-none-match", "if-modified-since",
))  # fmt: skip
"""Headers that say something of one request and nothing of its sender, or let a platform answer with less."""


def _credential(value: Any) -> str:
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind not in ("header", "cookie") or TOKEN.fullmatch(name) is None:
        raise ValueError("is no credential: write “header:Authorization” or “cookie:session”, by its name")
    if kind == "header" and name.lower() in NEVER_ASKED_WITH:
        raise ValueError("is no header by which somebody is known; of cookies name each, such as “cookie:session”")
    return str(value)


def _id(value: Any) -> str:
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    good = TOKEN.fullmatch(name) if kind == "header" else re.match("/", name) and POINTER.fullmatch(name)
    if kind not in ("header", "json") or not good:
        raise ValueError("is no place of an answer: write “json:/user/id” (a JSON Pointer) or “header:X-User-Id”")
    return str(value)


def _question(value: str) -> str:
    template = parse_template(value)
    if template.names:
        raise ValueError("has a {placeholder}: the platform is asked at one address for everybody")
    if template.methods not in ((b"GET",), (b"POST",)):
        raise ValueError("asks by another method: write GET, or POST where the platform knows no other")
    return value


Question = Annotated[AddressText, AfterValidator(_question)]
CredentialOf = Annotated[
    str, BeforeValidator(_credential), WithJsonSchema({"type": "string", "pattern": "^(header|cookie):.+$"})
]
IdOf = Annotated[str, BeforeValidator(_id), WithJsonSchema({"type": "string", "pattern": "^(header:.+|json:/.*)$"})]


class Whoami(Section):
    """For “whoami:” among the sources of the sender. Of several routes with equal tables and one upstream the answers
    are shared. All numbers are of one worker."""

    ask: Question = required(
        "Method and path of the question, such as “GET /api/me”; with the host before the path where the platform has "
        "several sites, else it is asked under that of match, or the upstream's own."
    )
    credentials: Annotated[tuple[CredentialOf, ...], BeforeValidator(several), OrOne()] = required(
        "Headers and cookies, by name, that it is asked with, and by which its answer is remembered.",
        min_length=1,
        max_length=8,
    )
    id: IdOf = required("Where its answer names the sender: a JSON Pointer, or a header.")
    on_error: Literal["reject", "pass"] = required(
        "What it means that it cannot be asked: the message is refused with 503, or the next source of the sender "
        "counts and the record says so. There is no default."
    )
    deadline: Duration = setting(WHOAMI.deadline, "It must have answered within.", gt=0, le=30)
    cache: Duration = setting(WHOAMI.cache, "How long somebody whom it named is known.", gt=0, le=86_400)
    cache_unknown: Duration = setting(
        WHOAMI.cache_unknown,
        "How long credentials are remembered that it did not know; whoever logs in may wait as long.",
        ge=0,
        le=60,
    )
    bridge: Duration = setting(
        "0s",
        "How much longer somebody is known while it does not answer; the record says so. Needs logout: a bridge never "
        "outlives a log-out.",
        ge=0,
        le=86_400,
    )
    logout: Annotated[tuple[AddressText, ...], BeforeValidator(several), OrOne()] = setting(
        WHOAMI.logout,
        "Requests, such as “POST /api/logout”, behind which credentials may mean somebody else; whoever presents them "
        "is asked for anew, on all workers within a second. Relayed as they would be without this.",
    )
    unknown: Literal["mute", "close"] = setting(
        WHOAMI.unknown, "What becomes of a socket that writes and whose sender the platform does not know."
    )
    max_known: int = setting(WHOAMI.max_known, "Senders that are remembered.", ge=100, le=1_000_000)
    max_unknown: int = setting(
        WHOAMI.max_unknown, "Unknown credentials that are remembered; they push no sender out.", ge=100, le=1_000_000
    )
    max_asking: int = setting(WHOAMI.max_asking, "Questions at once; others wait.", ge=4, le=1024)
    max_asking_address: int = setting(
        WHOAMI.max_asking_address,
        "Questions about strangers at once of one client address (IPv6: /64), those that wait included; beyond: "
        "on_error.",
        ge=1,
        le=1024,
    )
    max_asked: RateOf = setting(
        WHOAMI.max_asked, "Questions in a time; others wait. A quarter is kept for senders who were known before."
    )
    max_asked_address: RateOf = setting(
        WHOAMI.max_asked_address, "Questions about strangers in a time of one client address; beyond: on_error."
    )
    max_waiting: int = setting(
        WHOAMI.max_waiting, "Messages that wait for an answer; beyond: on_error.", ge=1, le=100_000
    )
    max_answer: Size = setting(
        WHOAMI.max_answer, "Largest body of an answer; a longer one is none.", ge=256, le=16 * 1024 * 1024
    )
    max_credential: Size = setting(
        WHOAMI.max_credential, "All credentials of a request together; beyond: 400.", ge=64, le=65_536
    )
