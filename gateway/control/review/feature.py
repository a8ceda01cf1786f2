"""The desk, as control knows it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config import Config
from gateway.config.values.opening_hours import OpeningHours
from gateway.control.access.roles import EVERYBODY, LEAD, MODERATE, OVERSEE, SEE_SENDERS, Permission
from gateway.control.acts.governance import Table
from gateway.control.adapters.platform import route_of
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.cases.cases import MESSAGE
from gateway.control.cases.rows import OwnSender
from gateway.control.holding.seals import seals
from gateway.control.releasing.wanted_gone import HeldTakedowns
from gateway.control.review import case_lines, endpoints, held_messages, own_senders, sample_desk
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.held_cases import HeldEffect, HeldTexts
from gateway.control.review.journalled_texts import JournalledTexts
from gateway.control.review.review_desk import ReviewDesk


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Decisions take effect."""
    ledger = surroundings.ledger

    def config() -> Config:
        return surroundings.current().config

    seal = seals(config)
    kept = JournalledTexts(surroundings.folders.journal(surroundings.config))
    texts = HeldTexts(ledger.database, seal, kept)
    effect = HeldEffect(seal, kept.record, HeldTakedowns(), lambda route: confirm_within(config(), route))
    return (ReviewDesk(ledger, lambda: settings(config()), texts, {MESSAGE: effect}),)


def confirm_within(config: Config, route: str) -> float:
    """Seconds in which the platform should have deleted what is taken down; 0 where nobody can ask it."""
    takedown = route_of(config, route).takedown
    return takedown.confirm_within if takedown is not None else 0.0


def settings(config: Config) -> DeskSettings:
    """``[desk]``, as the desk needs it."""
    section = config.desk
    return DeskSettings(
        section.claim, section.undo, section.service, section.grounds, frozenset(section.second),
        OpeningHours(section.open, section.zone), frozenset(section.grave), section.sample,
    )  # fmt: skip


# Deciding is for people alone, and so is having a case: no machine publishes what was held for a person.
LOOK, READ = Permission(EVERYBODY, "cases:read"), Permission(SEE_SENDERS, "cases:read")
QUEUE = Permission(MODERATE, "cases:read")
WORK, LEADS, OVERSIGHT = Permission(MODERATE), Permission(LEAD), Permission(OVERSEE, "cases:read")

REVIEW = Feature(
    endpoints=(
        Endpoint("GET", "/v1/review", endpoints.desk, "How the desk works, and how much waits", LOOK),
        Endpoint("GET", "/v1/review/waiting", endpoints.waiting, "What waits that one may claim", QUEUE),
        Endpoint("GET", "/v1/review/cases", endpoints.listed, "List cases", READ),
        Endpoint("GET", "/v1/review/cases/{id}", endpoints.get, "Read a case and what it is about", READ),
        Endpoint("POST", "/v1/review/cases:claim", endpoints.claim, "Claim the next cases, or these", WORK),
        Endpoint("POST", "/v1/review/cases:release", endpoints.release_all, "Give back every case", WORK),
        Endpoint("POST", "/v1/review/cases:preview", endpoints.preview, "What a bulk decision would decide", WORK),
        Endpoint(
            "POST", "/v1/review/cases:decide", endpoints.bulk, "Decide on a sender's cases, or a campaign's", WORK
        ),
        Endpoint(
            "POST", "/v1/review/cases:lines", case_lines.decide, "Decide on a page of cases, each by itself", WORK
        ),
        Endpoint("POST", "/v1/review/cases:undo", case_lines.undo, "Take a page of decisions back", WORK),
        Endpoint("GET", "/v1/review/cases/{id}/sender", case_lines.sender, "What is known of who sent it", READ),
        Endpoint("POST", "/v1/review/cases/{id}:approve", endpoints.approve, "Approve a message", WORK),
        Endpoint("POST", "/v1/review/cases/{id}:refuse", endpoints.refuse, "Refuse a message", WORK),
        Endpoint("POST", "/v1/review/cases/{id}:escalate", endpoints.escalate, "Pass a case to a lead", WORK),
        Endpoint("POST", "/v1/review/cases/{id}:release", endpoints.release, "Give a case back", WORK),
        Endpoint("POST", "/v1/review/cases/{id}:undo", endpoints.undo, "Take a decision back", WORK),
        Endpoint("POST", "/v1/review/cases/{id}:reopen", endpoints.reopen, "Look at a decision again", LEADS),
        Endpoint("GET", "/v1/review/samples", sample_desk.listed, "List decisions made twice", OVERSIGHT),
        Endpoint(
            "POST", "/v1/review/samples:claim", sample_desk.claim, "Claim a decision to make once more, unseen", WORK
        ),
        Endpoint("POST", "/v1/review/samples/{id}:decide", sample_desk.decide, "Decide on a sample", WORK),
        Endpoint("POST", "/v1/review/samples/{id}:release", sample_desk.release, "Give a sample back", WORK),
        Endpoint("POST", "/v1/review/samples/{id}:settle", sample_desk.settle, "Leave a decision as it is", LEADS),
        Endpoint(
            "GET", "/v1/review/agreement", sample_desk.agreed, "How far people decide alike, by ground", OVERSIGHT
        ),
        Endpoint("GET", "/v1/review/messages", held_messages.listed, "List held messages of one state", LOOK),
        Endpoint(
            "POST", "/v1/review/messages/{id}:settle", held_messages.settle, "Say what became of a release", LEADS
        ),
        Endpoint("GET", "/v1/review/senders", own_senders.listed, "List people's own accounts", READ),
        Endpoint("POST", "/v1/review/senders", own_senders.name, "Name an account of one's own", WORK),
        Endpoint("DELETE", "/v1/review/senders/{sender}", own_senders.lift, "Take an account off somebody", LEADS),
    ),
    tables=(Table(OwnSender, LEAD, guard=own_senders.guard),),
    opened=opened,
)
