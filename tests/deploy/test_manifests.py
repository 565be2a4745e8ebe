"""Every file that another tool reads, read by that tool, or checked against what it accepts."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import ray
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.serve.schema import ServeDeploySchema

from tests.conftest import ROOT
from tests.deploy.kuberay import SCHEMAS

DEPLOY = ROOT / "deploy"
KUBERNETES = "1.34"


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def kuberay(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A resource and the cluster in it."""
    document = read(DEPLOY / f"kuberay/{name}.yaml")
    spec = document["spec"]
    return document, spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec


def templates(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"] for group in groups]


@pytest.mark.parametrize("name", ["cluster.yaml", "deploy/on-premise.yaml"])
def test_the_cluster_launcher_takes_the_file(name: str) -> None:
    config = read(ROOT / name)
    validate_config(prepare_config(config))
    started = " ".join(config["head_start_ray_commands"] + config["worker_start_ray_commands"])
    assert started.count("RAY_AUTH_MODE=token") == 4
    assert "--dashboard-host=127.0.0.1" in started
    assert "~/.ray/auth_token" in config["file_mounts"]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_kuberay_resources(name: str) -> None:
    document, cluster = kuberay(name)
    jsonschema.validate(document, SCHEMAS[name])
    assert cluster["rayVersion"] == ray.__version__
    assert cluster["authOptions"] == {"mode": "token"}
    for template in templates(cluster):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", **template["metadata"]}}
        kubernetes_validate.validate({**pod, "spec": template["spec"]}, KUBERNETES, strict=True)
        assert template["spec"]["securityContext"]["runAsNonRoot"]
        for container in template["spec"]["containers"]:
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
            assert {"readinessProbe", "livenessProbe"} <= container.keys()
            assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_a_misspelt_field_is_found() -> None:
    document, _ = kuberay("cluster")
    document["spec"]["headGroupSpecs"] = document["spec"].pop("headGroupSpec")
    with pytest.raises(jsonschema.ValidationError, match="headGroupSpecs"):
        jsonschema.validate(document, SCHEMAS["cluster"])
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containerz": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_the_served_configuration_is_one_for_all() -> None:
    ours = read(ROOT / "serve/config.yaml")
    ServeDeploySchema.model_validate(ours)
    assert ours["http_options"]["host"] == "127.0.0.1"
    theirs = yaml.safe_load(kuberay("service")[0]["spec"]["serveConfigV2"])
    ServeDeploySchema.model_validate(theirs)
    ours["http_options"]["host"] = "0.0.0.0"  # a pod's own network
    assert theirs == ours


def test_the_served_pods_ask_for_a_key() -> None:
    for template in templates(kuberay("service")[1]):
        names = {variable["name"] for variable in template["spec"]["containers"][0]["env"]}
        assert "SWIGGLE_API_KEY" in names


def test_the_image() -> None:
    linted = subprocess.run(
        [str(Path(sys.executable).parent / "hadolint"), "--failure-threshold=info", str(DEPLOY / "Dockerfile")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    users = [line.removeprefix("USER ") for line in lines if line.startswith("USER ")]
    assert users[-1] == "1000"
    # What is copied is all that the package has, and nothing of it is left out of the build's context.
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    admitted = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    assert copied == admitted
    assert {"swiggle", "jobs", "serve", "pyproject.toml", "constraints.txt"} <= copied
