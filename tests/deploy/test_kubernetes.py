"""The manifests fit each other, the configuration in them and the gateway's own time-outs.

``make manifests-check`` builds them with kustomize, and holds them to Kubernetes' own schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import config as configuration
from gateway.generation import conversion
from tests.certificates import make
from tools.watch import cluster
from tools.watch.expressions import ALERTS, RECORDING, ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
BASE = FOLDER / "base"
OURS = {"app.kubernetes.io/name": "tidegate"}
KUSTOMIZATIONS = sorted(FOLDER.rglob("kustomization.yaml"))


def read(path: Path) -> list[Any]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one is not None]


def resources() -> dict[tuple[str, str], Any]:
    (kustomization,) = read(BASE / "kustomization.yaml")
    found = [one for name in kustomization["resources"] for one in read(BASE / name)]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


RESOURCES = resources()
SET = RESOURCES["StatefulSet", "tidegate"]["spec"]
POD = SET["template"]["spec"]
(GATE,) = POD["containers"]
ENVIRONMENT = {"TIDEGATE_NODE": "0", "TIDEGATE_WORKERS": "2", "TIDEGATE_PLATFORM_AUTHORIZATION": "Bearer x"}


@pytest.fixture(scope="module")
def config() -> configuration.Config:
    found, problems = configuration.check(BASE / "tidegate.toml", environ=ENVIRONMENT)
    assert problems == []
    assert found is not None
    return found


def test_every_file_is_used_and_every_used_one_is_here() -> None:
    used: set[Path] = set()
    for path in KUSTOMIZATIONS:
        (one,) = read(path)
        named = [*one.get("resources", ()), *one.get("components", ())]
        named += [patch["path"] for patch in one.get("patches", ())]
        named += [file for made in one.get("configMapGenerator", ()) for file in made["files"]]
        for name in named:
            there = (path.parent / name).resolve()
            assert there.exists(), (path, name)
            used.add(there / "kustomization.yaml" if there.is_dir() else there)
    used |= {FOLDER / "overlays" / name / "kustomization.yaml" for name in ("production", "several")}
    assert used == {path for path in FOLDER.rglob("*") if path.is_file()}


def test_the_configuration_is_right_and_finds_its_files(config: configuration.Config) -> None:
    (kustomization,) = read(BASE / "kustomization.yaml")
    (made,) = kustomization["configMapGenerator"]
    assert sorted(made["files"]) == ["spam.txt", "tidegate.toml"]
    assert {one.path.name for one in config.lists.values()} == {"spam.txt"}
    # Everything that it names from outside is given to the process, and nothing else is.
    named = set(re.findall(r'"env:(\w+)"', (BASE / "tidegate.toml").read_text(encoding="utf-8")))
    assert named == {one["name"] for one in GATE["env"]} == set(ENVIRONMENT)


def test_ports_are_those_of_the_configuration(config: configuration.Config) -> None:
    ports = {one["name"]: one["containerPort"] for one in GATE["ports"]}
    assert config.control.probes is not None
    assert ports == {
        "http": int(config.server.public[0].address.rpartition(":")[2]),
        "probes": int(config.control.probes.rpartition(":")[2]),
    }
    # The admin API is nobody's from outside the pod.
    assert config.control.listen.startswith("127.0.0.1:")
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = GATE[kind]["httpGet"]
        assert (asked["path"], asked["port"]) == ("/readyz" if kind == "readinessProbe" else "/healthz", "probes")
    for name in ("tidegate", "tidegate-nodes"):
        service = RESOURCES["Service", name]["spec"]
        assert service["selector"] == OURS
        assert {one["targetPort"] for one in service["ports"]} <= set(ports)
    policy = RESOURCES["NetworkPolicy", "tidegate"]["spec"]
    assert {port["port"] for one in policy["ingress"] for port in one["ports"]} == set(ports)


def test_an_end_has_the_time_that_it_takes(config: configuration.Config) -> None:
    assert POD["terminationGracePeriodSeconds"] >= config.server.shutdown_delay + config.server.drain + 20
    probe = GATE["readinessProbe"]
    assert config.server.shutdown_delay >= 2 * probe["periodSeconds"], "the pod is out of every list before it drains"


def test_selectors_choose_our_pods_and_no_others() -> None:
    (kustomization,) = read(BASE / "kustomization.yaml")
    (labels,) = kustomization["labels"]
    assert labels["pairs"] == OURS
    assert labels["includeTemplates"]
    assert not labels.get("includeSelectors")
    assert SET["selector"]["matchLabels"] == OURS
    assert RESOURCES["PodDisruptionBudget", "tidegate"]["spec"]["selector"]["matchLabels"] == OURS
    assert RESOURCES["NetworkPolicy", "tidegate"]["spec"]["podSelector"]["matchLabels"] == OURS
    assert RESOURCES["Service", SET["serviceName"]]["spec"]["clusterIP"] == "None"
    (monitor,) = read(FOLDER / "components" / "monitoring" / "servicemonitor.yaml")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    nodes = RESOURCES["Service", "tidegate-nodes"]["metadata"]["labels"] | OURS
    assert wanted.items() <= nodes.items()
    assert not wanted.items() <= OURS.items(), "the other service has the same pods: each would be asked twice"
    scraped = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text(encoding="utf-8"))["global"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert [endpoint["interval"], endpoint["scrapeTimeout"]] == [scraped["scrape_interval"], scraped["scrape_timeout"]]


def test_the_pod_may_do_nothing_that_it_need_not(config: configuration.Config) -> None:
    assert POD["automountServiceAccountToken"] is False
    assert RESOURCES["ServiceAccount", POD["serviceAccountName"]]["automountServiceAccountToken"] is False
    inside = POD["securityContext"]
    assert (inside["runAsNonRoot"], inside["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    assert inside["runAsUser"] == inside["runAsGroup"] == inside["fsGroup"] == 10001  # of the image
    assert GATE["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip
    assert "cpu" not in GATE["resources"]["limits"]
    # What it writes lies in a volume.
    mounts = {one["mountPath"]: one["name"] for one in GATE["volumeMounts"]}
    claimed = {one["metadata"]["name"] for one in SET["volumeClaimTemplates"]}
    written = [Path(GATE["args"][GATE["args"].index("--data-dir") + 1]), Path(str(config.journal.dir)).parent]
    assert [mounts[str(path)] for path in written] == ["data", "journal"]
    assert {"data", "journal"} == claimed
    assert set(mounts.values()) == claimed | {one["name"] for one in POD["volumes"]}


def test_the_operator_has_the_rules_that_prometheus_has() -> None:
    ((path, text),) = cluster.written()
    assert path.read_text(encoding="utf-8") == text, "make reference"

    def groups(path: Path) -> Iterator[Any]:
        (one,) = read(path)
        yield from one.get("groups") or one["spec"]["groups"]

    assert list(groups(path)) == [*groups(RECORDING), *groups(ALERTS)]


SEVERAL = FOLDER / "overlays" / "several"


def of_several(kind: str) -> Any:
    (found,) = [one for path in SEVERAL.glob("*.yaml") for one in read(path) if one["kind"] == kind]
    return found


def test_several_nodes_are_configured_by_one_file(tmp_path: Path) -> None:
    """Each is another number, and copies the journals of all but itself; what it names is mounted and given."""
    pod = of_several("StatefulSet")["spec"]["template"]["spec"]
    (gate,) = pod["containers"]
    text = (SEVERAL / "tidegate.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"env:(\w+)"', text))
    assert named == {one["name"] for one in [*GATE["env"], *gate["env"]]}
    mounts = {one["mountPath"]: one["name"] for one in gate["volumeMounts"]}
    assert set(mounts.values()) == {one["name"] for one in pod["volumes"]}
    (tmp_path / "spam.txt").write_bytes((BASE / "spam.txt").read_bytes())
    for place in mounts:
        (tmp_path / place.lstrip("/")).mkdir(parents=True)
    files = make(tmp_path, "localhost")
    for path in re.findall(r'"(/etc/tidegate-[^"]+)"', text):
        source = files.key if path.endswith(".key") else files.certificate
        (tmp_path / path.lstrip("/")).write_bytes(source.read_bytes())
    text = text.replace("/etc/tidegate-", f"{tmp_path}/etc/tidegate-")
    (tmp_path / "tidegate.toml").write_text(text, encoding="utf-8")
    replicas = of_several("StatefulSet")["spec"]["replicas"]
    for number in range(replicas):
        given = ENVIRONMENT | {
            "TIDEGATE_NODE": str(number),
            "TIDEGATE_DATABASE": "postgresql://tidegate:secret@database/tidegate?sslmode=verify-full",
            "TIDEGATE_STATE": "rediss://tidegate:secret@valkey:6379",
            "TIDEGATE_SALT": "s" * 64,
            "TIDEGATE_REPLICA_TOKEN": "tg_x",
        }
        found, problems = configuration.check(tmp_path / "tidegate.toml", environ=given)
        assert problems == []
        assert found is not None
        copied = conversion.peers(found)
        assert {one.node for one in copied} == set(range(replicas)) - {number}
        service = RESOURCES["Service", SET["serviceName"]]["metadata"]["name"]
        port = found.control.listen.rpartition(":")[2]
        for one in copied:
            assert one.url == f"https://tidegate-{one.node}.{service}.tidegate.svc.cluster.local:{port}"
        assert {str(one["containerPort"]) for one in gate["ports"]} == {port}


def test_several_nodes_may_be_reached_as_one_may_and_reach_each_other() -> None:
    base, several = RESOURCES["NetworkPolicy", "tidegate"]["spec"], of_several("NetworkPolicy")["spec"]
    for way in ("ingress", "egress"):
        assert several[way][: len(base[way])] == base[way]
        more = several[way][len(base[way]) :]
        ours = [one for one in more for end in one.get("from", one.get("to")) if end.get("podSelector")]
        assert [one["ports"] for one in ours] == [[{"port": "control", "protocol": "TCP"}]]
