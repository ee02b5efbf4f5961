"""docker-compose.yml and Dockerfile, as far as they can be read without Docker: what a container may not do."""

import re
from typing import Any, Final

import pytest
import yaml

from tests.deploy.compose import ROOT

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions(name: str) -> list[str]:
    """What the image's last stage, which is what runs, says under that name."""
    stage = DOCKERFILE.rpartition("\nFROM ")[2].replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)$", stage, re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_container_can_neither_gain_rights_nor_write_beside_its_volume(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["storage:/var/lib/recto"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's
    forbidden = {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "user", "group_add", "env_file"}
    assert not forbidden & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_container_cannot_take_all_of_the_machine(name: str) -> None:
    assert SERVICES[name]["mem_limit"]
    assert 0 < SERVICES[name]["pids_limit"] <= 1024
    assert all("size=" in mount for mount in SERVICES[name]["tmpfs"])
    assert SERVICES[name]["init"] is True  # zombies are reaped


def test_only_the_backend_is_published_and_only_to_this_machine() -> None:
    assert SERVICES["backend"]["ports"] == ["${PUBLISH:-127.0.0.1:8080}:8080"]
    assert "ports" not in SERVICES["worker"]


def test_worker_which_opens_documents_of_strangers_has_no_network() -> None:
    assert SERVICES["worker"]["network_mode"] == "none"


def test_image_runs_as_a_user_without_rights_or_shell() -> None:
    assert instructions("USER") == ["recto"]
    (made,) = [line for line in instructions("RUN") if "useradd" in line]
    assert re.search(r"useradd .*--uid [1-9]\d{3,} .*--shell /usr/sbin/nologin recto", made)
    assert "sudo" not in DOCKERFILE


def test_programs_in_the_image_belong_to_root_and_the_volume_to_the_user() -> None:
    assert not [line for line in instructions("COPY") if "--chown" in line or "--chmod" in line]
    assert any("install -d -o recto -g recto -m 0750 /var/lib/recto" in line for line in instructions("RUN"))
    assert not re.search(r"chmod|chown", DOCKERFILE)


def test_image_holds_what_runs_and_no_secret() -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in allowed if not line.startswith("#")) == "*"
    assert not [line for line in allowed if line.startswith("!") and re.search(r"storage|\.git|\.env|tests", line)]
    assert not re.search(r"PASSWORD|SECRET|TOKEN", DOCKERFILE)
    assert instructions("ADD") == []
