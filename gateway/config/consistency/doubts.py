"""What is allowed, and still worth a second look: the warnings of ``config check``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from filters.checks.keywords import Options as Keywords
from filters.checks.limit import Options as Limits
from gateway.config.consistency import arrays, kinds, refusals, reviews
from gateway.config.consistency.translation import similar
from gateway.config.consistency.unjudged import below
from gateway.http.wire.path import parse_template
from gateway.obligations.regulations.sentence import Sentence
from gateway.surfaces import SURFACES
from gateway.surfaces.sources.sources import WEAK, credential, kind

if TYPE_CHECKING:
    from gateway.config.sections.file import Config
    from gateway.config.sections.policies import Policy
    from gateway.config.sections.routes import Route

BY_CLIENTS = frozenset(("json", "form", "query"))
METHODS = frozenset((
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "QUERY",
))  # fmt: skip
"""Of RFC 9110, PATCH, WebDAV and QUERY: others go through as well."""


def doubts(config: Config) -> Iterator[Sentence]:
    """Warnings, each with its key and what could be done."""
    yield from _policies(config)
    yield from _matches(config)
    yield from _unused(config)
    yield from reviews.doubts(config.routes)
    yield from reviews.in_clear(config)
    for route in config.routes:
        if route.judged:
            yield from kinds.doubts(route)
            yield from refusals.doubts(route)
            yield from arrays.doubts(route, config.policies)
            yield from _made_by_put(config, route)
            yield from _unheard_log_outs(config, route)
            yield from dict.fromkeys(told for kind in route.kinds or (route,) for told in _route(config, kind))
    address = config.control.listen
    if not _loopback(address) and config.control.certificate is None:
        yield Sentence(
            f'control.listen = "{address}": tokens travel in clear beyond this machine; set certificate and key',
            f"control.listen = “{address}”：令牌以明文离开本机；请设置 certificate 和 key",
        )
    if config.state.url is not None and config.state.url.get_secret_value().startswith("redis://"):
        host = config.state.url.get_secret_value().removeprefix("redis://").rpartition("@")[2].partition("/")[0]
        if not _loopback(host if ":" in host else f"{host}:6379"):
            yield Sentence(
                "state.url: speaks in clear to another machine; use rediss:// or a private network",
                "state.url：与另一台机器明文通信；请用 rediss:// 或专用网络",
            )
    yield from _peers(config)
    if isinstance(config.control.database, SecretStr):
        yield from _database(config.control.database.get_secret_value())
    if not any(route.judged for route in config.routes):
        yield Sentence(
            "routes: nothing is judged; give a route a surface and a policy",
            "routes：没有判定任何内容；请给某个路由写上 surface 和 policy",
        )


def _peers(config: Config) -> Iterator[Sentence]:
    """Of other nodes whose journals are copied."""
    for name, peer in config.journal.replicas.peers.items() if config.journal.replicas is not None else ():
        if peer.url.startswith("http:") and not _loopback(f"{urlsplit(peer.url).hostname}:0"):
            yield Sentence(
                f"journal.replicas.peers.{name}.url: texts, personal data and the token travel in clear; use https://",
                f"journal.replicas.peers.{name}.url：文字内容、个人信息和令牌以明文传输；请用 https://",
            )


def _database(url: str) -> Iterator[Sentence]:
    """Of a control database that is a server's."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    hosts = [one.rpartition("@")[2] for one in parts.netloc.split(",")] if parts.netloc else []
    named = [one if re.search(r":\d+$", one) else f"{one}:5432" for one in hosts if one]
    if asked.get("sslmode") != "verify-full" and not all(_loopback(one) for one in named):
        yield Sentence(
            "control.database: goes to another machine without asking who it is; add sslmode=verify-full to its url",
            "control.database：连接另一台机器而不核实其身份；请在其 URL 中加上 sslmode=verify-full",
        )


