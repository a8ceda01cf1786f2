"""People and their acts, as control knows them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import structlog

from gateway.control.access.roles import (
    ADMINISTER,
    ANY_SCOPE,
    EVERYBODY,
    NO_ROLE,
    OVERSEE,
    SEE_SENDERS,
    UNDO,
    Permission,
)
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.people import endpoints, passwords, people, tokens
from gateway.control.people.rows import Password, Person, Token

log = structlog.get_logger()


class FirstPerson:
    """On the first start somebody may act, whose token is shown this once."""

    def __init__(self, surroundings: Surroundings, known: people.People) -> None:
        self._surroundings = surroundings
        self._known = known

    async def begin(self) -> None:
        """Make the first person where nobody is an admin, and know everybody."""
        ledger, config = self._surroundings.ledger, self._surroundings.config
        name, keep = config.control.first_person, self._surroundings.folders.first_token(config)
        # Nobody is first in a database that lacks what was done before: it would look as if nothing were missing.
        token = None
        if not ledger.authority.problem and not await ledger.database.read(people.administered):
            uid = self._surroundings.ids()
            token = await ledger.database.run(lambda session: people.first(session, name, uid, keep, ledger.governance))
        if token is not None:
            # What is no terminal keeps what it is told: a journal of the system, a file, another machine.
            if sys.stdout.isatty():
                sys.stdout.write(f"the token of {name} is kept in {keep}, shown this once: {token}\n")
                sys.stdout.flush()
            else:
                log.info("token.kept", file=str(keep))
        ungiven = await ledger.database.read(people.ungiven)
        if ungiven:
            log.warning("people.roles_not_given", people=ungiven)
        self._known.refresh(await ledger.database.read(people.callers))


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Who may act: nobody before the database has said so."""
    known = people.People((), surroundings.ledger.authority)
    people.follow(surroundings.ledger, known)
    return known, FirstPerson(surroundings, known)


# What gives rights is for people alone: a machine's token makes no other, and no person.
ACTS, TAKE_BACK = Permission(SEE_SENDERS, "acts:read"), Permission(UNDO)
SEE, MANAGE = Permission(OVERSEE, "people:read"), Permission(ADMINISTER)
ME, SHOWN, OWN = Permission(EVERYBODY, ANY_SCOPE), Permission(EVERYBODY, "tokens:read"), Permission(EVERYBODY)

PEOPLE = Feature(
    endpoints=(
        Endpoint("GET", "/v1/acts", endpoints.listed_acts, "List acts", ACTS),
        Endpoint("POST", "/v1/acts/{act}:undo", endpoints.undo, "Undo an act", TAKE_BACK),
        Endpoint("GET", "/v1/people", endpoints.listed, "List people and their roles", SEE),
        Endpoint("POST", "/v1/people", endpoints.add, "Add a person", MANAGE),
        Endpoint("PUT", "/v1/people/{name}/roles", endpoints.give_roles, "Give a person other roles", MANAGE),
        Endpoint("PUT", "/v1/people/{name}/password", endpoints.give_password, "Give a person a password", MANAGE),
        Endpoint("DELETE", "/v1/people/{name}", endpoints.remove, "Remove a person", MANAGE),
        Endpoint("GET", "/v1/me", endpoints.me, "Who asks, and what they may", ME),
        Endpoint("PUT", "/v1/me/password", endpoints.choose_password, "Choose one's own password", OWN),
        Endpoint("GET", "/v1/tokens", endpoints.machines, "List machines' tokens", SHOWN),
        Endpoint("POST", "/v1/tokens", endpoints.make_token, "Make a token for a machine", OWN),
        Endpoint("GET", "/v1/tokens/{name}", endpoints.machine, "Read what a machine's token may", SHOWN),
        Endpoint("DELETE", "/v1/tokens/{name}", endpoints.revoke_token, "Revoke a machine's token", OWN),
    ),
    # A token that is gone cannot come back; add or remove the person instead. Roles can.
    tables=(
        Table(Person, ADMINISTER, undo="changed", lost=people.lost, guard=people.guard),
        Table(Token, NO_ROLE, undo="never", lost=tokens.lost),
        Table(Password, NO_ROLE, undo="never", lost=passwords.lost),
    ),
    opened=opened,
)
