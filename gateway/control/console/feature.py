"""The console, as control knows it: sessions and choices. Its pages are ``console_pages``; they ask other features'
endpoints, so control's wiring adds them when all of these are known."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config import Config
from gateway.control.access.roles import ADMINISTER, EVERYBODY, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.console import endpoints
from gateway.control.console.sessions import console_sessions
from gateway.control.console.sessions.console_sessions import ConsoleSessions, SessionSettings
from gateway.control.console.sessions.login_pace import LoginPace, PaceSettings
from gateway.control.console.sessions.rows import ConsoleChoice, ConsoleSession
from gateway.control.console.shell.console_login import ConsoleLogin
from gateway.control.console.shell.console_terms import ConsoleTerms
from gateway.control.people.passwords import Passwords


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Who logs in, and who is there."""

    def config() -> Config:
        return surroundings.current().config

    def session_settings() -> SessionSettings:
        return SessionSettings(config().console.idle, config().console.longest)

    def pace_settings() -> PaceSettings:
        return PaceSettings(config().console.attempts, config().console.wait_at_most)

    hashes = Passwords()
    surroundings.closing.callback(hashes.close)
    sessions = ConsoleSessions(surroundings.ledger, session_settings)
    login = ConsoleLogin(
        sessions, hashes, LoginPace(pace_settings), lambda: config().server.ipv6_prefix,
        lambda: config().console.behind_tls,
    )  # fmt: skip
    return hashes, sessions, login, ConsoleTerms(config)


OWN, MANAGE = Permission(EVERYBODY), Permission(ADMINISTER)

CONSOLE = Feature(
    endpoints=(
        Endpoint("GET", "/v1/me/console", endpoints.choices, "Read how one wants to have the console", OWN),
        Endpoint("PUT", "/v1/me/console", endpoints.choose, "Say how one wants to have the console", OWN),
        Endpoint("DELETE", "/v1/me/sessions", endpoints.log_out, "Log out of the console everywhere", OWN),
        Endpoint("DELETE", "/v1/people/{name}/sessions", endpoints.throw_out, "End somebody's sessions", MANAGE),
    ),
    rows=(ConsoleSession, ConsoleChoice),
    opened=opened,
    ended={"console_sessions": console_sessions.prune},
)
