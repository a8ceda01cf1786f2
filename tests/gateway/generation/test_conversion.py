"""A default stands once, and every setting of a part is reached from the configuration."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from filters.reading.keywords import Bounds
from gateway import config
from gateway.common.defaults import defaults
from gateway.config.sections.journal import Journal
from gateway.config.sections.jwt import Jwt
from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.config.sections.routes import Route, Socket
from gateway.config.sections.sentences import Sentences
from gateway.config.sections.server import Server
from gateway.config.sections.state import Breaker, State
from gateway.config.sections.upstreams import Active, Passive, Upstream, UpstreamServer, UpstreamTls
from gateway.config.values.section import Section
from gateway.generation import conversion
from gateway.http.server.problem import Problem
from gateway.http.server.settings import ServerSettings
from gateway.http.upstream.settings import CheckSettings, EjectionSettings, UpstreamServerSettings, UpstreamSettings
from gateway.journal.write.ids import Ids
from gateway.journal.write.settings import JournalSettings
from gateway.sentences.known import known
from gateway.sentences.own import EMERGENCY
from gateway.state.cold import topology
from gateway.state.model.settings import StateSettings
from gateway.surfaces.input.settings import SurfaceSettings, TokenSettings
from gateway.websocket.habits import Habits
from tests.certificates import make

NOW, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
EXAMPLE = Path(__file__).parents[3] / "examples" / "tidegate.toml"

PARTS: dict[type[Any], tuple[type[Section], ...]] = {
    ServerSettings: (Server,),
    UpstreamSettings: (Upstream,),
    UpstreamServerSettings: (UpstreamServer, UpstreamTls),
    EjectionSettings: (Passive,),
    CheckSettings: (Active,),
    JournalSettings: (Journal,),
    StateSettings: (State, Breaker),
    Habits: (Socket,),
    TokenSettings: (Jwt,),
    SurfaceSettings: (Route, Server, Socket),
}

CONVERTED = {
    # Ranges are written as networks and kept as text.
    (ServerSettings, "trusted_proxies"),
    # A key is a secret in the configuration, and bytes with a name where tokens are read; a key set is a file.
    (TokenSettings, "keys"),
    (TokenSettings, "jwks"),
    # One source, or none, is a list of one or of none where it is compiled.
    *((SurfaceSettings, name) for name in ("room", "device", "registrant", "verified", "level")),
    *((SurfaceSettings, name) for name in ("shown_sender", "playback")),
}
"""What both have under one name, and no default is shared: "", () and (…,) are its absence in two languages."""


def shared(part: type[Any], section: type[Section]) -> list[str]:
    """Names of settings that the section has as well, with a default."""
    return [
        field.name
        for field in dataclasses.fields(part)
        if field.name in section.model_fields
        and not section.model_fields[field.name].is_required()
        and (part, field.name) not in CONVERTED
    ]


def first_arguments(section: type[Section]) -> dict[str, str]:
    """How the default of each key is written in the section."""
    body = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        node.target.id: ast.unparse(node.value.args[0])
        for node in body.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call)
    }


@pytest.mark.parametrize(
    ("part", "section"), [(part, section) for part, sections in PARTS.items() for section in sections]
)
def test_no_default_stands_in_both_places(part: type[Any], section: type[Section]) -> None:
    written, told = first_arguments(section), defaults(part)
    for name in shared(part, section):
        if not hasattr(told, name):
            continue  # the part has none
        where, dot, attribute = written[name].partition(".")
        assert (dot, attribute) == (".", name), f"{section.__name__}.{name} = {written[name]}: take {part.__name__}'s"
        assert where.isupper()
        assert section.model_fields[name].default == getattr(told, name)


@pytest.mark.parametrize(("part", "name"), sorted(CONVERTED, key=str))
def test_what_is_converted_has_no_default_but_absence(part: type[Any], name: str) -> None:
    assert not getattr(defaults(part), name)


def test_bounds_of_reading_are_those_of_the_part_that_reads() -> None:
    keys = Server.model_fields
    assert (keys["max_folded"].default, keys["max_hits"].default) == (Bounds().folded, Bounds().hits)
    assert Route.model_fields["max_text"].default == Bounds().text == SurfaceSettings("", "", (), ()).max_text


def test_every_setting_is_reached_from_the_example() -> None:
    """``carried`` refuses a setting without a source; here every conversion runs, with every kind of part."""
    told = config.load(EXAMPLE, environ={})
    conversion.server(told.server)
    conversion.journal(told.journal)
    topology.settings(told.state)
    conversion.tokens(Jwt())
    for name, section in told.upstreams.items():
        conversion.upstream(name, section.model_copy(update={"active": Active(path="/up")}))
    for route in told.routes:
        conversion.habits(route.websocket)
        if route.judged:
            conversion.surface(told, route)


def test_certificates_of_the_public_side(tmp_path: Path) -> None:
    """What cannot be used is a problem with its line, what expires soon a warning."""
    pairs = [make(tmp_path, "a.example", stem=f"p{days}", days=days) for days in (-1, 3, 90)]
    file = tmp_path / "tidegate.toml"
    written = ", ".join(f'{{ certificate = "{one.certificate.name}", key = "{one.key.name}" }}' for one in pairs)
    text = '[server.tls]\nlisten = ":1"\ncertificates = [%s]\n[upstreams.a]\nservers = ["http://127.0.0.1:2"]\n'
    file.write_text(text % written)
    told = config.load(file, environ={})
    assert conversion.unbuildable(told, str(file)) == []
    expired, soon = (one.en for one in conversion.expiring(told, time.time()))
    assert f"{pairs[0].certificate} expired on" in expired
    assert f"{pairs[1].certificate} expires on" in soon
    pairs[1].key.write_bytes(pairs[2].key.read_bytes())
    (problem,) = conversion.unbuildable(told, str(file))
    assert (problem.key, problem.line) == ("server.tls.certificates[1]", 3)
    assert "of another certificate" in problem.message


def test_an_untouched_section_gives_the_defaults_of_its_part() -> None:
    assert conversion.server(Server()) == ServerSettings()
    assert conversion.journal(Journal()) == JournalSettings()
    assert conversion.habits(Socket()) == Habits()
    assert conversion.tokens(Jwt()) == TokenSettings()
    assert topology.settings(State()) == StateSettings()


def certificate() -> bytes:
    """A self-signed one, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), NOW, NOW + DAY)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_other_files_of_tls_are_other_settings(tmp_path: Path) -> None:
    """So that a reload does not go on with connections that were made with the old certificates."""
    authorities = tmp_path / "ca.pem"
    one, other = certificate(), certificate()
    keys = []
    for trusted in (one, other, one):
        authorities.write_bytes(trusted)
        section = Upstream.model_validate(
            {"servers": ["https://a.example", "http://b.example"], "tls": {"ca": str(authorities), "verify": True}}
        )
        made = conversion.upstream("platform", section).servers
        keys.append(made[0].tls_key)
        assert made[1].tls_key == ""
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize(
    ("access", "match", "host"),
    [
        ("GET rooms.example/may/{room}", "GET live.example/live/{room}", b"rooms.example"),
        ("GET /may/{room}", "GET live.example/live/{room}", b"live.example"),
        ("GET /may/{room}", "GET /live/{room}", b"10.0.0.9:9000"),
    ],
)
def test_the_host_under_which_a_room_is_asked_about(access: str, match: str, host: bytes) -> None:
    """Never the reader's: it could be that of another site, with an open room of the same name."""
    upstream = Upstream(servers=("http://10.0.0.9:9000",))
    route = Route(name="live", match=match, upstream="platform", access=access)
    made = config.Config.model_construct(upstreams={"platform": upstream}, routes=(route,))
    assert conversion.asked_host(made, route, access) == host


