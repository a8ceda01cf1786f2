"""``[journal]``: what is written before anything leaves (law 5), and how long it is kept (law 7)."""

from __future__ import annotations

from gateway.common.defaults import defaults
from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration, Local, Size
from gateway.journal.write.settings import Fsync, JournalSettings

FLOOR = 184 * 86400.0  # six months, whichever six: from 1 March to 1 September are 184 days


JOURNAL = defaults(JournalSettings)


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
