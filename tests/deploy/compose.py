"""docker-compose.cluster.yml as values, its YAML merges done."""

from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
CLUSTER: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.cluster.yml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = CLUSTER["services"]
OURS: Final = frozenset(name for name, service in SERVICES.items() if "build" in service)
"""The services that run Recto's image."""
