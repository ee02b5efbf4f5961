"""docker-compose.cluster.yml, as far as it can be read without Docker: what a container may do, whom it reaches, what it is told."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest

from ocr_worker import main
from recto import __version__
from recto.settings import load_settings
from tests.deploy.compose import CLUSTER, OURS, ROOT, SERVICES

SECRETS = ("PGPASSWORD", "POSTGRES_PASSWORD", "SECRET", "ACCESS_KEY", "ADMIN_PASSWORD")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


def networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def reachable(name: str) -> set[str]:
    """The services with which that one shares a network."""
    return {other for other in SERVICES if other != name and networks(other) & networks(name)}


def environment(name: str) -> dict[str, str]:
    return dict(SERVICES[name].get("environment", {}))


@pytest.mark.parametrize("name", SERVICES)
def test_container_can_neither_gain_rights_nor_write_beside_its_volume(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    forbidden = {
        "privileged",
        "cap_add",
        "devices",
        "pid",
        "ipc",
        "userns_mode",
        "group_add",
        "env_file",
        "network_mode",
    }
    assert not forbidden & set(service)
    assert all("docker.sock" not in volume for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_container_cannot_take_all_of_the_machine(name: str) -> None:
    assert SERVICES[name]["mem_limit"]
    assert 0 < SERVICES[name]["pids_limit"] <= 1024
    assert all("size=" in mount for mount in SERVICES[name]["tmpfs"])
    assert SERVICES[name]["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_image_is_the_one_of_this_version_with_dask(name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == f"recto:{__version__}-cluster"
    assert service["build"]["args"] == {"EXTRA_REQUIREMENTS": "requirements-cluster.txt"}
    assert service["init"] is True  # zombies are reaped


def test_images_of_others_are_named_with_a_version() -> None:
    others = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert others
    for image in others.values():
        assert re.search(r":v?\d+(\.\d+)*(-\w+)?$", image), image


def test_only_the_proxy_is_published_and_only_to_this_machine() -> None:
    assert {name for name in SERVICES if "ports" in SERVICES[name]} == {"proxy"}
    assert all(VARIABLE.match(port)["rest"].startswith(":-127.0.0.1:") for port in SERVICES["proxy"]["ports"])  # type: ignore[index] # each has one


def test_node_which_opens_documents_of_strangers_reaches_scheduler_and_store_alone() -> None:
    assert reachable("node") == {"scheduler", "store", "dispatcher"}
    # The dispatcher is the scheduler's client: of its own it listens to nobody.
    assert networks("node") & networks("dispatcher") == {"cluster"}
    assert all(CLUSTER["networks"][network]["internal"] for network in networks("node"))


def test_database_is_reached_by_those_who_need_it() -> None:
    assert reachable("database") == {"backend", "dispatcher"}
    assert CLUSTER["networks"]["database"]["internal"]


def test_way_out_have_the_proxy_and_the_backends_which_call_webhooks() -> None:
    outward = {
        name for name in SERVICES if any(not (CLUSTER["networks"][net] or {}).get("internal") for net in networks(name))
    }
    assert outward == {"proxy", "backend"}


def test_secrets_come_from_outside_and_have_no_default() -> None:
    for name in SERVICES:
        for key, value in environment(name).items():
            if any(secret in key for secret in SECRETS) and key != "RECTO_SERVER_SECURE_COOKIES":
                found = VARIABLE.fullmatch(value)
                assert found is not None, (name, key)
                assert found["rest"].startswith(":?"), (name, key)
    assert "@" in environment("backend")["RECTO_DATABASE_URL"]
    assert ":" not in environment("backend")["RECTO_DATABASE_URL"].partition("//")[2].partition("@")[0]


def test_secrets_go_to_those_who_need_them() -> None:
    holders = {
        secret: {name for name in SERVICES if any(secret in str(value) for value in environment(name).values())}
        for secret in ("${POSTGRES_PASSWORD", "${STORE_SECRET_KEY", "${SECRET_KEY", "${ADMIN_PASSWORD")
    }
    assert holders["${POSTGRES_PASSWORD"] == {"backend", "dispatcher", "database"}
    assert holders["${STORE_SECRET_KEY"] == {"backend", "dispatcher", "node", "store", "bucket"}
    assert holders["${SECRET_KEY"] == holders["${ADMIN_PASSWORD"] == {"backend"}


def made_up(value: str) -> str:
    """The value with its default, or with a secret."""
    return VARIABLE.sub(lambda found: "0" * 32 if found["rest"].startswith(":?") else found["rest"][2:], value)


@pytest.mark.parametrize("name", sorted(OURS))
def test_settings_are_taken(name: str) -> None:
    environ = {key: made_up(value) for key, value in environment(name).items() if key.startswith("RECTO_")}
    settings = load_settings(environ)
    if environ:
        assert settings.file_storage.setup.s3 is not None
        assert settings.file_storage.path_style


def command(name: str) -> list[str]:
    return list(SERVICES[name]["command"])


@pytest.mark.parametrize("name", ["dispatcher", "node"])
def test_commands_are_there(name: str) -> None:
    program, *arguments = command(name)[1:]
    assert program == "ocr_worker.py"
    assert arguments[0] in main.list_commands(click.Context(main))


def test_backend_and_its_health_check_are_the_image_s_own() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert command("backend") == ["python", "app.py"]
    assert "HEALTHCHECK --interval=10s" in dockerfile
    assert "healthcheck" not in SERVICES["backend"]


def test_every_lasting_service_has_a_health_check_that_there_is() -> None:
    from deploy.health import CHECKS

    for name in OURS - {"backend", "bucket"}:
        *program, checked = SERVICES[name]["healthcheck"]["test"]
        assert program == ["CMD", "python", "-m", "deploy.health"]
        assert checked in CHECKS
    for name in set(SERVICES) - OURS:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES["bucket"]["healthcheck"] == {"disable": True}


def test_programs_of_the_health_checks_are_in_the_image() -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"!deploy/health.py", "!deploy/bucket.py", "!requirements-cluster.txt"} <= set(allowed)


def test_client_s_own_proxy_is_believed_and_no_other() -> None:
    assert environment("backend")["RECTO_SERVER_TRUSTED_PROXIES"] == "1"


@pytest.mark.parametrize("name", ["backend", "dispatcher", "node", "bucket"])
def test_folder_for_what_is_on_its_way_belongs_to_the_image_s_user(name: str) -> None:
    (mount,) = [mount for mount in SERVICES[name]["tmpfs"] if mount.startswith("/var/lib/recto:")]
    assert "uid=10001,gid=10001,mode=0750" in mount
    assert "--uid 10001" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def scaled(name: str) -> Any:
    return SERVICES[name].get("deploy", {}).get("replicas", 1)


def test_services_that_scale_have_no_name_and_no_port_of_their_own() -> None:
    assert (scaled("backend"), scaled("node")) == (2, 2)
    for name in ("backend", "dispatcher", "node"):
        assert not {"container_name", "hostname", "ports"} & set(SERVICES[name])


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    script = [str(ROOT / "tools" / "cluster_secrets.sh"), str(file)]
    subprocess.run(script, check=True, capture_output=True)
    first = file.read_text(encoding="utf-8")
    subprocess.run(script, check=True, capture_output=True)
    assert file.read_text(encoding="utf-8") == first
    assert file.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in first.splitlines() if not line.startswith("#"))
    wanted = {
        found["name"]
        for service in SERVICES
        for value in environment(service).values()
        for found in VARIABLE.finditer(value)
        if found["rest"].startswith(":?")
    }
    assert set(values) == wanted
    assert len(values["SECRET_KEY"]) >= 32
    assert len(set(values.values())) == len(values)


def test_file_of_secrets_goes_neither_into_git_nor_into_the_image() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "!.env" not in (ROOT / ".dockerignore").read_text(encoding="utf-8")
    ignored = subprocess.run(["git", "check-ignore", ".env"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode in (0, 128)  # 128: no git, or no repository
    assert os.access(ROOT / "tools" / "cluster_secrets.sh", os.X_OK)
