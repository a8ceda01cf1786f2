"""The whole file, as one frozen model."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.config.sections.control import Control, Logs, Metrics, Traces
from gateway.config.sections.credit import Credit
from gateway.config.sections.journal import Journal
from gateway.config.sections.jwt import Jwt
from gateway.config.sections.lists import ListFile
from gateway.config.sections.mirror import Mirror
from gateway.config.sections.policies import Policy
from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.config.sections.review.callbacks import CallbackReceiver
from gateway.config.sections.review.console import Console
from gateway.config.sections.review.desk import Desk
from gateway.config.sections.review.message_index import MessageIndex
from gateway.config.sections.review.review import Review
from gateway.config.sections.routes import Route
from gateway.config.sections.sentences import Sentences
from gateway.config.sections.server import Server
from gateway.config.sections.state import State
from gateway.config.sections.upstreams import Upstream
from gateway.config.values.section import Section, required, setting
from gateway.config.values.surface import WITH_PAGES

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Config(Section):
    """The whole file."""

    server: Server = setting({}, "The public side, and the bounds of what comes in.")
    upstreams: dict[Name, Upstream] = required("The platform's servers, by name.", min_length=1)
    lists: dict[Name, ListFile] = setting({}, "Word and pattern lists, by name.")
    policies: dict[Name, Policy] = setting({}, "Policies, by name.")
    routes: tuple[Route, ...] = setting(
        (), "Routes. A literal segment is matched before a {placeholder}, a named host before any."
    )
    sentences: Sentences = setting({}, "What senders are told: in which language, and in which words.")
    jwt: Jwt | None = setting(None, "How tokens are checked; needed by jwt: sources.")
    state: State = setting({}, "Where limits, blocks, accounts and room status live.")
    journal: Journal = setting({}, "What is written before anything leaves, and how long it is kept.")
    index: MessageIndex | None = setting(None, "Search over messages. Without this table there is none.")
    credit: Credit = setting({}, "How a credit that was lowered comes back with time.")
    appeals: AppealTerms | None = setting(
        None, "Appeals against refusals: every refusal has a code of ten characters. Without this table there is none."
    )
    desk: Desk = setting({}, "How people decide on what waits for them.")
    console: Console = setting({}, "Where people work on it: the console at /console/ on the control address.")
    review: Review | None = setting(
        None, "Messages that wait until a person has decided on them; needed by rules that hold."
    )
    callbacks: tuple[CallbackReceiver, ...] = setting(
        (), "Who is told of decisions, releases, tickets and appeals: the platform, by signed calls.", max_length=16
    )
    mirror: Mirror | None = setting(None, f"The static version of every bullet; needed by {WITH_PAGES} routes.")
    control: Control = setting({}, "The admin API, health and metrics.")
    metrics: Metrics = setting({}, "What Prometheus reads.")
    logs: Logs = setting({}, "What the processes say about themselves.")
    traces: Traces | None = setting(None, "Spans of sampled requests; without this table there are none.")
