"""``[desk.on_call]``: whom control calls where something waits that cannot wait."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from gateway.config.sections.review.hook import Hook, OptionalHookSecret
from gateway.config.values.section import setting
from gateway.config.values.units import Duration

GraveCategory = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OnCall(Hook):
    """The address of a chat robot or a pager, and what it is called for."""

    secret: OptionalHookSecret = setting(
        "", "Calls are signed with; unset: not signed, for robots that read no signature."
    )
    shape: Literal["text", "dingtalk", "wecom", "feishu"] = setting(
        "text",
        "What the body looks like: {“text”: …} as Slack, Mattermost and most pagers read it; or as the robots of "
        "DingTalk (钉钉), WeCom (企业微信), Feishu (飞书) do.",
    )
    categories: tuple[GraveCategory, ...] = setting(
        (), "Categories of lists so grave that somebody is called when a message of one is held."
    )
    interval: Duration = setting(
        "10m", "Between two calls for the same thing; what comes up meanwhile is counted in the next.", ge=10, le=86400
    )
    retry_for: Duration = setting("1h", "How long a call is tried again; then it is dead.", ge=0, le=7 * 86400)
