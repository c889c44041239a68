"""What stands in deploy/kubernetes, built by kustomize, by the schemas of Kubernetes."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pytest
import yaml
from typer.main import get_command

from antiphon_server.cli.main import app
from antiphon_server.hardening import weaknesses
from antiphon_server.hardening.facts import Facts
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.settings import PREFIX, Settings, read_settings
from tests.repository.files import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("trial", "production")
VERSIONS = ("1.32", "1.37")
SECRET = "Xv5vEmDqbCbRmhFVxX0JZ0Yb9wG3cU0hY3wL9kqR2nA="
GIVEN = {
    "secret-key": SECRET,
    "database-url": "postgresql://antiphon:x@postgres.example/antiphon?sslmode=verify-full",
    "redis-url": "rediss://redis.example:6379/0",
}
Object = dict[str, Any]


@cache
def built(overlay: str) -> tuple[Object, ...]:
    """What `kustomize build` makes of an overlay."""
    kubectl = Path(sys.executable).with_name("kubectl")  # a wheel's
    done = subprocess.run(
        [kubectl, "kustomize", FOLDER / "overlays" / overlay],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Object]:
    """The objects of these kinds."""
    return [each for each in built(overlay) if each["kind"] in kinds]


def workloads(overlay: str) -> list[Object]:
    """Servers and edges."""
    return of_kind(overlay, "StatefulSet", "Deployment")


def container(workload: Object) -> Object:
    """Its only container."""
    [found] = workload["spec"]["template"]["spec"]["containers"]
    return dict(found)


def environment(overlay: str, workload: Object) -> dict[str, str]:
    """What a container finds, with secrets as an operator may have made them."""
    given: dict[str, str] = {}
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(overlay, "ConfigMap")}
    for source in container(workload)["envFrom"]:
        given |= maps.get(source.get("configMapRef", {}).get("name"), {})
    for each in container(workload)["env"]:
        reference = each.get("valueFrom", {}).get("secretKeyRef")
        given[each["name"]] = GIVEN[reference["key"]] if reference else each.get("value", "a")
    return {name: re.sub(r"\$\([A-Z_]+\)", "a", value) for name, value in given.items()}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_what_kubernetes_takes(overlay: str, version: str) -> None:
    """Strictly: a field that there is not is an error."""
    for each in built(overlay):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_run_commands_that_there_are(overlay: str) -> None:
    """With the command's own options."""
    for workload in workloads(overlay):
        command, *options = container(workload)["args"]
        known = {one for each in get_command(app).commands[command].params for one in each.opts}  # type: ignore[attr-defined]
        assert set(options) <= known


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_variables_are_settings(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, with values that are read; in production nothing is unsafe about them."""
    fields = {PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)}
    for workload in workloads(overlay):
        given = environment(overlay, workload)
        ours = {name: value for name, value in given.items() if name.startswith(PREFIX)}
        assert ours.keys() <= fields
        with monkeypatch.context() as patch:
            for name, value in ours.items():
                patch.setenv(name, value)
            settings = read_settings()
        assert settings.in_production is (overlay == "production")
        if settings.in_production:
            found = [it.check.name for it in weaknesses(settings, Facts()) if it.check.refuses]
            assert found == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_secrets_are_nowhere(overlay: str) -> None:
    """By reference alone: no object holds one."""
    assert of_kind(overlay, "Secret") == []
    for workload in workloads(overlay):
        for each in container(workload)["env"]:
            if re.search("SECRET|URL|KEY|PASSWORD", each["name"]):
                assert "secretKeyRef" in each["valueFrom"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_may_more_than_it_must(overlay: str) -> None:
    """No root, no token of the cluster, nothing written beside what is mounted."""
    for workload in workloads(overlay):
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        one = container(workload)
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert one["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in one["resources"]["limits"]
        mounts = {each["name"]: each["mountPath"] for each in one["volumeMounts"]}
        assert mounts.keys() == {each["name"] for each in pod["volumes"]}
        data = environment(overlay, workload)["ANTIPHON_DATA_DIR"]
        assert data.startswith(mounts["data"] + "/")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_and_selectors_meet(overlay: str) -> None:
    """Services, budgets and policies choose pods that there are, by ports that these have."""
    pods = [each["spec"]["template"] for each in workloads(overlay)]
    for each in of_kind(overlay, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = each["spec"]
        chooser = spec.get("podSelector") or spec["selector"]
        wanted = chooser.get("matchLabels", chooser).items()
        [pod] = [it for it in pods if wanted <= it["metadata"]["labels"].items()]
        [one] = pod["spec"]["containers"]
        known = {port["name"] for port in one["ports"]}
        known |= {port["containerPort"] for port in one["ports"]}
        asked = [port.get("targetPort", port["port"]) for port in spec.get("ports", ())]
        asked += [port["port"] for rule in spec.get("ingress", ()) for port in rule["ports"]]
        assert set(asked) <= known, each["metadata"]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_grace_is_longer_than_the_drain(overlay: str) -> None:
    """Who is told to end has the time for it, and for what comes before and after."""
    for workload in workloads(overlay):
        drain = float(environment(overlay, workload)["ANTIPHON_DRAIN_GRACE_S"])
        hook = container(workload).get("lifecycle", {}).get("preStop", {})
        first = hook.get("sleep", {}).get("seconds", 0)
        assert (
            first + drain + 20
            <= workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_servers_find_the_registry_of_every_edge(overlay: str) -> None:
    """By a name without an address of its own, which has those of all edges, ready or not."""
    for workload in of_kind(overlay, "StatefulSet"):
        where = environment(overlay, workload)["ANTIPHON_REGISTRY"]
        host, _, port = where.rpartition(":")
        name, namespace, *_ = host.split(".")
        [service] = [it for it in of_kind(overlay, "Service") if it["metadata"]["name"] == name]
        assert service["metadata"]["namespace"] == namespace
        assert service["spec"]["clusterIP"] == "None"
        assert service["spec"]["publishNotReadyAddresses"] is True
        assert int(port) == service["spec"]["ports"][0]["port"] == MeshSettings().port


def test_what_servers_are_scaled_by_is_what_they_tell() -> None:
    """The autoscaler's metrics are those of the adapter's rule, and the code names them."""
    [scaler] = of_kind("production", "HorizontalPodAutoscaler")
    adapter = yaml.safe_load((ROOT / "deploy" / "prometheus" / "adapter.yml").read_text())
    query = adapter["rules"][0]["seriesQuery"]
    composed = (ROOT / "services" / "antiphon_server").glob("*/compose.py")
    code = "".join(file.read_text() for file in composed)
    names = [it["pods"]["metric"]["name"] for it in scaler["spec"]["metrics"] if "pods" in it]
    assert len(names) == 2
    for name in names:
        assert name in query
        assert json.dumps(name) in code
