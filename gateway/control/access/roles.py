"""Who may do what: roles of people, scopes of machines' tokens, and what an endpoint asks of either.

A person has one role or more, and may do what any of them may. A machine has a token of its own with scopes, each the
name of a set of endpoints, and a person who answers for it: it may do what one of its scopes names *and* that person
may, as it is at the moment of the call. An endpoint says both in its table (``Permission``), and there is none without
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class Role(StrEnum):
    """What a person is here for."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    LEAD = "lead"
    LIST_EDITOR = "list-editor"
    AUDITOR = "auditor"
    ADMIN = "admin"


Roles = frozenset[Role]

EVERYBODY: Final = frozenset(Role)
NO_ROLE: Final[Roles] = frozenset()
SEE_SENDERS: Final = frozenset({Role.REVIEWER, Role.LEAD, Role.AUDITOR, Role.ADMIN})
"""Who may read personal data, each time with a reason."""
MODERATE: Final = frozenset({Role.REVIEWER, Role.LEAD, Role.ADMIN})
TRY_LISTS: Final = EVERYBODY - {Role.VIEWER}
EDIT_LISTS: Final = frozenset({Role.LIST_EDITOR, Role.LEAD, Role.ADMIN})
LEAD: Final = frozenset({Role.LEAD, Role.ADMIN})
OVERSEE: Final = frozenset({Role.LEAD, Role.AUDITOR, Role.ADMIN})
UNDO: Final = MODERATE | EDIT_LISTS
ADMINISTER: Final = frozenset({Role.ADMIN})

ANY_SCOPE: Final = "*"


@dataclass(frozen=True, slots=True)
class Permission:
    """What an endpoint asks of its callers: one of ``roles``, and of a machine's token the ``scope`` besides; without
    one it is for people alone, and ``ANY_SCOPE`` stands for all of them. ``machine``: no person's own token will do.
    Raises ValueError where it would ask nothing: what needs no token is ``OPEN``."""

    roles: Roles
    scope: str = ""
    open: bool = False
    machine: bool = False

    def __post_init__(self) -> None:
        if not self.roles and not self.open:
            raise ValueError("an endpoint must say which roles may call it")


OPEN: Final = Permission(frozenset(), open=True)


class Principal(NamedTuple):
    """Whose call it is: ``person`` with these ``roles``. ``token``: the name of a machine's token for which the person
    answers, with its ``scopes``; empty for the person's own. ``digest``: of the token that was sent."""

    person: str
    roles: Roles
    token: str = ""
    scopes: frozenset[str] = frozenset()
    digest: str = ""


NOBODY: Final = Principal("", frozenset())


class Denial(NamedTuple):
    """``reason``: a stable code; ``why``: a sentence."""

    reason: str
    why: str


def refused(access: Permission, caller: Principal) -> Denial | None:
    """Why this caller may not; None where it may."""
    if access.open:
        return None
    if caller.token and access.scope != ANY_SCOPE:
        if not access.scope:
            return Denial("control.people_only", "This is for people: the token of a machine may not do it.")
        if access.scope not in caller.scopes:
            return Denial(
                "control.scope_refused",
                f"This needs a token with the scope {access.scope}; this one has {told(caller.scopes)}.",
            )
    if not caller.roles & access.roles:
        return Denial("control.role_refused", lacks(access.roles, caller))
    if access.machine and not caller.token:
        return Denial("control.machines_only", "This is for machines: it takes a token with its scope.")
    return None


def lacks(roles: Roles, caller: Principal) -> str:
    """The sentence for somebody who has none of ``roles``."""
    who = "whoever answers for this token has" if caller.token else "you have"
    wanted = "the role" if len(roles) == 1 else "one of the roles"
    return f"This needs {wanted} {told(roles)}; {who} {told(caller.roles)}."


def told(names: Iterable[str]) -> str:
    """Names as a sentence has them."""
    return ", ".join(sorted(names)) or "none"


def known(names: Iterable[str]) -> Roles:
    """Stored roles; one of a version after this gives nothing here."""
    return frozenset(Role(name) for name in names if name in Role._value2member_map_)