def _matches(config: Config) -> Iterator[Sentence]:
    """What is allowed in a match, and looks like a slip."""
    for route in config.routes:
        for method in (one.decode() for one in route.template.methods):
            if method not in METHODS:
                near = similar(method, sorted(METHODS))
                near_zh = near.replace(": did you mean ", "，是否想写 ").replace("?", "？")
                yield Sentence(
                    f"routes[{route.name}].match: {method} is a method that few know{near}",
                    f"routes[{route.name}].match：{method} 是少见的方法{near_zh}",
                )
        host = route.template.host.decode()
        if host and "." not in host and ":" not in host and host != "localhost":
            yield Sentence(
                f"routes[{route.name}].match: {host} is taken for a host; a path begins with a slash: /{host}/…",
                f"routes[{route.name}].match：{host} 被当作主机名；路径以斜杠开头：/{host}/…",
            )


def _policies(config: Config) -> Iterator[Sentence]:
    for name, policy in config.policies.items():
        if policy.appeal == "off":
            yield Sentence(
                f"policies.{name}.appeal: is off; every refused person should be able to appeal",
                f"policies.{name}.appeal：为 off；每个被拒绝的人都应能申诉",
            )
        elif "{id}" not in policy.appeal and "{code}" not in policy.appeal:
            yield Sentence(
                f"policies.{name}.appeal: has no {{id}}; the person would have to copy the message's id by hand",
                f"policies.{name}.appeal：没有 {{id}}；当事人得手抄消息的编号",
            )
        if not policy.rules:
            yield Sentence(
                f"policies.{name}.rules: are empty; every message passes",
                f"policies.{name}.rules：为空；所有消息都会通过",
            )
        elif all(rule.mode == "shadow" for rule in policy.rules):
            yield Sentence(
                f"policies.{name}.rules: are all in shadow; every message passes",
                f"policies.{name}.rules：全部为 shadow；所有消息都会通过",
            )


def _unused(config: Config) -> Iterator[Sentence]:
    rules = [rule.options() for policy in config.policies.values() for rule in policy.rules]
    read = {name for options in rules if isinstance(options, Keywords) for name in options.lists}
    policies = {kind.policy for route in config.routes for kind in (route, *route.kinds)}
    upstreams = {route.upstream for route in config.routes} | {config.server.unmatched_upstream}
    upstreams |= set(config.server.unmatched_hosts.values())
    if config.server.unmatched != "refuse" and len(config.upstreams) == 1:
        upstreams |= set(config.upstreams)
    for section, names, used in (
        ("lists", config.lists, read),
        ("policies", config.policies, policies),
        ("upstreams", config.upstreams, upstreams),
    ):
        for name in names:
            if name not in used:
                yield Sentence(f"{section}.{name}: is used nowhere", f"{section}.{name}：没有任何地方用到")


