"""As for the commands beside these."""

from tests.gateway.state.conftest import outside, own_server

__all__ = ["outside", "own_server"]
