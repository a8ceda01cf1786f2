"""The load's comments as bytes: the same words, headers and skew of rooms as ``wrk_comments.lua``."""

from __future__ import annotations

import random

WORDS = (
    "今天", "天气", "不错", "文章", "写得", "真好", "支持", "作者", "请问", "哪里", "可以", "看到",
    "更多", "内容", "谢谢", "分享", "good", "point", "thanks", "agreed", "reading", "tomorrow", "再来", "一次",
)  # fmt: skip
PEOPLE = 2000
ROOMS = 50
CREATED = b'{"id":1}'  # the upstream's whole answer

_HEAD = (
    b"POST /api/articles/%d/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: application/json\r\nAccept-Language: zh-CN,zh;q=0.9\r\nContent-Type: application/json\r\n"
    b"X-User-Id: %b\r\nCookie: sid=4f1d2c; theme=dark\r\nContent-Length: %d\r\n\r\n%b"
)


class Comments:
    """Comments of verified people. ``characters`` is about how long a text is; each is new, so that none repeats."""

    def __init__(self, seed: int, characters: int = 0) -> None:
        self._draw = random.Random(seed)
        # A word has three characters on average, the number behind them about seven.
        self._words = max(0, round((characters - 7) / 3)) if characters else 9
        self._count = seed * 1_000_003  # other seeds write other texts

    def next(self) -> bytes:
        """One whole request."""
        draw = self._draw
        self._count += 1
        text = "".join(draw.choices(WORDS, k=self._words))
        room = int(ROOMS ** draw.random())
        return request(f"{text}{self._count}", f"u{draw.randint(1, PEOPLE)}", room)


def request(text: str, sender: str, room: int = 1) -> bytes:
    """One comment; ``text`` holds nothing that JSON escapes."""
    body = b'{"content":"%b"}' % text.encode()
    return _HEAD % (room, sender.encode(), len(body), body)
