"""Word lists, as control knows them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.control.access.roles import EDIT_LISTS, EVERYBODY, TRY_LISTS, Permission
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.lists import drafts, endpoints
from gateway.control.lists.changes_file import ChangesFile
from gateway.control.lists.compiled_lists import CompiledLists
from gateway.control.lists.drafts import BackTests
from gateway.control.lists.rows import Word


def opened(surroundings: Surroundings) -> Sequence[object]:
    """What is in force is read from the generation; what people change is written for its compiler."""
    surroundings.ledger.write_beside(Word, ChangesFile(surroundings.folders.list_changes))
    journal = surroundings.folders.journal(surroundings.config)
    return (CompiledLists(surroundings.current), BackTests(journal, surroundings.current))


READ, WRITE = Permission(EVERYBODY, "lists:read"), Permission(EDIT_LISTS, "lists:write")
DRAFT = Permission(EDIT_LISTS, "lists:read")
TRY, RELOAD = Permission(TRY_LISTS, "lists:read"), Permission(EDIT_LISTS, "reload:write")

LISTS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/lists", endpoints.listed, "List word lists and their changes", READ),
        Endpoint("POST", "/v1/lists/{name}/words", endpoints.add, "Add a line to a list", WRITE),
        Endpoint("DELETE", "/v1/lists/{name}/words", endpoints.remove, "Leave a line out of a list", WRITE),
        Endpoint("POST", "/v1/lists/{name}:try", endpoints.attempt, "Try a text against a list", TRY),
        Endpoint("POST", "/v1/lists/{name}:backtest", drafts.back_test, "Hold a draft against the record", DRAFT),
        Endpoint("POST", "/v1/lists/{name}:apply", drafts.apply, "Put a draft in force, as one act", WRITE),
        Endpoint("GET", "/v1/precision", endpoints.precise, "What words are worth, by reviewers' decisions", TRY),
        Endpoint("POST", "/v1/reload", endpoints.reload, "Compile configuration and lists anew, and swap", RELOAD),
    ),
    tables=(Table(Word, EDIT_LISTS, compiled=True),),
    opened=opened,
)
