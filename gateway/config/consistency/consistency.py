"""What one key alone cannot show: names that refer to other sections, and keys that need each other.

Read from the document as it was written, not from the models, so that these problems are told together with all
others (an operator should need one round, not three).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import Any

from filters.model.meaning import LANGUAGES
from gateway.common.units import duration, size
from gateway.config.consistency import addresses, arrays
from gateway.config.consistency import kinds as kind_consistency
from gateway.config.consistency import policies as policy_consistency
from gateway.config.consistency import refusals as refusal_consistency
from gateway.config.consistency import reviews as review_consistency
from gateway.config.consistency import routes as route_consistency
from gateway.config.consistency.document import Found, named, table, text, texts
from gateway.config.consistency.lines import NOWHERE, Lines, line_of
from gateway.config.consistency.problems import ConfigProblem, at, shown, written
from gateway.config.consistency.translation import nearest, similar
from gateway.config.sections.control import Control
from gateway.config.sections.journal import FLOOR, Journal
from gateway.config.sections.mirror import Mirror
from gateway.config.sections.state import Breaker
from gateway.config.values.section import Section
from gateway.http.server.router import plain_host
from gateway.sentences.known import known


def problems(
    document: dict[str, Any], file: str, raw: dict[str, Any], found: Lines = NOWHERE
) -> Iterator[ConfigProblem]:
    """Every problem between keys, in the file's order of sections. ``raw``: the document as it is written, where
    ``document`` has what names led to; ``found``: where keys stand."""
    for check in (addresses.problems, _server, _unmatched_hosts, _upstreams, policy_consistency.problems,
                  route_consistency.problems, kind_consistency.problems, arrays.problems, refusal_consistency.problems,
                  review_consistency.problems, _sentences, _jwt, _state, _journal, _mirror, _control, _metrics,
                  _traces):  # fmt: skip
        for path, message in check(document):
            line = line_of(path, found)
            yield ConfigProblem(file, written(path, document), shown(at(raw, path), path), message, line)


def _server(document: dict[str, Any]) -> Found:
    server = table(document, "server")
    upstreams = table(document, "upstreams")
    target = text(server, "unmatched_upstream")
    if target and target not in upstreams:
        yield ("server", "unmatched_upstream"), "is not in [upstreams]" + nearest(target, list(upstreams))
    elif not target and len(upstreams) > 1 and text(server, "unmatched", "relay") != "refuse":
        yield (
            ("server", "unmatched_upstream"),
            "is missing: with several upstreams, name the one for requests that no route matches, "
            "or write unmatched = “refuse”",
        )


def _unmatched_hosts(document: dict[str, Any]) -> Found:
    upstreams = table(document, "upstreams")
    for host, target in table(table(document, "server"), "unmatched_hosts").items():
        if host != plain_host(host.encode()).decode():
            yield ("server", "unmatched_hosts", host), "is not a host: write it in small letters, without a port"
        elif isinstance(target, str) and target not in upstreams:
            yield ("server", "unmatched_hosts", host), "is not in [upstreams]" + nearest(target, list(upstreams))


def _upstreams(document: dict[str, Any]) -> Found:
    for name, upstream in named(document, "upstreams"):
        yield from _key_pair(table(upstream, "tls"), ("upstreams", name, "tls"))
        seen: set[str] = set()
        servers = upstream.get("servers")
        for place, server in enumerate(servers if isinstance(servers, list) else ()):
            url = server if isinstance(server, str) else text(server, "url")
            if url and url in seen:
                yield ("upstreams", name, "servers", place), "is named twice: give the server a weight instead"
            seen.add(url)


def _key_pair(tls: dict[str, Any], path: tuple[str, ...]) -> Found:
    for one, other in (("certificate", "key"), ("key", "certificate")):
        if one in tls and other not in tls:
            yield (*path, other), f"is missing: {one} needs it"


def _sentences(document: dict[str, Any]) -> Found:
    sentences = table(document, "sentences")
    for language in LANGUAGES:
        for code in table(sentences, language):
            if code not in known():
                yield (
                    ("sentences", language, code),
                    "is not a reason that anybody is told" + similar(code, list(known())),
                )


def _jwt(document: dict[str, Any]) -> Found:
    jwt = document.get("jwt")
    if not isinstance(jwt, dict):
        return
    if not jwt.get("keys") and not jwt.get("jwks"):
        yield ("jwt", "keys"), "is missing: without keys or jwks no token can be checked"
    algorithms = texts(jwt, "algorithms")
    if any(one.startswith("HS") for one in algorithms) and not all(one.startswith("HS") for one in algorithms):
        yield (
            ("jwt", "algorithms"),
            "mixes shared secrets (HS…) with public keys: a public key must never serve as a secret; choose one kind",
        )
    if text(jwt, "source", "header:Authorization").partition(":")[0] not in {"header", "cookie"}:
        yield ("jwt", "source"), "is not a header: or cookie: source: a token is read from one of these"


def _state(document: dict[str, Any]) -> Found:
    state = table(document, "state")
    if "sentinel" in state and "url" in state:
        yield ("state", "sentinel"), "does not go with url: the sentinels tell the address; remove one of the two"
    if text(state, "topology") == "cluster" and "url" not in state:
        yield ("state", "url"), "is missing: name one node of the cluster"
    if text(state, "topology") == "cluster" and "sentinel" in state:
        yield ("state", "topology"), "does not go with sentinel: a cluster finds its own primaries"
    yield from _key_pair(table(state, "tls"), ("state", "tls"))
    breaker = table(state, "breaker")
    first, longest = _seconds(breaker, Breaker, "pause"), _seconds(breaker, Breaker, "max_pause")
    if first is not None and longest is not None and longest < first:
        yield ("state", "breaker", "max_pause"), "is below pause: raise it"


def _journal(document: dict[str, Any]) -> Found:
    journal = table(document, "journal")
    least = _seconds(journal, Journal, "keep_at_least")
    most = _seconds(journal, Journal, "keep_at_most")
    if least is not None and least < FLOOR:
        yield ("journal", "keep_at_least"), "is below 184d: six months are the least that the regulations ask for"
    if least is not None and most is not None and most < max(least, FLOOR):
        yield ("journal", "keep_at_most"), "is below keep_at_least: nothing could be kept long enough; raise it"
    low, full = _bytes(journal, Journal, "low_disk"), _bytes(journal, Journal, "full_disk")
    if low is not None and full is not None and low < full:
        yield ("journal", "low_disk"), "is below full_disk: the alarm must come before the end; raise it"
    seen: dict[Any, str] = {}  # this node's own may be among them: so one configuration does for all
    for name, peer in table(table(journal, "replicas"), "peers").items():
        path = ("journal", "replicas", "peers", name)
        if not isinstance(peer, dict):
            continue
        number = peer.get("node")
        if number in seen:
            yield (*path, "node"), f"is {seen[number]} as well: each node has a number of its own"
        elif number is not None:
            seen[number] = f"that of {name}"
        if text(peer, "url").startswith("unix:"):
            yield (*path, "url"), "is a unix socket: another node's control is reached by host and port"


def _mirror(document: dict[str, Any]) -> Found:
    mirror = table(document, "mirror")
    beat, lag = _seconds(mirror, Mirror, "heartbeat"), _seconds(mirror, Mirror, "max_lag")
    if beat is not None and lag is not None and lag < 3 * beat:
        yield ("mirror", "max_lag"), "is below three heartbeats: one late beat would stop all bullets; raise it"


def _control(document: dict[str, Any]) -> Found:
    control = table(document, "control")
    yield from _key_pair(control, ("control",))
    probes = text(control, "probes")
    if probes and probes == text(control, "listen", str(Control.model_fields["listen"].default)):
        yield ("control", "probes"), "is the address of the admin API, which answers probes already: remove it"


def _metrics(document: dict[str, Any]) -> Found:
    buckets = texts(table(document, "metrics"), "buckets")
    try:
        times = [duration(one) for one in buckets]
    except ValueError:
        return
    if any(after <= before for before, after in pairwise(times)):
        yield ("metrics", "buckets"), "do not rise: write them from short to long, each once"


def _traces(document: dict[str, Any]) -> Found:
    if "traces" in document and not _installed("opentelemetry-exporter-otlp-proto-http"):
        yield ("traces",), "needs OpenTelemetry: pip install 'tidegate[otel]'"


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _seconds(value: dict[str, Any], model: type[Section], key: str) -> float | None:
    """The time under ``key``, or its default; None where it is none."""
    try:
        return duration(value.get(key, model.model_fields[key].default))
    except ValueError:
        return None


def _bytes(value: dict[str, Any], model: type[Section], key: str) -> int | None:
    """The size under ``key``, or its default; None where it is none."""
    try:
        return size(value.get(key, model.model_fields[key].default))
    except ValueError:
        return None