def test_an_operators_words_stand_in_place_of_ours() -> None:
    own = {
        "zh": {"keyword.match": {"title": "有不允许发布的词语"}, "limit.sender": {"detail": ""}},
        "terms": {"agreement 3.1": {"zh": "用户协议第 3.1 条"}, EMERGENCY: {"en": "emergency"}},
    }
    sentences = conversion.sentences(Sentences.model_validate(own))
    match = Problem(403, "keyword.match", "x", ground="agreement 3.1")
    told = sentences.worded(match, "zh")
    assert (told.title, told.detail) == ("有不允许发布的词语", known()["keyword.match"].told("zh")[1])
    assert told.ground == "用户协议第 3.1 条"
    told = sentences.worded(match, "en")
    assert (told.title, told.detail) == known()["keyword.match"].told("en")
    assert told.ground == "agreement 3.1"
    told = sentences.worded(Problem(429, "limit.sender", "x", "y", ground=EMERGENCY), "zh")
    assert (told.title, told.detail, told.ground) == (known()["limit.sender"].told("zh")[0], "", "应急处置")
    assert sentences.worded(Problem(429, "limit.sender", "x", ground=EMERGENCY), "en").ground == "emergency"


def test_codes_follow_from_a_key_or_from_the_salt() -> None:
    one = Ids(0, 0)()
    assert conversion.appeal_codes(None, b"salt") is None
    made = {
        codes.code(one)
        for written, salt in (("", b"salt"), ("", b"other"), ("key", b"salt"))
        if (codes := conversion.appeal_codes(AppealTerms.model_validate({"key": written}), salt)) is not None
    }
    assert len(made) == 3