def _route(config: Config, route: Route) -> Iterator[Sentence]:
    key = f"routes[{route.name}]"
    for source in filter(credential, route.sender):
        if route.digest_sender == "credentials":
            yield Sentence(
                f'{key}.sender = "{source}": is a credential by its name, so a digest of it is kept (digest_sender)',
                f"{key}.sender = “{source}”：按名称是凭证，因此只保存其摘要（digest_sender）",
            )
        elif route.digest_sender == "never":
            yield Sentence(
                f'{key}.sender = "{source}": is a credential by its name and stands in the journal in clear',
                f"{key}.sender = “{source}”：按名称是凭证，却以明文写入日志",
            )
    yield from _unvouched(key, route)
    yield from _weak(key, route, config.policies[route.policy])
    for network in route.trust:
        if network.prefixlen == 0:
            yield Sentence(
                f'{key}.trust = ["{network}"]: takes everybody’s word on who sends',
                f"{key}.trust = [“{network}”]：任何人说发送者是谁都相信",
            )
    policy = config.policies[route.policy]
    checks = {rule.check for rule in policy.rules}
    if route.parts and "parts" not in checks:
        yield Sentence(
            f"{key}.parts: is not weighed; policy {route.policy} has no parts rule",
            f"{key}.parts：没有作用；策略 {route.policy} 没有 parts 规则",
        )
    if "parts" in checks and not route.parts:
        yield Sentence(
            f"{key}.parts: is empty, so that the parts rule of policy {route.policy} finds nothing",
            f"{key}.parts：为空，因此策略 {route.policy} 的 parts 规则什么也找不到",
        )
    if route.transport == "websocket":
        yield from _unheard(key, route, policy)
    for rule in policy.rules:
        options = rule.options()
        if (
            isinstance(options, Limits)
            and any(limit.scope == "device" for limit in options.limits)
            and not route.device
        ):
            yield Sentence(
                f"{key}.device: is empty, so that the device limit of policy {route.policy} counts nothing",
                f"{key}.device：为空，因此策略 {route.policy} 按设备的限制不起作用",
            )
    for field in route.keep:
        if field != "ip" and not getattr(route, field):
            yield Sentence(
                f"{key}.keep: names {field}, which the route does not read",
                f"{key}.keep：写了 {field}，而该路由不读取它",
            )
    if route.unjudged == "relay":
        yield Sentence(
            f"{key}.unjudged: is relay; what is written to {route.template.address} otherwise is judged by nobody",
            f"{key}.unjudged：为 relay；以其他方式写入 {route.template.address} 的内容无人判定",
        )
    if route.template.below and not route.optional_text and not route.messages:
        yield Sentence(
            f"{key}.match: takes whatever lies below its address; what is written there without a text that text names "
            "is refused (text.missing), so name such addresses with routes of their own",
            f"{key}.match：包含其地址之下的一切；在那里写入而没有 text 所指的文字，会被拒绝（text.missing），"
            "因此请为这样的地址单独写路由",
        )
    if route.max_body > config.server.max_collected:
        yield Sentence(
            f"{key}.max_body: is above server.max_collected; the largest bodies are answered with 503",
            f"{key}.max_body：大于 server.max_collected；最大的请求体会得到 503",
        )
    if route.delay > config.server.drain:
        yield Sentence(
            f"{key}.delay: is longer than server.drain; what waits when a worker stops fails, and is not published",
            f"{key}.delay：长于 server.drain；进程停止时仍在延时的内容不会发布",
        )
    if route.access is not None and config.upstreams[route.upstream].preserve_host and not _own_host(route):
        yield Sentence(
            f"{key}.access: names no host, nor does match; the platform is asked under its first server's address, "
            "never under the reader's Host; write the host into access where the platform has several sites",
            f"{key}.access：与 match 一样没有主机名；将以平台第一个服务器的地址询问，而不用读者的 Host；"
            "平台有多个站点时，请把主机名写入 access",
        )
    if route.mirrored and "*" in route.origins:
        yield Sentence(
            f"{key}.origins = [“*”]: any site can open a socket with its visitor's cookies",
            f"{key}.origins = [“*”]：任何网站都能带着其访客的 Cookie 打开连接",
        )


def _unvouched(key: str, route: Route) -> Iterator[Sentence]:
    """A front overwrites headers. What stands in a body or a query passes it by, whomever it is from."""
    for name in ("sender", "registrant", "verified", "level"):
        told = getattr(route, name)
        for source in (told,) if isinstance(told, str) else told:
            if kind(source) in BY_CLIENTS:
                yield Sentence(
                    f'{key}.{name} = "{source}": is what its sender writes, and no front takes it off: anybody is whom '
                    "they say; read a header of the front, a token (jwt:) or what the platform says (whoami:)",
                    f"{key}.{name} = “{source}”：由发送者自己填写，前端不会去掉：谁都可以自称是别人；"
                    "请读取前端的请求头、令牌（jwt:）或平台所说的（whoami:）",
                )


