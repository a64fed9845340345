"""The manifests for Kubernetes match its published schemas, the restricted Pod Security Standard, and the answers."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from dockwright.matrix import combination_id, sample
from tests.render.conftest import refuse

CELLS = [cell for cell in sample() if cell["deploy"] == "kubernetes"]
pytestmark = pytest.mark.parametrize("answers", CELLS, ids=combination_id, indirect=True)
# The oldest version with all that the manifests use, which is the sleep before a stop, and the newest.
VERSIONS = ("1.30", "1.36")
Manifest = dict[str, Any]


@pytest.fixture(scope="module", params=["production", "public"])
def manifests(project: Path, request: pytest.FixtureRequest) -> list[Manifest]:
    """Return what kustomize makes of an overlay."""
    if not shutil.which("kubectl"):
        refuse("NOT TESTED: the manifests for Kubernetes: kubectl is not installed")
    return build(project / "k8s" / request.param)


@cache
def build(directory: Path) -> list[Manifest]:
    """Return the manifests of an overlay, as `kubectl apply -k` has them."""
    done = subprocess.run(["kubectl", "kustomize", directory], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield the name of each Deployment and Job, and the specification of its pods."""
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "Job"):
            yield manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the manifests of a kind by their names."""
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas(manifests: list[Manifest], version: str) -> None:
    """Each manifest is valid in the words of Kubernetes, without unknown fields."""
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_what_there_is(answers: dict[str, str], manifests: list[Manifest]) -> None:
    """There is a web service, a worker with a queue, and a migration with a database, all in one namespace."""
    assert of_kind(manifests, "Deployment").keys() == {"web", *["worker"] * ("queue" in answers["redis"])}
    assert of_kind(manifests, "Job").keys() == {*["migrate"] * (answers["database"] != "none")}
    namespaces = {one["metadata"].get("namespace") for one in manifests if one["kind"] != "Namespace"}
    assert namespaces == set(of_kind(manifests, "Namespace"))


def test_restricted(manifests: list[Manifest]) -> None:
    """Each pod fits the restricted Pod Security Standard, and has a read-only root, limits, and a /tmp with a size."""
    for name, pod in pods(manifests):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert all(volume.keys() & {"emptyDir", "secret"} for volume in pod["volumes"]), name
        assert all(volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume), name
        (container,) = pod["containers"]
        security = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["securityContext"] == security, name
        assert "memory" in container["resources"]["limits"], name
        assert not any("PASSWORD" in one["name"] for one in container.get("env", ())), name
    (namespace,) = of_kind(manifests, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_probes(answers: dict[str, str], texts: dict[str, str], manifests: list[Manifest]) -> None:
    """A pod starts when it is /ready, is alive by /health, and stops in time; the worker finishes its job.

    By /health it gets requests, too: a dependency that is away takes no pod out of the Service.
    """
    deployments = dict(pods(manifests))
    (web,) = deployments["web"]["containers"]
    paths = {name: web[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: get["path"] for name, get in paths.items()} == {
        "startupProbe": "/ready",
        "livenessProbe": "/health",
        "readinessProbe": "/health",
    }
    assert {get["port"] for get in paths.values()} == {"http"}
    assert web["ports"] == [{"name": "http", "containerPort": int(answers["port"])}]
    # Half of the 30 seconds are left to the requests that are under way.
    assert 0 < web["lifecycle"]["preStop"]["sleep"]["seconds"] <= 15
    if "worker" in deployments:
        (longest,) = [line for line in texts["app/queue.py"].splitlines() if line.startswith("TIMEOUT_SECONDS = ")]
        assert deployments["worker"]["terminationGracePeriodSeconds"] > int(longest.rpartition(" ")[2])


def test_replacement(manifests: list[Manifest]) -> None:
    """An old pod stays until a new one is ready, and a migration that fails is not tried again."""
    assert of_kind(manifests, "Deployment")["web"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    for job in of_kind(manifests, "Job").values():
        assert (job["spec"]["backoffLimit"], job["spec"]["template"]["spec"]["restartPolicy"]) == (0, "Never")


def test_selectors(manifests: list[Manifest]) -> None:
    """What selects pods selects those that it should, and DNS is that of the cluster."""
    kinds = ("Service", "PodDisruptionBudget")
    selectors = [one["spec"]["selector"] for one in manifests if one["kind"] in kinds]
    labels = of_kind(manifests, "Deployment")["web"]["spec"]["template"]["metadata"]["labels"]
    for selector in selectors:
        assert selector.get("matchLabels", selector).items() <= labels.items()
    for deployment in of_kind(manifests, "Deployment").values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    (policy,) = of_kind(manifests, "NetworkPolicy").values()
    (dns,) = policy["spec"]["egress"][0]["to"]
    assert dns["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert {(port["port"], port.get("protocol", "TCP")) for port in policy["spec"]["egress"][0]["ports"]} == {
        (53, "TCP"),
        (53, "UDP"),
    }


def test_references(answers: dict[str, str], manifests: list[Manifest]) -> None:
    """Requests find their way from the Ingress over the Service to the port of the pods, and no other port is open."""
    (container,) = dict(pods(manifests))["web"]["containers"]
    names = {port["name"] for port in container["ports"]}
    services = of_kind(manifests, "Service")
    for service in services.values():
        assert {port["targetPort"] for port in service["spec"]["ports"]} == names
    for ingress in of_kind(manifests, "Ingress").values():
        backends = [path["backend"]["service"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
        for backend in backends:
            ports = services[backend["name"]]["spec"]["ports"]
            assert backend["port"]["name"] in {port["name"] for port in ports}
    (policy,) = of_kind(manifests, "NetworkPolicy").values()
    assert policy["spec"]["ingress"] == [{"ports": [{"port": name} for name in names]}]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert answers["port"] in {str(port["containerPort"]) for port in container["ports"]}


def test_scaling(answers: dict[str, str], texts: dict[str, str], manifests: list[Manifest]) -> None:
    """The autoscaler can measure what it looks at, its pods have room in the database, and nodes can be drained."""
    deployments = of_kind(manifests, "Deployment")
    for budget in of_kind(manifests, "PodDisruptionBudget").values():
        assert 1 <= budget["spec"]["maxUnavailable"] < deployments["web"]["spec"].get("replicas", 2)
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler").values():
        target = deployments[scaler["spec"]["scaleTargetRef"]["name"]]
        (container,) = target["spec"]["template"]["spec"]["containers"]
        # A share of nothing can't be measured.
        assert {metric["resource"]["name"] for metric in scaler["spec"]["metrics"]} <= container["resources"][
            "requests"
        ].keys()
        if answers["database"] != "none":
            (allowed,) = re.findall(r"allows (\d+) connections", texts["k8s/public/autoscaler.yaml"])
            (pool,) = re.findall(r"^\| `POOL_SIZE` \| (\d+) \|", texts["README.md"], re.MULTILINE)
            workers = int(settings(manifests)["WORKERS"])
            # And one more for a rollout
            assert workers * (int(pool) + 1) * (scaler["spec"]["maxReplicas"] + 1) < int(allowed)


def test_as_in_compose(texts: dict[str, str], manifests: list[Manifest]) -> None:
    """What runs in the pods, with which settings, and how it is checked, is what Compose has."""
    services = yaml.safe_load(texts["compose.prod.yaml"])["services"]
    for name, pod in pods(manifests):
        (container,) = pod["containers"]
        assert container.get("args") == services[name].get("command"), name
        own = {one["name"]: one["value"] for one in container.get("env", ())}
        theirs = services[name]["environment"]
        # What has no default has to be set; the addresses are elsewhere, and so are the files.
        needed = {key for key, value in theirs.items() if not str(value).startswith("${")}
        assert needed <= settings(manifests).keys() | own.keys(), name
        assert own == {key: str(theirs[key]) for key in own}, name
        for file in (value for key, value in settings(manifests).items() if key.endswith("_FILE")):
            assert Path(file).parent.as_posix() in {mount["mountPath"] for mount in container["volumeMounts"]}, name
            assert f"--from-file={Path(file).name}=" in texts["README.md"]
    assert settings(manifests)["ENVIRONMENT"] == services["web"]["environment"]["ENVIRONMENT"]
    deployments = dict(pods(manifests))
    if "worker" in deployments:
        (worker,) = deployments["worker"]["containers"]
        assert ["CMD", *worker["livenessProbe"]["exec"]["command"]] == services["worker"]["healthcheck"]["test"]
    (start,) = re.findall(r"--start-period=(\d+)s", texts["Dockerfile"])
    for name in deployments.keys() & {"web", "worker"}:
        (container,) = deployments[name]["containers"]
        probe = container["startupProbe"]
        assert probe["periodSeconds"] * probe.get("failureThreshold", 3) >= int(start), name


def test_migration_ends(texts: dict[str, str], manifests: list[Manifest]) -> None:
    """The Job is ended, and so has a condition, before `make rollout` gives up."""
    for job in of_kind(manifests, "Job").values():
        (minutes,) = re.findall(r"--timeout=(\d+)m job/migrate", texts["Makefile"])
        assert job["spec"]["activeDeadlineSeconds"] < int(minutes) * 60


def settings(manifests: list[Manifest]) -> dict[str, str]:
    """Return the settings of the pods."""
    (data,) = (one["data"] for name, one in of_kind(manifests, "ConfigMap").items() if name.startswith("settings"))
    return dict(data)


def test_data_services(answers: dict[str, str], manifests: list[Manifest]) -> None:
    """The addresses of the data services are settings, and the network lets the pods reach those and no others."""
    ports = {"postgresql": 5432, "mariadb": 3306}
    expected = {ports[answers["database"]]} if answers["database"] != "none" else set()
    expected |= {6379} if answers["redis"] != "none" else set()
    assert ("DATABASE_URL" in settings(manifests), "REDIS_URL" in settings(manifests)) == (
        answers["database"] != "none",
        answers["redis"] != "none",
    )
    (policy,) = of_kind(manifests, "NetworkPolicy").values()
    assert {port["port"] for rule in policy["spec"]["egress"][1:] for port in rule["ports"]} == expected
    for name, pod in pods(manifests):
        has_secret = any("secret" in volume for volume in pod["volumes"])
        assert has_secret == bool(expected), name


# Writes down what it is asked to do in the namespace, and fails at what the environment names.
KUBECTL = """#!/bin/sh
shift 2
echo "$*" >>"$CALLS"
case "$*" in *"$FAILS"*) exit 1 ;; esac
"""
MIGRATE = [
    "delete job migrate --ignore-not-found",
    "apply --kustomize k8s/production --selector app.kubernetes.io/component in (settings, migrate)",
    "wait --for=jsonpath={.status.conditions} --timeout=6m job/migrate",
    "wait --for=condition=Complete --timeout=15s job/migrate",
]


@pytest.mark.skipif(not shutil.which("make"), reason="NOT TESTED: make rollout: make is not installed")
def test_rollout(answers: dict[str, str], project: Path, tmp_path: Path) -> None:
    """`make rollout` migrates first; when a migration fails, it replaces nothing and ends with an error."""
    kubectl, calls = tmp_path / "kubectl", tmp_path / "calls"
    kubectl.write_text(KUBECTL, encoding="utf-8")
    kubectl.chmod(0o755)

    def rollout(fails: str) -> tuple[bool, list[str]]:
        """Return whether it succeeds, and what it asks kubectl to do."""
        calls.unlink(missing_ok=True)
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "CALLS": str(calls), "FAILS": fails}
        done = subprocess.run(["make", "rollout"], cwd=project, env=environment, capture_output=True, check=False)
        return done.returncode == 0, calls.read_text(encoding="utf-8").splitlines()

    deployments = ["web", *["worker"] * ("queue" in answers["redis"])]
    replace = ["apply --kustomize k8s/production"]
    replace += [f"rollout status --timeout=5m deployment/{name}" for name in deployments]
    migrates = answers["database"] != "none"
    assert rollout("nothing") == (True, [*MIGRATE * migrates, *replace])
    if migrates:
        assert rollout("condition=Complete") == (False, [*MIGRATE, "logs job/migrate"])
    assert rollout("deployment/web") == (False, [*MIGRATE * migrates, *replace[:2]])
