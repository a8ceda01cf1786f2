"""Every feature of control, in one table that a reader can see.

A new one is a folder with its rows, schemas, endpoints and ``feature.py``, a row here, and a migration.
"""

from __future__ import annotations

from gateway.control.accounts.feature import ACCOUNTS
from gateway.control.acts.governance import Governance
from gateway.control.appeals.feature import APPEALS
from gateway.control.blocks.feature import BLOCKS
from gateway.control.callbacks.feature import CALLBACKS
from gateway.control.calls.endpoint import Endpoint, scopes
from gateway.control.calls.feature import Feature
from gateway.control.cases.feature import CASES
from gateway.control.console.feature import CONSOLE
from gateway.control.holding.feature import HOLDING
from gateway.control.incidents.feature import INCIDENTS
from gateway.control.journals.feature import JOURNALS
from gateway.control.lists.feature import LISTS
from gateway.control.messages.feature import MESSAGES
from gateway.control.node.feature import HEALTH, STATE
from gateway.control.nodes.feature import NODES
from gateway.control.obligations.feature import OBLIGATIONS
from gateway.control.people.feature import PEOPLE
from gateway.control.releasing.feature import RELEASING
from gateway.control.restoring.feature import RESTORING
from gateway.control.review.feature import REVIEW
from gateway.control.rooms.feature import ROOMS
from gateway.control.shifts.feature import SHIFTS
from gateway.control.switches.feature import SWITCHES
from gateway.control.takedowns.feature import TAKEDOWNS
from gateway.control.traces.feature import TRACES

FEATURES: tuple[Feature, ...] = (
    ACCOUNTS,
    BLOCKS,
    ROOMS,
    LISTS,
    SWITCHES,
    MESSAGES,
    TAKEDOWNS,
    CASES,
    HOLDING,
    RELEASING,
    RESTORING,
    APPEALS,
    REVIEW,
    INCIDENTS,
    SHIFTS,
    CALLBACKS,
    STATE,
    PEOPLE,
    CONSOLE,
    HEALTH,
    JOURNALS,
    NODES,
    OBLIGATIONS,
    TRACES,
)

ENDPOINTS: tuple[Endpoint, ...] = tuple(endpoint for feature in FEATURES for endpoint in feature.endpoints)
SCOPES = scopes(ENDPOINTS)
GOVERNANCE = Governance(table for feature in FEATURES for table in feature.tables)
ENDED = {name: prune for feature in FEATURES for name, prune in feature.ended.items()}
