"""The fields of KubeRay's resources (ray.io/v1) outside pod templates, for JSON Schema. The resources' own schemas are
a megabyte each, nearly all of it Kubernetes' pods, which `kubernetes-validate` knows."""

from typing import Any

COUNT = {"type": "integer", "minimum": 0}
WORDS = {"type": "object", "additionalProperties": {"type": "string"}}
TEXT = {"type": "string"}
SWITCH = {"type": "boolean"}


def closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


HEAD = closed(("template",), rayStartParams=WORDS, template={"type": "object"}, labels=WORDS, serviceType=TEXT)
WORKERS = closed(
    ("groupName", "minReplicas", "maxReplicas", "template"),
    groupName=TEXT, replicas=COUNT, minReplicas=COUNT, maxReplicas=COUNT, numOfHosts=COUNT, idleTimeoutSeconds=COUNT,
    rayStartParams=WORDS, template={"type": "object"}, labels=WORDS, suspend=SWITCH,
)  # fmt: skip
CLUSTER = closed(
    ("headGroupSpec",),
    rayVersion=TEXT, suspend=SWITCH, enableInTreeAutoscaling=SWITCH,
    authOptions=closed(mode={"enum": ["disabled", "token"]}, secretName=TEXT),
    headGroupSpec=HEAD, workerGroupSpecs={"type": "array", "items": WORKERS},
)  # fmt: skip
JOB = closed(
    entrypoint=TEXT, runtimeEnvYAML=TEXT, shutdownAfterJobFinishes=SWITCH, ttlSecondsAfterFinished=COUNT,
    backoffLimit=COUNT, activeDeadlineSeconds=COUNT, suspend=SWITCH, rayClusterSpec=CLUSTER,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
)  # fmt: skip
SERVICE = closed(
    serviceUnhealthySecondThreshold=COUNT, deploymentUnhealthySecondThreshold=COUNT, serveConfigV2=TEXT,
    excludeHeadPodFromServeSvc=SWITCH, rayClusterConfig=CLUSTER,
)  # fmt: skip


def resource(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return closed(
        ("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": "ray.io/v1"},
        kind={"const": kind},
        metadata={"type": "object", "required": ["name"]},
        spec=spec,
    )


SCHEMAS = {
    "cluster": resource("RayCluster", CLUSTER),
    "job": resource("RayJob", JOB),
    "service": resource("RayService", SERVICE),
}
