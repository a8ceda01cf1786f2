"""The demo's pages in the language that their reader asks for: written in English, and said again in Chinese."""

from __future__ import annotations

import html
from typing import Final

from filters.model.meaning import CHINESE, ENGLISH, LANGUAGES
from gateway.http.wire.languages import preferred

CHINESE_WORDS: Final = {
    '<html lang="en">': '<html lang="zh-CN">',
    ">Demo platform<": ">演示平台<",
    "Four places where people write. Each stands behind the gate; the platform itself knows nothing of it.":
        "这里有四处可以发言，前面都有网关；平台本身并不知道网关的存在。",
    '"/articles/1">An article and its comments</a> <small class="soft" lang="zh-CN">跟帖评论</small>':
        '"/articles/1?lang=zh">文章与跟帖评论</a>',
    '"/news/1">News, whose comments are reviewed first</a> <small class="soft" lang="zh-CN">先审后发</small>':
        '"/news/1?lang=zh">新闻与跟帖评论（先审后发）</a>',
    '"/videos/1">A video and its bullets</a> <small class="soft" lang="zh-CN">弹幕</small>':
        '"/videos/1?lang=zh">视频与弹幕</a>',
    '"/groups/1">A group and its messages</a> <small class="soft" lang="zh-CN">群组</small>':
        '"/groups/1?lang=zh">群组与消息</a>',
    ">An article and its comments<": ">文章与跟帖评论<",
    ">A video and its bullets<": ">视频与弹幕<",
    ">A group and its messages<": ">群组与消息<",
    "Write a comment as somebody and see what the gate did, and why.":
        "选一个身份发表评论，看看网关如何处理，以及为什么。",
    '<label class="row">as\n': '<label class="row">身份\n',
    ">alice, verified<": ">alice，已认证<",
    ">bob, verified<": ">bob，已认证<",
    ">carol, not verified<": ">carol，未认证<",
    ">mallory, blocked<": ">mallory，已封禁<",
    ">dave, credit 20<": ">dave，信用分 20<",
    ">somebody unknown<": ">未注册的人<",
    'placeholder="Say something"': 'placeholder="说点什么"',
    'placeholder="Send a bullet"': 'placeholder="发一条弹幕"',
    'placeholder="Write to the group"': 'placeholder="在群里发言"',
    'aria-label="Your text"': 'aria-label="你的发言"',
    'class="send">Send</button>': 'class="send">发送</button>',
    '<div class="row try">try:': '<div class="row try">试试：',
    ">A fine piece, thank you<": ">写得很好，谢谢<",
    ">Nothing sent yet.<": ">还没有发送内容。<",
    "<h2>Comments</h2>": "<h2>跟帖评论</h2>",
    '"Published with words masked" : "Published"': '"已发布，部分词语已遮盖" : "已发布"',
    '["published text", ': '["发布的文字", ',
    '["label", ': '["标签", ',
    '["message", ': '["消息编号", ',
    "`Refused (${status})`": "`未发布（${status}）`",
    '"Your text is still in the field: change it and send it again."': '"文字仍在输入框中，修改后可以重新发送。"',
    '"The gate did not answer"': '"网关没有应答"',
    '"You may write again"': '"现在可以继续发言"',
    '["what became of it", ': '["审核结果", ',
    '["status", ': '["状态码", ',
    '["reason", ': '["原因码", ',
    '["why", ': '["说明", ',
    '["ground", ': '["处置依据", ',
    '["category", ': '["类别", ',
    '["try again in", ': '["可重试时间", ',
    'wait + " s"]': 'wait + " 秒后"]',
    '["appeal", ': '["申诉", ',
    'role="status">connecting<': 'role="status">正在连接<',
    '"connected"': '"已连接"',
    '"live"': '"直播中"',
    'textContent = "disconnected"': 'textContent = "连接已断开"',
    'aria-label="video placeholder"': 'aria-label="视频占位画面"',
    'aria-label="All bullets"': 'aria-label="全部弹幕（静态版信息内容）"',
    'aria-label="Messages"': 'aria-label="群组消息"',
    '"Content-Type": "application/json" }': '"Content-Type": "application/json", "Accept-Language": "zh-CN" }',
}  # fmt: skip
"""By a piece of a page: the piece that stands there in Chinese."""

ERRORS: Final = {
    400: ("The demo platform cannot read this request", "演示平台无法读取该请求"),
    404: ("There is nothing at this address", "该地址没有内容"),
    405: ("This address does not take this method", "该地址不支持此请求方法"),
    413: ("This is too large for the demo platform", "内容过大，演示平台无法接收"),
    426: ("This address takes WebSockets alone", "该地址仅支持 WebSocket"),
    500: ("Something in the demo platform is broken", "演示平台出现故障"),
    "name": ("A name is letters, digits, “.”, “_” and “-”", "名字只能包含字母、数字、“.”、“_”和“-”"),
    "message": ("There is no such message", "没有这条消息"),
}
"""What the platform itself says, by status or subject: in English, and in Chinese."""

_HERE: Final = ' aria-current="true"'
_NAMES: Final = {ENGLISH: ("English", "en"), CHINESE: ("中文", "zh-CN")}


def chosen(asked: str, accept: str) -> str:
    """``asked``: the query's ``lang``; else what Accept-Language prefers, else English."""
    return asked if asked in LANGUAGES else preferred(accept.encode("latin-1", "replace"), LANGUAGES) or ENGLISH


def error(what: int | str, language: str) -> str:
    """What the platform says where it does not do something."""
    english, chinese = ERRORS.get(what, ERRORS[400 if isinstance(what, int) and what < 500 else 500])
    return chinese if language == CHINESE else english


def said(page: str, language: str) -> str:
    """The page in that language, with links to each."""
    if language == CHINESE:
        for english, chinese in CHINESE_WORDS.items():
            page = page.replace(english, chinese)
    links = " · ".join(
        f'<a href="?lang={one}" hreflang="{tag}" lang="{tag}"{_HERE if one == language else ""}>{html.escape(name)}</a>'
        for one, (name, tag) in _NAMES.items()
    )
    named = "语言" if language == CHINESE else "Language"
    return page.replace("<h1>", f'<nav aria-label="{named}">{links}</nav>\n<h1>', 1)
