"""What people say, for ``corpus`` to put together: everyday clauses, bullets and chat, in Chinese and English."""

CLAUSES = (
    "这篇写得真清楚", "早上刚路过那边", "图里的细节很有意思", "希望能出个后续", "我家楼下也是这样",
    "数据来源能贴一下吗", "支持一下", "看完心里暖暖的", "排队排了半个小时", "天气说变就变", "这个角度没想到",
    "记者辛苦了", "先收藏慢慢看", "老家那边去年修好了路", "说得有道理", "评论区比正文还热闹", "孩子特别喜欢",
    "地铁上看完的", "第一次知道还能这样做", "价格比上个月便宜一点", "师傅手艺真好", "下周我也去试试",
    "视频拍得很稳", "音乐配得刚好", "字幕要是大一点就好了", "这一段我看了三遍", "学到了新东西",
    "等周末带爸妈去", "隔壁城市早就有了", "愿一切顺利", "细水长流嘛", "开头有点慢热", "Great report",
    "I walked past there this morning", "the second photo is lovely", "looking forward to the follow-up",
    "could you share the source", "my street had the same last year", "well explained",
    "the music fits so well", "saved for later", "it rained all day here", "that took us half an hour",
    "nice camera work", "my kids loved it", "first time I hear of this", "thanks for the translation",
    "the map helped a lot",
)  # fmt: skip

SHORT = (
    "哈哈哈", "666", "来了来了", "前排", "好听", "太稳了", "开始了", "泪目", "名场面", "这也行", "爷青回",
    "笑出声", "催更", "高能预警", "打卡", "漂亮", "加油", "好球", "慢动作再来一遍", "弹幕护体", "GG", "wow",
    "so good", "here we go", "again!", "nice shot", "lol", "这波可以", "镜头给得好", "氛围感拉满", "声音有点小",
    "卡了吗", "不卡", "主播喝口水", "晚上好",
)  # fmt: skip

CHAT = (
    "在吗", "收到", "好的", "明天几点", "我晚点到", "文件发群里了", "谁有那张图", "谢谢", "周五可以",
    "改到下午吧", "地址再发一下", "今天谁值日", "路上有点堵", "已经到楼下了", "辛苦大家", "ok", "see you there",
    "running late", "who brings the keys", "meeting moved to three", "thanks all", "sounds good", "+1",
    "哪位老师在", "帮忙看看这个表格对不对", "我这边没问题",
)  # fmt: skip
