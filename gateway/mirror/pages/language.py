"""The pages' own words. Bullets are never translated."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """``page`` and ``bullets`` take a number, ``delayed`` seconds."""

    code: str
    title: str
    page: str
    newest: str
    bullets: str
    none: str
    removed: str
    first: str
    previous: str
    next: str
    last: str
    pages: str
    head: str
    playback: str
    zone: str
    delayed: str


LANGUAGES = {
    "zh": Words(
        code="zh-CN",
        title="静态版信息内容（弹幕）",
        page="第 {} 页",
        newest="最新弹幕",
        bullets="共 {} 条弹幕",
        none="还没有弹幕。",
        removed="本页有 {} 条已删除。",
        first="第一页",
        previous="上一页",
        next="下一页",
        last="最后一页",
        pages="全部弹幕",
        head="返回最新弹幕",
        playback="播放位置",
        zone="时间为协调世界时（UTC）。",
        delayed="弹幕延时发布，最长 {} 秒后显示。",
    ),
    "en": Words(
        code="en",
        title="Bullets, static version",
        page="Page {}",
        newest="Newest bullets",
        bullets="{} bullets",
        none="No bullets yet.",
        removed="{} removed from this page.",
        first="First page",
        previous="Previous page",
        next="Next page",
        last="Last page",
        pages="All bullets",
        head="Back to the newest bullets",
        playback="place in the video",
        zone="Times are UTC.",
        delayed="Bullets appear with a delay of up to {} s.",
    ),
}
