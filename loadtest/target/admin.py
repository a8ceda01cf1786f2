"""The admin API as a load test needs it: bring accounts, block one, read the metrics."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import quote, urlsplit

REASON = "load test"
WITHIN = 60.0  # seconds


class AdminError(Exception):
    """The admin API refused or did not answer. Says the path and the status, never the token."""


class Admin:
    """``url``: of the control address; ``token`` is needed for acts, not for metrics."""

    def __init__(self, url: str, token: str = "") -> None:
        self._parts = urlsplit(url)
        self._token = token

    def introduce(self, senders: int) -> None:
        """Make u1 to uN verified, and the demo's four others what they are there; waits until state knows them."""
        accounts: list[dict[str, Any]] = [{"sender": f"u{n}", "verified": True} for n in range(1, senders + 1)]
        accounts += [
            {"sender": "mallory", "verified": True},
            {"sender": "carol", "verified": False},
            {"sender": "dave", "verified": True, "credit": 20},
        ]
        lines = "\n".join(json.dumps(account) for account in accounts).encode()
        answer = self._ask("POST", f"/v1/accounts:import?reason={quote(REASON)}", lines)
        *_, told = _objects(answer)
        if told["refused"] or told["stopped"]:
            raise AdminError("some accounts were refused")
        known = json.loads(self._ask("GET", f"/v1/blocks?scope=sender&value=mallory&reason={quote(REASON)}"))
        if not known["blocks"]:
            block = {"scope": "sender", "value": "mallory", "reason": REASON, "ground": "agreement 6.1"}
            self._ask("POST", "/v1/blocks", json.dumps(block).encode())
        until = time.monotonic() + WITHIN
        while "\ntidegate_outbox_waiting 0" not in self.metrics():
            if time.monotonic() > until:
                raise AdminError("the imported accounts do not reach the state server")
            time.sleep(0.05)

    def metrics(self) -> str:
        """The text of ``/metrics``."""
        return self._ask("GET", "/metrics").decode()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        parts = self._parts
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        host, port = parts.hostname or "127.0.0.1", parts.port
        try:
            if parts.scheme == "https":
                connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, port, timeout=WITHIN, context=ssl.create_default_context()
                )
            else:
                connection = http.client.HTTPConnection(host, port, timeout=WITHIN)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise AdminError(f"{method} {path.partition('?')[0]}: {type(error).__name__}") from error
        if answer.status >= 300:
            raise AdminError(f"{method} {path.partition('?')[0]} was answered {answer.status}")
        return content


def _objects(lines: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines() if line]
