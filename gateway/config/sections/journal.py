"""``[journal]``: what is written before anything leaves (law 5), and how long it is kept (law 7); and other
nodes whose journals are copied here, so that a lost disk loses seconds."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.common.defaults import defaults
from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration, Local, Readable, ServerUrl, Size
from gateway.journal.write.ids import NODES
from gateway.journal.write.settings import Fsync, JournalSettings
from gateway.replicas.copying.settings import LEAST_CHUNK, MOST_CHUNK, ReplicaSettings

FLOOR = 184 * 86400.0  # six months, whichever six: from 1 March to 1 September are 184 days


JOURNAL = defaults(JournalSettings)
REPLICAS = defaults(ReplicaSettings)
MAX_PEERS = 64
PeerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class PeerTls(Section):
    """How the certificate of a peer's control is checked."""

    ca: Readable | None = setting(None, "File with the certificates to trust; the system's if unset.")
    server_name: str = setting("", "Name expected in the certificate; the host of url if empty.")


class JournalPeer(Section):
    """A node whose journal is copied here."""

    url: ServerUrl = required("Its control.listen, as “https://host:port”.")
    node: int = required("Its server.node, which it must confirm.", ge=0, lt=NODES)
    token: Secret = required("Token of a machine with the scope journal:read, made there.")
    tls: PeerTls = setting({}, "For https.")


class Replicas(Section):
    """Copies of other nodes' journals. Each node names those that it copies."""

    max_size: Size = setting(
        REPLICAS.max_size, "All copies together; beyond: nothing more is copied, and it is told.", ge=1 << 20
    )
    rate: Size = setting(REPLICAS.rate, "Bytes a second that are copied from each peer at most.", ge=LEAST_CHUNK)
    chunk: Size = setting(REPLICAS.chunk, "Bytes that are asked for at once.", ge=LEAST_CHUNK, le=MOST_CHUNK)
    max_lag: Duration = setting(REPLICAS.max_lag, "A copy that lags by more is told in /readyz.", gt=0)
    peers: dict[PeerName, JournalPeer] = setting(
        {}, "The nodes, by name; this one among them is passed over.", max_length=MAX_PEERS
    )


class Journal(Section):
    """One set of segments for each worker, in one folder."""

    dir: Local | None = setting(None, "Folder of the segments; “journal” in server.data_dir if unset.")
    fsync: Fsync = setting(
        JOURNAL.fsync, "When records are forced to disk: before an answer, once a second, or when the system likes."
    )
    segment_size: Size = setting(JOURNAL.segment_size, "A segment is closed at this size.", ge=65536)
    segment_age: Duration = setting(JOURNAL.segment_age, "A segment is closed at this age.", ge=1)
    slow_write: Duration = setting(
        JOURNAL.slow_write, "A write that takes longer moves the worker's writing to a thread.", gt=0
    )
    max_waiting: Size = setting(
        JOURNAL.max_waiting, "Records waiting to be written; beyond: 503 on judged routes.", ge=65536
    )
    low_disk: Size = setting(JOURNAL.low_disk, "Less free space than this alarms.")
    full_disk: Size = setting(
        JOURNAL.full_disk,
        "Less free space than this turns readiness off; judged routes answer 503 once nothing can be written.",
    )
    keep_at_least: Duration = setting("184d", "Nothing younger is ever deleted; 184d is the least that is accepted.")
    keep_at_most: Duration = setting("365d", "Older records are pruned, in the control database too.")
    replicas: Replicas | None = setting(None, "Journals of other nodes, copied here; without this table none is.")
