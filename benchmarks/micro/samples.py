"""The message that the parts are timed with: what the load sends, and one that hides a word."""

from __future__ import annotations

from filters.model.message import Message

TEXT = "今天天气不错文章写得真好支持作者请问哪里可以看到更多内容谢谢123"
DISGUISED = "加\u200b微*信ＬＩＮＧ紅\ufe0f包ⓐⓑⓒ，今天天氣不錯文章寫得真好支持作者請問１２３"
MESSAGE = Message(
    "0190b5d2-7c3a-7000-8000-000000000001", "comment", "article-comments", "17", "u1234", (TEXT,),
    1_700_000_000_000_000, ip="127.0.0.1",
)  # fmt: skip
