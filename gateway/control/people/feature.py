"""People and their acts, as control knows them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import structlog

from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.people import endpoints, people
from gateway.control.people.rows import Person

log = structlog.get_logger()


class FirstPerson:
    """On the first start somebody may act, whose token is shown this once."""

    def __init__(self, surroundings: Surroundings, known: people.People) -> None:
        self._surroundings = surroundings
        self._known = known

    async def begin(self) -> None:
        """Make the first person where there is none, and know everybody."""
        ledger, config = self._surroundings.ledger, self._surroundings.config
        name, keep = config.control.first_person, self._surroundings.folders.first_token(config)
        # Nobody is first in a database that lacks what was done before: it would look as if nothing were missing.
        token = None
        if not ledger.authority.problem and not await ledger.database.read(people.anybody):
            uid = self._surroundings.ids()
            token = await ledger.database.run(lambda session: people.first(session, name, uid, keep, ledger.governance))
        if token is not None:
            # What is no terminal keeps what it is told: a journal of the system, a file, another machine.
            if sys.stdout.isatty():
                sys.stdout.write(f"the token of {name} is kept in {keep}, shown this once: {token}\n")
                sys.stdout.flush()
            else:
                log.info("token.kept", file=str(keep))
        self._known.refresh(await ledger.database.read(people.hashes))


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Who may act: nobody before the database has said so."""
    known = people.People({}, surroundings.ledger.authority)
    people.follow(surroundings.ledger, known)
    return known, FirstPerson(surroundings, known)


PEOPLE = Feature(
    endpoints=(
        Endpoint("GET", "/v1/acts", endpoints.listed_acts, "List acts"),
        Endpoint("POST", "/v1/acts/{act}:undo", endpoints.undo, "Undo an act"),
        Endpoint("GET", "/v1/people", endpoints.listed, "List people"),
        Endpoint("POST", "/v1/people", endpoints.add, "Add a person"),
        Endpoint("DELETE", "/v1/people/{name}", endpoints.remove, "Remove a person"),
    ),
    # A token that is gone cannot come back; add or remove the person instead.
    tables=(Table(Person, undo="never", lost=people.lost),),
    opened=opened,
)
