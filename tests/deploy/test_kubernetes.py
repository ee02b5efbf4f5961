"""deploy/kubernetes against the API's own schemas, and against the code that its pods run. Nothing here needs a cluster.

What is not Kubernetes' own, KEDA's and kustomize's, has no schema in kubernetes-validate: its fields are listed here.
"""

import re
import sqlite3
from pathlib import Path
from typing import Any, Final

import click
import kubernetes_validate
import pytest
from kubernetes_validate.utils import ValidationError

from deploy.health import CHECKS
from ocr_worker import main
from recto import __version__
from recto.settings import load_settings
from tests.deploy.compose import SERVICES
from tests.deploy.manifests import (
    FOLDER,
    KUSTOMIZATIONS,
    Manifest,
    containers,
    documents,
    kustomization,
    manifest_files,
    manifests,
)

VERSIONS: Final = ("1.32", "1.37")
"""The oldest and the newest that these files are held to."""
KEDA: Final = ("ScaledObject", "TriggerAuthentication")
DEPLOYMENTS: Final = dict(manifests("Deployment"))
PODS: Final = {
    deployment["metadata"]["name"]: deployment["spec"]["template"]["spec"] for deployment in DEPLOYMENTS.values()
}
CONFIGMAPS: Final = {manifest["metadata"]["name"]: manifest["data"] for _, manifest in manifests("ConfigMap")}
SECRETS: Final = {manifest["metadata"]["name"]: manifest["stringData"] for _, manifest in manifests("Secret")}
POLICIES: Final = {manifest["metadata"]["name"]: manifest["spec"] for _, manifest in manifests("NetworkPolicy")}

by_pod = pytest.mark.parametrize("name", PODS)
by_container = pytest.mark.parametrize(
    ("name", "container"),
    [(deployment["metadata"]["name"], one) for deployment in DEPLOYMENTS.values() for one in containers(deployment)],
    ids=lambda value: value if isinstance(value, str) else value["name"],
)


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_hold_to_the_schemas_of_kubernetes(version: str) -> None:
    checked = 0
    for name, manifest in manifests():
        if manifest["kind"] not in KEDA:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except ValidationError as error:
                raise AssertionError(f"{name}: {error.message}") from error
            checked += 1
    assert checked > 20


def test_schemas_are_looked_at_strictly() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "date": {}}
    with pytest.raises(ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_kustomizations_name_every_file_and_nothing_that_is_not_there() -> None:
    named: set[Path] = set()
    for file in KUSTOMIZATIONS:
        for resource in kustomization(file)["resources"]:
            path = (file.parent / resource).resolve()
            assert path.is_file() or (path / "kustomization.yaml").is_file(), path
            named.add(path)
    assert {file for file in manifest_files() if file not in named} == {FOLDER / "secrets.example.yaml"}


def test_kustomizations_have_fields_that_kustomize_knows() -> None:
    for file in KUSTOMIZATIONS:
        values = kustomization(file)
        assert (values["kind"], values["apiVersion"]) in {
            ("Kustomization", "kustomize.config.k8s.io/v1beta1"),
            ("Component", "kustomize.config.k8s.io/v1alpha1"),
        }
        assert set(values) <= {"apiVersion", "kind", "namespace", "labels", "resources", "images", "patches"}


def test_no_two_manifests_that_go_together_have_one_name() -> None:
    def built(file: Path) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for resource in kustomization(file)["resources"]:
            path = (file.parent / resource).resolve()
            found += (
                built(path / "kustomization.yaml")
                if path.is_dir()
                else [(manifest["kind"], manifest["metadata"]["name"]) for manifest in documents(path)]
            )
        return found

    for file in KUSTOMIZATIONS:
        names = built(file)
        assert len(names) == len(set(names)), file


def test_dask_takes_the_workers_out() -> None:
    patches = kustomization(FOLDER / "dask" / "kustomization.yaml")["patches"]
    taken = {
        (patch["target"]["kind"], patch["target"]["name"]) for patch in patches if "$patch: delete" in patch["patch"]
    }
    assert taken == {
        (manifest["kind"], manifest["metadata"]["name"]) for manifest in documents(FOLDER / "base" / "worker.yaml")
    }


@by_container
def test_image_bears_the_version(name: str, container: Manifest) -> None:
    assert container["image"] == f"recto:{__version__}", name


def test_images_of_the_registry_bear_the_version_too() -> None:
    tags = {
        file.parent.name: {image["newTag"] for image in kustomization(file).get("images", [])}
        for file in KUSTOMIZATIONS
    }
    assert tags["base"] == {__version__}
    assert tags["dask"] == {f"{__version__}-cluster"}


@by_container
def test_container_can_neither_gain_rights_nor_write_beside_its_volumes(name: str, container: Manifest) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["name"] for mount in container["volumeMounts"]} <= {
        volume["name"] for volume in PODS[name]["volumes"]
    }


