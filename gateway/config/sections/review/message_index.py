"""``[index]``: search over messages, by a process of its own. Without this table nothing is indexed."""

from __future__ import annotations

from gateway.common.defaults import defaults
from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration, Local, Size
from gateway.index.store.settings import IndexSettings

INDEX = defaults(IndexSettings)


class MessageIndex(Section):
    """An index of the journal; the table may be empty."""

    dir: Local | None = setting(None, "Folder of its files; “index” in server.data_dir if unset.")
    texts: bool = setting(INDEX.texts, "Index texts as well, where the journal keeps them (content of the route).")
    max_size: Size = setting(
        INDEX.max_size, "Its files together; beyond, the oldest days are not found any more.", ge=1 << 20
    )
    query_time: Duration = setting(
        INDEX.query_time, "One search works so long; then it tells what it found, and where to go on.", ge=0.05, le=30
    )
