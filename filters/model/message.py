"""What is judged: one message of one sender, decoded from whatever carried it."""

from typing import NamedTuple


class Vouched(NamedTuple):
    """What a trusted front says of the sender in the request itself; state is not asked for it again.

    ``verified_until`` is in seconds since the epoch, 0 for no end. ``level`` is a credit level from 0 to 100,
    -1 where the front says nothing of it.
    """

    verified: bool
    verified_until: int = 0
    level: int = -1


class Message(NamedTuple):
    """A message as the checks see it. A tuple, because a frozen dataclass costs five times as much to build.

    ``texts`` are the judged fields in the order of the route's ``text`` list; spans of findings count code points
    in them. ``received_at`` is in microseconds since the epoch. Optional personal fields are empty when the route
    does not read them: a missing one refuses nobody (law 7).
    """

    id: str
    surface: str
    route: str
    room: str
    sender: str
    texts: tuple[str, ...]
    received_at: int
    device: str = ""
    ip: str = ""
    registrant: str = ""
    location: str = ""
    vouched: Vouched | None = None
    parts: tuple[str, ...] = ()  # pointers of parts that are present and that nothing here can judge: images, media
    edit: bool = False
    playback_ms: int = -1  # where in the video a bullet belongs; -1 for none
    shown_sender: str = ""  # the name that a bullet itself shows, and so its static version; empty for none
    weak: bool = False  # the sender is no person: an address, or everybody who has not logged in
    degraded: str = ""  # who sends could not be asked now, and why; for the record
