"""Prometheus itself, where it is installed or unpacked (tools/unpack_debian_package.sh)."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import requests

from tests.ports import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "deploy" / "prometheus"
_UNPACKED: Final = ROOT / ".make" / "prometheus" / "usr" / "bin"
_START_S: Final = 30.0


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`."""
    found = shutil.which(name) or shutil.which(name, path=str(_UNPACKED))
    assert found, f"{name} is missing: make test-services brings it"
    return found


def promtool(*arguments: str) -> str:
    """What it prints; its complaints are the failure's text."""
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=RULES, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Prometheus:
    """Scrapes one Backend each second on loopback, under the rules of deploy/prometheus, until `stop`."""

    def __init__(self, folder: Path, target: str) -> None:
        """`target` is host:port."""
        folder.mkdir()
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{RULES / 'alerts.yml'}]\n"
            f"scrape_configs: [{{job_name: recto, static_configs: [{{targets: ['{target}']}}]}}]\n",
            encoding="utf-8",
        )
        address = f"127.0.0.1:{free_port()}"
        self._url = f"http://{address}/api/v1"
        command = [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
        ]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_until_ready()

    def value(self, expression: str) -> float | None:
        """What an expression gives now, None for nothing."""
        result = self._get("query", query=expression)["result"]
        return float(result[0]["value"][1]) if result else None

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {alert["labels"]["alertname"] for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"}

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)

    def _get(self, what: str, **query: str) -> Any:
        answer = requests.get(f"{self._url}/{what}", params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()["data"]

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            try:
                self._get("query", query="1")
            except requests.RequestException:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Prometheus does not answer")
