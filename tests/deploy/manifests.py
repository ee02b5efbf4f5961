"""deploy/kubernetes as values: the files that each kustomization names, without what kustomize changes in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS: Final = sorted(FOLDER.rglob("kustomization.yaml"))
Manifest: TypeAlias = dict[str, Any]


def kustomization(file: Path) -> Manifest:
    values: Manifest = yaml.safe_load(file.read_text(encoding="utf-8"))
    return values


def documents(file: Path) -> list[Manifest]:
    return [manifest for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")) if manifest]


def manifest_files() -> list[Path]:
    """All files but the kustomizations."""
    return sorted(set(FOLDER.rglob("*.yaml")) - set(KUSTOMIZATIONS))


def manifests(*kinds: str) -> Iterator[tuple[str, Manifest]]:
    """What is in them, of all kinds or of these, with a name for a test."""
    for file in manifest_files():
        for manifest in documents(file):
            if not kinds or manifest["kind"] in kinds:
                yield f"{file.parent.name}/{manifest['kind']}/{manifest['metadata']['name']}", manifest


def containers(deployment: Manifest) -> list[Manifest]:
    """Those of a Deployment's pods, the ones that run first among them."""
    pod = deployment["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]
