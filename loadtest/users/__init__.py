"""The people. A class is chosen by its name in ``loadtest.suites``."""

from loadtest.users.abuser import Abuser
from loadtest.users.commenter import Commenter
from loadtest.users.member import Member
from loadtest.users.poster import Poster
from loadtest.users.viewer import Fan, Viewer

__all__ = ("Abuser", "Commenter", "Fan", "Member", "Poster", "Viewer")