@by_container
def test_container_has_its_share_and_no_more_memory(name: str, container: Manifest) -> None:
    resources = container["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}, name
    assert resources["limits"]["memory"]


@by_pod
def test_pod_runs_as_the_image_s_user_without_a_token_of_the_cluster(name: str) -> None:
    pod = PODS[name]
    context = pod["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"]) == (True, 10001, 10001)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    # Kubernetes would set variables such as RECTO_PORT for a Service of that name, which name no setting.
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all(volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"])


@by_pod
def test_pod_is_chosen_by_its_own_label_alone(name: str) -> None:
    (deployment,) = [one for one in DEPLOYMENTS.values() if one["metadata"]["name"] == name]
    label = {"app.kubernetes.io/component": name}
    assert deployment["spec"]["selector"]["matchLabels"] == label
    assert deployment["spec"]["template"]["metadata"]["labels"] == label


def environment(container: Manifest) -> dict[str, str]:
    """Its variables, the secrets filled in."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            found |= CONFIGMAPS[source["configMapRef"]["name"]]
        else:
            found |= dict.fromkeys(SECRETS[source["secretRef"]["name"]], "0" * 32)
    return found | {variable["name"]: variable["value"] for variable in container.get("env", [])}


@by_container
def test_settings_are_taken(name: str, container: Manifest) -> None:
    ours = {key: value for key, value in environment(container).items() if key.startswith("RECTO_")}
    settings = load_settings(ours)
    if name != "scheduler":
        assert settings.file_storage.setup.s3 is not None
        assert settings.file_storage.access_key_id


@by_container
def test_variables_that_are_no_settings_are_libpq_s(name: str, container: Manifest) -> None:
    assert {key for key in environment(container) if not key.startswith("RECTO_")} <= {"PGPASSWORD"}, name


def test_example_of_secrets_holds_none() -> None:
    assert SECRETS
    assert {value for secret in SECRETS.values() for value in secret.values()} == {""}
    assert not [
        key for data in CONFIGMAPS.values() for key in data if re.search(r"PASSWORD|SECRET|ACCESS_KEY|TOKEN", key)
    ]
    assert ":" not in CONFIGMAPS["recto-settings"]["RECTO_DATABASE_URL"].partition("//")[2].partition("@")[0]


def test_only_backends_have_the_session_secret_and_only_who_needs_it_the_database_s_password() -> None:
    holders: dict[str, set[str]] = {secret: set() for secret in SECRETS}
    for deployment in DEPLOYMENTS.values():
        for container in containers(deployment):
            for source in container.get("envFrom", []):
                if "secretRef" in source:
                    holders[source["secretRef"]["name"]].add(deployment["metadata"]["name"])
    assert holders == {
        "recto-backend": {"backend"},
        "recto-database": {"backend", "worker", "dispatcher"},
        "recto-store": {"backend", "worker", "dispatcher", "node"},
    }


@by_container
def test_command_is_there(name: str, container: Manifest) -> None:
    program, *arguments = container["command"][1:]
    if name == "scheduler":
        assert container["command"] == SERVICES["scheduler"]["command"]
    elif arguments:
        assert program == "ocr_worker.py"
        assert arguments[0] in main.list_commands(click.Context(main))
    else:
        assert program == "app.py"


def probes(container: Manifest) -> dict[str, Manifest]:
    return {kind: container[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe") if kind in container}


@by_pod
def test_probes_ask_what_there_is(name: str, client_routes: frozenset[str]) -> None:
    (container,) = PODS[name]["containers"]
    found = probes(container)
    assert "readinessProbe" in found
    ports = {port["name"] for port in container.get("ports", [])}
    for probe in found.values():
        if "httpGet" in probe:
            assert probe["httpGet"]["path"] in client_routes
            assert probe["httpGet"]["port"] in ports
        else:
            *program, checked = probe["exec"]["command"]
            assert program == ["python", "-m", "deploy.health"]
            assert checked in CHECKS
            assert probe["timeoutSeconds"] >= 10  # Python starts slowly on a busy machine


@pytest.fixture(scope="module")
def client_routes() -> frozenset[str]:
    """The addresses without parameters that anybody may ask."""
    from recto.web.serving import health

    return frozenset(re.findall(r'@blueprint\.get\("(/\w+)"\)', Path(health.__file__).read_text(encoding="utf-8")))


def test_liveness_of_a_backend_does_not_ask_the_database() -> None:
    (backend,) = PODS["backend"]["containers"]
    assert backend["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert backend["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_worker_outlives_a_database_that_is_away_for_ten_minutes() -> None:
    for name in ("worker", "dispatcher"):
        probe = PODS[name]["containers"][0]["livenessProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 600


def test_backend_is_given_the_time_to_end_its_requests() -> None:
    pod = PODS["backend"]
    pause = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    settings = load_settings(environment(pod["containers"][0]) | {"PGPASSWORD": ""})
    assert pause[0] == "sleep"
    assert pod["terminationGracePeriodSeconds"] > int(pause[1]) + settings.server.stop_timeout_s + 5


def test_services_and_the_ingress_lead_to_ports_that_there_are() -> None:
    services = {manifest["metadata"]["name"]: manifest["spec"] for _, manifest in manifests("Service")}
    for spec in services.values():
        (container,) = PODS[spec["selector"]["app.kubernetes.io/component"]]["containers"]
        offered = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert {port["targetPort"] for port in spec["ports"]} <= set(offered)
    (ingress,) = [manifest["spec"] for _, manifest in manifests("Ingress")]
    target = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert target["port"]["name"] in {port["name"] for port in services[target["name"]]["ports"]}
    assert PODS["backend"]["containers"][0]["ports"][0]["containerPort"] == load_settings({}).server.port


def test_ingress_lets_documents_and_held_requests_through() -> None:
    (ingress,) = [manifest for _, manifest in manifests("Ingress")]
    notes, server = ingress["metadata"]["annotations"], load_settings({}).server
    assert int(notes["nginx.org/client-max-body-size"].removesuffix("m")) * 1024**2 > server.max_batch_bytes
    assert int(notes["nginx.org/proxy-read-timeout"].removesuffix("s")) > server.max_wait_s
    assert notes["nginx.org/websocket-services"] == "backend"


def applies(policy: Manifest, name: str) -> bool:
    """Whether it is about the pods of that name."""
    selector = policy["podSelector"]
    if not selector:
        return True
    if "matchLabels" in selector:
        return bool(selector["matchLabels"]["app.kubernetes.io/component"] == name)
    return any(name in expression["values"] for expression in selector["matchExpressions"])


def egress_ports(name: str) -> set[Any]:
    """Where its pods may go: names of namespaces, labels of pods, networks."""
    found: set[Any] = set()
    for policy in POLICIES.values():
        for rule in policy.get("egress", []) if applies(policy, name) else []:
            for peer in rule["to"]:
                labels = peer.get("namespaceSelector", peer.get("podSelector", {})).get("matchLabels", {})
                found |= set(labels.values()) or {peer["ipBlock"]["cidr"]}
    return found


def test_nobody_goes_where_nothing_leads() -> None:
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}.items() <= POLICIES["nothing-but-names"].items()
    assert "ingress" not in POLICIES["nothing-but-names"]


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("backend", {"kube-system", "database", "store", "0.0.0.0/0"}),
        ("worker", {"kube-system", "database", "store"}),
        ("dispatcher", {"kube-system", "database", "store", "scheduler"}),
        ("node", {"kube-system", "store", "scheduler", "node"}),
        ("scheduler", {"kube-system", "node"}),
    ],
)
def test_pods_reach_what_they_need(name: str, places: set[str]) -> None:
    assert egress_ports(name) == places


def test_outward_way_of_a_backend_leaves_private_networks_out() -> None:
    (rule,) = POLICIES["backend"]["egress"]
    assert set(rule["to"][0]["ipBlock"]["except"]) == {
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
    }


def test_namespace_takes_restricted_pods_alone() -> None:
    ((_, namespace),) = manifests("Namespace")
    assert namespace["metadata"]["name"] == "recto"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {kustomization(file)["namespace"] for file in KUSTOMIZATIONS if "namespace" in kustomization(file)} == {
        "recto"
    }


def test_budgets_leave_room_for_a_node_of_the_cluster_to_be_emptied() -> None:
    for _, budget in manifests("PodDisruptionBudget"):
        spec, name = budget["spec"], budget["metadata"]["name"]
        assert spec["selector"]["matchLabels"] == {"app.kubernetes.io/component": name}
        (deployment,) = [one for one in DEPLOYMENTS.values() if one["metadata"]["name"] == name]
        assert spec.get("minAvailable", 0) < deployment["spec"]["replicas"]


SCALED_FIELDS: Final = {
    "scaleTargetRef",
    "minReplicaCount",
    "maxReplicaCount",
    "pollingInterval",
    "cooldownPeriod",
    "advanced",
    "triggers",
}
POSTGRESQL_FIELDS: Final = {"host", "port", "dbName", "userName", "sslmode", "query", "targetQueryValue"}


@pytest.mark.parametrize(("file", "target"), [("workers", "worker"), ("nodes", "node")])
def test_autoscaling_has_the_fields_of_keda(file: str, target: str) -> None:
    authentication, scaled = documents(FOLDER / "autoscaling" / file / "queue.yaml")
    assert {authentication["apiVersion"], scaled["apiVersion"]} == {"keda.sh/v1alpha1"}
    assert [source["parameter"] for source in authentication["spec"]["secretTargetRef"]] == ["password"]
    assert set(scaled["spec"]) == SCALED_FIELDS
    assert scaled["spec"]["scaleTargetRef"] == {"name": target}
    (trigger,) = scaled["spec"]["triggers"]
    assert (trigger["type"], trigger["metricType"]) == ("postgresql", "AverageValue")
    assert set(trigger["metadata"]) == POSTGRESQL_FIELDS
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert trigger["authenticationRef"] == {"name": authentication["metadata"]["name"]}


def query_of(file: str) -> str:
    _, scaled = documents(FOLDER / "autoscaling" / file / "queue.yaml")
    return str(scaled["spec"]["triggers"][0]["metadata"]["query"])


COUNTED: Final = (("QUEUED", None, 0), ("QUEUED", None, 0), ("IN_PROGRESS", 10, 3), ("FINISHED", 5, 5))


@pytest.mark.parametrize(("file", "expected"), [("workers", 3), ("nodes", 2 + 10 - 3 + 1)])
def test_query_of_the_autoscaling_counts_what_is_left(file: str, expected: int, migrated_file: Path) -> None:
    database = sqlite3.connect(migrated_file)
    columns = {row[1] for row in database.execute("PRAGMA table_info(job)")}
    database.close()
    assert {"status", "page_count", "pages_done"} <= columns
    table = sqlite3.connect(":memory:")
    table.execute("CREATE TABLE job (status TEXT, page_count INTEGER, pages_done INTEGER)")
    assert table.execute(query_of(file)).fetchone() == (0,)
    table.executemany("INSERT INTO job VALUES (?, ?, ?)", COUNTED)
    assert table.execute(query_of(file)).fetchone() == (expected,)
    table.close()
