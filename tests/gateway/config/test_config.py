import json
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway import config
from gateway.config import Config, ConfigError
from gateway.surfaces import SURFACES

Written = Callable[..., Path]
Read = Callable[..., Config]


def test_defaults_have_their_units_read(read: Read) -> None:
    told = read()
    assert told.server.listen == ("127.0.0.1:8080",)
    assert told.server.max_head == 16384
    assert told.state.deadline == 0.02
    assert told.journal.keep_at_least == 184 * 86400
    assert told.mirror is None
    assert told.routes[0].sender == ("header:X-User-Id",)
    assert told.routes[0].trust == (ip_network("127.0.0.0/8"),)
    assert told.routes[0].room == ("path:room",)


def test_paths_and_base(written: Written, tmp_path: Path) -> None:
    file = written()
    assert config.load(file).lists["spam"].path == tmp_path / "spam.txt"
    assert config.load(file).server.data_dir == tmp_path / "data"
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "elsewhere" / "copy.toml", tmp_path)
    moved[0].write_bytes(file.read_bytes())
    assert config.load(moved[0], base=moved[1]).lists["spam"].path == tmp_path / "spam.txt"
    with pytest.raises(ConfigError, match="no file"):
        config.load(moved[0])


def test_it_cannot_be_changed(read: Read) -> None:
    told = read()
    with pytest.raises(ValidationError):
        told.server.workers = 3


def test_content_follows_the_surface(read: Read) -> None:
    assert read().routes[0].content_kept == "always"
    assert read('surface = "comment"', 'surface = "group"').routes[0].content_kept == "findings"
    assert read('surface = "comment"', 'surface = "group"\ncontent = "never"').routes[0].content_kept == "never"


@pytest.mark.parametrize(
    ("surface", "markup"), [("comment", "html"), ("profile", "html"), ("group", "off"), ("danmaku", "off")]
)
def test_markup_follows_the_surface(read: Read, surface: str, markup: str) -> None:
    more = "[mirror]\n" if surface == "danmaku" else ""
    page = '\npage = "/videos/{room}"' if surface == "danmaku" else ""
    assert set(SURFACES) == {"comment", "profile", "group", "danmaku"}
    named = f'surface = "{surface}"{page}'
    assert read('surface = "comment"', named, more=more).routes[0].markup_undone == markup
    for said in ("off", "html", "markdown"):
        told = read('surface = "comment"', f'{named}\nmarkup = "{said}"', more=more)
        assert told.routes[0].markup_undone == said


def test_a_danmaku_route_needs_only_an_empty_mirror_and_its_page(read: Read) -> None:
    told = read('surface = "comment"', 'surface = "danmaku"\npage = "/videos/{room}"', more="[mirror]\n")
    assert told.mirror is not None
    with pytest.raises(ConfigError, match="static version"):
        read('surface = "comment"', 'surface = "danmaku"\npage = "/videos/{room}"')
    with pytest.raises(ConfigError, match="page: is missing"):
        read('surface = "comment"', 'surface = "danmaku"', more="[mirror]\n")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8 at byte 5"):
        config.load(tmp_path / "latin.toml")


def test_secrets_come_from_outside_and_stay_out_of_sight(written: Written) -> None:
    file = written(more='[state]\nurl = "env:STATE"\n')
    told = config.load(file, environ={"STATE": "rediss://:hunter2@state:6380"})
    assert told.state.url is not None
    assert told.state.url.get_secret_value() == "rediss://:hunter2@state:6380"
    assert "hunter2" not in repr(told)
    with pytest.raises(ConfigError) as refused:
        config.load(file, environ={"STATE": "http://:hunter2@state"})
    assert "hunter2" not in str(refused.value)


def test_the_schema_is_json_and_knows_every_section() -> None:
    told = config.schema()
    assert json.loads(json.dumps(told)) == told
    assert set(told["properties"]) == set(Config.model_fields)
    assert told["additionalProperties"] is False


def test_paths_start_where_a_link_to_the_file_lies(written: Written, tmp_path: Path) -> None:
    """A mounted file may be a link into a folder that is gone after the next change."""
    file = written(more='[jwt]\njwks = "jwks.json"\n')
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / file.name).symlink_to(file)
    for name in ("spam.txt", "jwks.json"):
        (mounted / name).write_text("{}", encoding="utf-8")
    told = config.load(mounted / file.name)
    assert told.jwt is not None
    assert told.jwt.jwks == mounted / "jwks.json"
