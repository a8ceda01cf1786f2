"""What is kept of cases. No text of a message: that is read by opening what is held, or from the journal."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Case(Model):
    """One thing that waits for a person; every time in µs since the epoch, 0 for none.

    ``kind``: ``message``, or ``appeal`` against what was decided on one. ``open_as``: ``kind:message_id`` while nobody
    has decided for good, which makes it the only open one of its message; NULL from then on.
    ``state``, ``desk``: see ``case_states``. ``due_at``: when somebody should have looked, the order of the queue;
    ``expires_at``: from when on it may end undecided. ``version`` rises with everything that a person has to have read
    before they decide; ``read_version``: what ``last_holder`` has read.
    ``barred``: people who may not have it, ``proposed_*``: what the first of two people wants, ``outcome`` to
    ``act_uid``: the decision, ``effective_at``: when it can no longer be taken back, ``tell``: whom it was taken
    from, until they have seen that. ``reopens``: the case before it on the same message.
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("open_as"),
        Index("ix_cases_queue", "state", "desk", "due_at", "id"),
        Index("ix_cases_state_due_at", "state", "due_at", "id"),
        Index("ix_cases_route_queue", "route", "state", "desk", "due_at", "id"),
        Index("ix_cases_claimed_by", "claimed_by", "id"),
        Index("ix_cases_tell", "tell", "id"),
        Index("ix_cases_state_claimed_until", "state", "claimed_until"),
        Index("ix_cases_state_effective_at", "state", "effective_at"),
        Index("ix_cases_sender", "sender", "state", "due_at", "id"),
        Index("ix_cases_fingerprint", "fingerprint", "state", "due_at", "id"),
        Index("ix_cases_message_id", "message_id", "id"),
        Index("ix_cases_closed_at", "closed_at"),
        Index("ix_cases_reopens", "reopens"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Storable(16))
    message_id: Mapped[str] = mapped_column(Storable(36))
    open_as: Mapped[str | None] = mapped_column(Storable(64))
    route: Mapped[str] = mapped_column(Storable(64))
    room: Mapped[str] = mapped_column(Storable(256))
    sender: Mapped[str] = mapped_column(Storable(256))
    category: Mapped[str] = mapped_column(Storable(64))
    fingerprint: Mapped[str] = mapped_column(Storable(16))
    opened_at: Mapped[int]
    due_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(Storable(16))
    desk: Mapped[str] = mapped_column(Storable(16))
    version: Mapped[int] = mapped_column(default=1)
    claimed_by: Mapped[str] = mapped_column(Storable(64), default="")
    claimed_until: Mapped[int] = mapped_column(default=0)
    last_holder: Mapped[str] = mapped_column(Storable(64), default="")
    read_version: Mapped[int] = mapped_column(default=0)
    barred: Mapped[list[str]] = mapped_column(JSON, default=list)
    proposed_by: Mapped[str] = mapped_column(Storable(64), default="")
    proposed_outcome: Mapped[str] = mapped_column(Storable(16), default="")
    proposed_ground: Mapped[str] = mapped_column(Storable(256), default="")
    outcome: Mapped[str] = mapped_column(Storable(16), default="")
    ground: Mapped[str] = mapped_column(Storable(256), default="")
    decided_by: Mapped[str] = mapped_column(Storable(64), default="")
    decided_at: Mapped[int] = mapped_column(default=0)
    effective_at: Mapped[int] = mapped_column(default=0)
    act_uid: Mapped[str] = mapped_column(Storable(36), default="")
    closed_at: Mapped[int] = mapped_column(default=0)
    tell: Mapped[str] = mapped_column(Storable(64), default="")
    reopens: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))


class CaseCause(Model):
    """Why there is a case. ``cause``: see ``cases.CAUSES``; ``reference``: which complaint, appeal …, empty where there
    can be one only; ``reason``: the code of a finding; ``answer``: the outcome that this cause got, empty until then.
    """

    __tablename__ = "case_causes"
    __table_args__ = (UniqueConstraint("case_id", "cause", "reference"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    at: Mapped[int]
    cause: Mapped[str] = mapped_column(Storable(16))
    reference: Mapped[str] = mapped_column(Storable(64), default="")
    category: Mapped[str] = mapped_column(Storable(64), default="")
    reason: Mapped[str] = mapped_column(Storable(64), default="")
    ground: Mapped[str] = mapped_column(Storable(256), default="")
    answer: Mapped[str] = mapped_column(Storable(16), default="")


class CaseHit(Model):
    """A word of a list that was found in what a case is about, each once. ``word``: its id in the list, which is the
    same as long as the word is; ``at``: when the case was opened."""

    __tablename__ = "case_hits"
    __table_args__ = (Index("ix_case_hits_list_word_at", "list", "word", "at"), Index("ix_case_hits_at", "at"))

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    list: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    word: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]


class CaseEvent(Model):
    """A case's trace, one row a transition. ``person``: empty where nobody did it; ``note``: what they wrote for the
    next one; ``outcome``: of a decision, or of a proposal."""

    __tablename__ = "case_events"
    __table_args__ = (
        Index("ix_case_events_case_id", "case_id", "id"),
        Index("ix_case_events_person_at", "person", "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    at: Mapped[int]
    event: Mapped[str] = mapped_column(Storable(16))
    person: Mapped[str] = mapped_column(Storable(64), default="")
    note: Mapped[str] = mapped_column(Storable(512), default="")
    outcome: Mapped[str] = mapped_column(Storable(16), default="")


class CaseSample(Model):
    """A decision that somebody else makes once more without knowing it: nothing follows from theirs but that it is
    known whether two people see it alike. ``state``: see ``samples``; ``first_*``: what was decided; ``outcome``,
    ``ground``, ``decided_*``: what the second person would have; ``differs``: in what the two do, ``outcome`` or
    ``ground``, empty where they agree; ``settled_*``: the lead who has looked at a disagreement. Times in µs since the
    epoch, 0 for none.
    """

    __tablename__ = "case_samples"
    __table_args__ = (
        UniqueConstraint("case_id"),
        Index("ix_case_samples_state", "state", "id"),
        Index("ix_case_samples_claimed_by", "claimed_by", "state"),
        Index("ix_case_samples_decided_at", "decided_at"),
        Index("ix_case_samples_disagreed", "differs", "settled_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    drawn_at: Mapped[int]
    state: Mapped[str] = mapped_column(Storable(16))
    first_by: Mapped[str] = mapped_column(Storable(64))
    first_outcome: Mapped[str] = mapped_column(Storable(16))
    first_ground: Mapped[str] = mapped_column(Storable(256))
    claimed_by: Mapped[str] = mapped_column(Storable(64), default="")
    claimed_until: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(Storable(16), default="")
    ground: Mapped[str] = mapped_column(Storable(256), default="")
    decided_by: Mapped[str] = mapped_column(Storable(64), default="")
    decided_at: Mapped[int] = mapped_column(default=0)
    act_uid: Mapped[str] = mapped_column(Storable(36), default="")
    differs: Mapped[str] = mapped_column(Storable(8), default="")
    settled_by: Mapped[str] = mapped_column(Storable(64), default="")
    settled_at: Mapped[int] = mapped_column(default=0)


class OwnSender(Model):
    """An account at the platform that somebody here owns: they do not decide on what it sends."""

    __tablename__ = "own_senders"

    sender: Mapped[str] = mapped_column(Storable(256), primary_key=True)
    person: Mapped[str] = mapped_column(Storable(64), index=True)
