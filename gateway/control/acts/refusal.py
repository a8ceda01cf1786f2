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


def missing(what: str) -> ControlError:
    """404 for ``what``: ``account``, ``block`` …"""
    return ControlError(404, f"control.{what}_unknown", f"There is no such {what.replace('_', ' ')}.")