def _made_by_put(config: Config, route: Route) -> Iterator[Sentence]:
    """What PUT brings is an edit unless the route says otherwise, and an edit may leave the text as it was."""
    if route.edit is not None or b"PUT" not in route.template.methods or not SURFACES[str(route.surface)].edits:
        return
    if any(one.edit is not None for one in route.messages):
        return
    made = (one for one in config.routes if one.judged and b"POST" in one.template.methods)
    if not any(below(route.template, one.template) for one in made):
        yield Sentence(
            f"routes[{route.name}].edit: is unset, so that each PUT is an edit, which need not hold a text; no judged "
            "POST makes messages at this address or above it: write edit = false if PUT makes them, else edit = true",
            f"routes[{route.name}].edit：未设置，因此每个 PUT 都算修改，而修改可以没有文字；此地址及其上级没有受判定的 "
            "POST 产生消息：若由 PUT 产生，请写 edit = false，否则写 edit = true",
        )


def _unheard_log_outs(config: Config, route: Route) -> Iterator[Sentence]:
    """Log-outs are relayed as they would be anyway: where nothing unmatched is written on, a route has to name them."""
    if route.whoami is None or config.server.unmatched == "relay":
        return
    named = [one.template for one in config.routes]
    for told in route.whoami.logout:
        wanted = parse_template(told)
        if not any(set(wanted.methods) <= set(one.methods) and below(wanted, one) for one in named):
            yield Sentence(
                f"routes[{route.name}].whoami.logout: “{told}” matches no route, and server.unmatched is "
                f"{config.server.unmatched}, so that nobody can log out: name it in a route without surface",
                f"routes[{route.name}].whoami.logout：“{told}” 没有路由匹配，而 server.unmatched 为 "
                f"{config.server.unmatched}，因此无人能退出登录：请为其写一个没有 surface 的路由",
            )


def _weak(key: str, route: Route, policy: Policy) -> Iterator[Sentence]:
    """Senders that are no persons."""
    named = [source for source in route.sender if kind(source) in WEAK]
    if not named:
        return
    told = "”, “".join(named)
    yield Sentence(
        f"{key}.sender = “{told}”: names no person; limits count it, and no block of a sender, no strike and no "
        "credit is theirs",
        f"{key}.sender = “{told}”：不指明任何人；只用于计数限制，没有针对发送者的封禁、记过和信用",
    )
    if "ip:" in named:
        yield Sentence(
            f'{key}.sender = "ip:": addresses stand in the journal as senders; write “hash:ip:” to keep a digest',
            f"{key}.sender = “ip:”：地址作为发送者写入日志；写 “hash:ip:” 则只保存摘要",
        )
    checks = {rule.check for rule in policy.rules if rule.mode == "enforce"}
    if "identity" in checks:
        yield Sentence(
            f"{key}.sender = “{told}”: policy {route.policy} asks for an identity, which nobody of these has",
            f"{key}.sender = “{told}”：策略 {route.policy} 要求实名，而这样的发送者都没有",
        )


def _own_host(route: Route) -> bool:
    return bool(route.template.host or parse_template(route.access or route.match).host)


def _unheard(key: str, route: Route, policy: Policy) -> Iterator[Sentence]:
    """Frames have no header, so what a label says stays here."""
    labelling = [
        rule.check for rule in policy.rules if rule.mode == "enforce" and "label" in (rule.action, rule.on_error)
    ]
    if labelling:
        seen = "the record and the static version" if route.mirrored else "the record"
        seen_zh = "记录和静态版本" if route.mirrored else "记录"
        named = dict.fromkeys(labelling)
        yield Sentence(
            f"{key}.policy: {route.policy} labels messages ({', '.join(named)}), and frames have no "
            f"header for it: labels stand in {seen}, the platform is told nothing; give the socket a policy of its own",
            f"{key}.policy：{route.policy} 给消息加标签（{'、'.join(named)}），而帧没有对应的请求头："
            f"标签只在{seen_zh}中，平台得不到通知；请给这个套接字单独的策略",
        )


def _loopback(address: str) -> bool:
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
