"""A client that openapi-python-client makes from /openapi.json does the main job against a real server: submit, wait, download."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.web.clients import PDF
from tests.web.hand_worker import HandWorker
from tests.web.live_server import LiveServer
from tests.web.reading_by_hand import reading

pytestmark = pytest.mark.services

NAME = "recto_generated"


@pytest.fixture(scope="module")
def generated(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Imports a module of the package that was made."""
    folder = tmp_path_factory.mktemp("generated")
    generator = shutil.which("openapi-python-client", path=str(Path(sys.executable).parent))
    assert generator is not None
    made = subprocess.run(
        [
            generator,
            "generate",
            "--url",
            f"{live.address}/openapi.json",
            "--meta",
            "none",
            "--output-path",
            folder / NAME,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "Unable" not in made.stdout
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{NAME}.{name}" if name else NAME)
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


@pytest.fixture
def client(generated: Any, live: LiveServer, live_token: str) -> Any:
    """A client that is signed in."""
    with generated("").AuthenticatedClient(live.address, token=live_token, timeout=60) as client:
        yield client


def operation(generated: Any, name: str) -> ModuleType:
    module: ModuleType = generated(f"api.{name}")
    return module


def test_generated_client_submits_waits_and_downloads(
    generated: Any, client: Any, live_worker: HandWorker, tmp_path: Path
) -> None:
    live_worker.end_waiting()
    live_worker.report("eng")
    with reading(live_worker):
        with (tmp_path / "scan.pdf").open("w+b") as scan:
            scan.write(PDF)
            scan.seek(0)
            form = generated("models").DocumentForm(
                generated("types").File(scan, "scan.pdf", "application/pdf"), languages="eng"
            )
            submitted = operation(generated, "jobs.create_job").sync(client=client, body=form)
        assert (submitted.status, submitted.file_name, submitted.options.languages) == ("QUEUED", "scan.pdf", "eng")
        job = operation(generated, "jobs.get_job_status").sync(submitted.uuid, client=client, wait=30.0)
        assert (job.status, job.progress.pages_done, job.created) == ("FINISHED", 1, submitted.created)
        assert [entry.status for entry in job.transitions] == ["QUEUED", "IN_PROGRESS", "FINISHED"]
        result = operation(generated, "results.get_result").sync_detailed(submitted.uuid, client=client, wait=30.0)
        assert result.status_code == 302
        assert client.get_httpx_client().get(result.headers["location"]).text == "Read by hand.\n"
        page = operation(generated, "pages.get_page").sync(job.uuid, 1, client=client)
        assert (page.number, page.width_px) == (1, 60)
        listed = operation(generated, "jobs.get_jobs").sync(client=client, limit=1, status="FINISHED")
        assert [one.uuid for one in listed.jobs] == [job.uuid]
        assert operation(generated, "jobs.delete_job").sync_detailed(job.uuid, client=client).status_code == 204


def test_generated_client_gets_problems_as_values(generated: Any, client: Any) -> None:
    unknown = "0b9e3a52-7f0c-4d3e-9a51-6c1f0e2d4b77"
    missing = operation(generated, "jobs.get_job_status").sync(unknown, client=client)
    assert (type(missing).__name__, missing.code, missing.status) == ("Problem", "job_not_found", 404)


def test_generated_client_has_every_operation(generated: Any, client: Any) -> None:
    made = {file.stem for file in Path(generated("").__file__).parent.glob("api/*/*.py")} - {"__init__"}
    document = client.get_httpx_client().get("/openapi.json").json()
    assert made == {one["operationId"] for item in document["paths"].values() for one in item.values()}
