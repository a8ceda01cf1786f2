"""Why control refuses: one exception, answered as ``application/problem+json`` (RFC 9457) in one place."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from filters.model.errors import TidegateError

MEDIA_TYPE = "application/problem+json"


class ControlError(TidegateError):
    """``reason``: a stable code, ``control.…``. ``errors``: ``[{"where", "problem"}]``, never with the value itself."""

    def __init__(self, status: int, reason: str, detail: str, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.errors = list(errors)

    def problem(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
        }
        if self.errors:
            body["errors"] = self.errors
        return body


class DatabaseInUse(TidegateError):
    """Another process (a running control) owns the database; the text says which."""


class DatabaseUnavailable(ControlError):
    """The control database cannot be asked, or may not be changed. ``why`` goes on after “the control database”, and
    names no host and no person. Nothing of what was wanted was done."""

    def __init__(self, why: str, reason: str = "control.database_unavailable", detail: str = "") -> None:
        super().__init__(503, reason, detail or f"The control database {why}; try again.")
        self.args = (f"the control database {why}",)
        self.why = why


class OutcomeUnknown(DatabaseUnavailable):
    """It went away in the moment of a commit, and did not come back in time to say what became of it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            why,
            "control.outcome_unseen",
            f"The control database {why}, while this was being committed: GET /v1/acts tells whether it was done, once "
            "the database is back.",
        )


def missing(what: str) -> ControlError:
    """404 for ``what``: ``account``, ``block`` …"""
    return ControlError(404, f"control.{what}_unknown", f"There is no such {what.replace('_', ' ')}.")
