"""Commands are tried on what their subjects' own tests use."""

from tests.gateway.config.conftest import read, written
from tests.gateway.journal.conftest import make_writer, root
from tests.gateway.state.conftest import outside, own_server
from tests.gateway.words.conftest import listed

__all__ = ["listed", "make_writer", "outside", "own_server", "read", "root", "written"]
