"""The compose file: what it mounts is here, and what it mounts is right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import SecretStr

from gateway import config as configuration
from gateway.generation import conversion
from tools.watch.expressions import ROOT

FOLDER = ROOT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"
POSTGRESQL = FOLDER / "postgresql.yaml"
SEVERAL = FOLDER / "several.yaml"
COMPOSED: Any = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: Any = COMPOSED["services"]
BESIDE: Any = yaml.safe_load(POSTGRESQL.read_text(encoding="utf-8"))
TWO: Any = yaml.safe_load(SEVERAL.read_text(encoding="utf-8"))


def mounts(service: str) -> dict[str, str]:
    """Where in the container, by what is mounted there."""
    return {target: source for source, target, *_ in (one.split(":") for one in SERVICES[service]["volumes"])}


def configured(database: str = "") -> configuration.Config:
    given = {
        "TIDEGATE_STATE_PASSWORD": "x",
        "TIDEGATE_DATABASE": database or SERVICES["tidegate"]["environment"]["TIDEGATE_DATABASE"],
    }
    found, problems = configuration.check(FOLDER / "tidegate.toml", environ=given)
    assert problems == []
    assert found is not None
    return found


def test_what_is_mounted_is_here_and_read_only() -> None:
    used = set()
    for service in SERVICES.values():
        for one in service.get("volumes", ()):
            source, _, *how = one.split(":")
            if source.startswith("."):
                assert (FOLDER / source).exists(), one
                assert how == ["ro"], one
                used.add((FOLDER / source).resolve())
            else:
                assert source in COMPOSED["volumes"]
    for service in TWO["services"].values():
        used |= {(FOLDER / one.split(":")[0]).resolve() for one in service["volumes"] if one.startswith(".")}
    assert {path for path in FOLDER.iterdir() if path not in (FILE, POSTGRESQL, SEVERAL)} <= used


def test_the_database_is_a_file_in_the_volume_or_the_server_beside() -> None:
    assert configured().control.database == Path("/var/lib/tidegate/control/control.sqlite3")
    url = re.sub(r"\$\{(\w+)[^}]*\}", "secret1", BESIDE["services"]["tidegate"]["environment"]["TIDEGATE_DATABASE"])
    database = configured(url).control.database
    assert isinstance(database, SecretStr)
    assert urlsplit(database.get_secret_value()).hostname in BESIDE["services"]
    server = BESIDE["services"]["postgresql"]
    assert (
        url == f"postgresql://tidegate:secret1@postgresql:5432/{server['environment']['POSTGRES_DB']}?sslmode=disable"
    )
    assert [one.partition(":")[0] for one in server["volumes"]] == list(BESIDE["volumes"])


def test_the_gate_is_configured_for_its_neighbours() -> None:
    config = configured()
    assert config.state.url is not None
    named = (config.state.url.get_secret_value(), config.upstreams["platform"].servers[0].url)
    hosts = {re.split("[:/]+", url)[1] for url in named}
    assert hosts == {"valkey", "platform"} < set(SERVICES)
    assert set(mounts("tidegate")) == {"/etc/tidegate/tidegate.toml", "/etc/tidegate/lists", "/var/lib/tidegate"}
    grace = int(SERVICES["tidegate"]["stop_grace_period"].removesuffix("s"))
    assert grace >= config.server.shutdown_delay + config.server.drain + 20
    assert config.control.listen.startswith("127.0.0.1:")
    assert not any("8081" in port or "8082" in port for port in SERVICES["tidegate"]["ports"])
    given = set(re.findall(r'"env:(\w+)"', (FOLDER / "tidegate.toml").read_text(encoding="utf-8")))
    assert given == set(SERVICES["tidegate"]["environment"])


def test_prometheus_reads_the_rules_and_the_gate() -> None:
    ours = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    general = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (target,) = ours["scrape_configs"][0]["static_configs"][0]["targets"]
    probes = configured().control.probes
    assert probes is not None
    assert target == f"tidegate:{probes.rpartition(':')[2]}"
    ours["scrape_configs"][0]["static_configs"] = general["scrape_configs"][0]["static_configs"]
    assert ours == general
    there = mounts("prometheus")
    for name in ("prometheus.yml", *ours["rule_files"]):
        assert Path(there[f"/etc/prometheus/{name}"]).name == name


def test_grafana_finds_prometheus_and_the_boards() -> None:
    there = mounts("grafana")
    folder = FOLDER / there["/etc/grafana/provisioning"]
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    assert source["url"].startswith("http://prometheus:")
    for one in yaml.safe_load((folder / "dashboards" / "tidegate.yml").read_text(encoding="utf-8"))["providers"]:
        inside = Path(one["options"]["path"])
        assert list((FOLDER / there[str(inside.parent)] / inside.name).glob("*.json"))
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (FOLDER / there[str(home.parent.parent)] / home.parent.name / home.name).exists()


def test_the_state_server_has_the_files_that_are_shipped() -> None:
    there = mounts("valkey")
    text = (FOLDER / there["/etc/valkey/valkey.conf"]).read_text(encoding="utf-8")
    (acl,) = re.findall(r"^aclfile (\S+)$", text, re.MULTILINE)
    assert "user tidegate " in (FOLDER / there[acl]).read_text(encoding="utf-8")
    assert SERVICES["valkey"]["command"][SERVICES["valkey"]["command"].index("--dir") + 1] in there


def test_two_nodes_have_one_configuration_and_copy_each_other() -> None:
    nodes = {name: one for name, one in TWO["services"].items() if "environment" in one}
    assert set(nodes) == {"tidegate", "second"}
    settings: dict[str, configuration.Config] = {}
    for name, one in nodes.items():
        given = {key: re.sub(r"\$\{(\w+)[^}]*\}", "secret1", value) for key, value in one["environment"].items()}
        named = re.findall(r'"env:(\w+)"', (FOLDER / "several.toml").read_text(encoding="utf-8"))
        assert set(named) == set(given)
        found, problems = configuration.check(FOLDER / "several.toml", environ=given)
        assert problems == []
        assert found is not None
        settings[name] = found
        assert "./several.toml:/etc/tidegate/tidegate.toml:ro" in one["volumes"]
    port = settings["second"].control.listen.rpartition(":")[2]
    for name, other in (("tidegate", "second"), ("second", "tidegate")):
        (peer,) = conversion.peers(settings[name])
        assert (peer.url, peer.node) == (f"http://{other}:{port}", settings[other].server.node)
    # What nginx asks are both.
    front = (FOLDER / "several-nginx.conf").read_text(encoding="utf-8")
    asked = dict(re.findall(r"^ +server (\w+):(\d+) ", front, re.MULTILINE))
    public = settings["second"].server.public[0].address.rpartition(":")[2]
    assert asked == {"tidegate": public, "second": public}
