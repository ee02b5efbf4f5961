"""Imports go down only: every import of every module against the rows of the house."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OUR_OWN = ("app", "ocr_worker", "models", "recto")

ENTRY_POINTS = ("app", "ocr_worker", "recto.commands", "recto.supervise")
WEB = ("recto.web",)
WORKER_SERVICES = (
    "recto.working",
    "recto.working.pace",
    "recto.working.transactions",
    "recto.working.repeating",
    "recto.working.sweeper",
    "recto.working.text_indexer",
    "recto.working.expiry",
    "recto.working.presence",
    "recto.working.result_version",
    "recto.working.stage_times",
    "recto.working.page_tasks",
    "recto.executors",
    "recto.working.job_in_hand",
    "recto.cluster",
    "recto.working.heartbeat",
    "recto.worker",
)
BACKEND_SERVICES = ("recto.webhooks.sender",)
MOVING = ("recto.moving.rows", "recto.moving.files", "recto.moving")
OPERATIONS = (
    "recto.records",
    "recto.views",
    "recto.users",
    "recto.text_search",
    "recto.webhooks",
    "recto.views.jobs",
    "recto.records.change_numbers",
    "recto.views.pages",
    "recto.views.page_results",
    "recto.views.job_orders",
    "recto.text_search.words",
    "recto.text_search.text_index",
    "recto.search",
    "recto.audit",
    "recto.records.meters",
    "recto.users.sign_ins",
    "recto.records.file_references",
    "recto.records.derivations",
    "recto.records.corrections",
    "recto.records.job_events",
    "recto.changes",
    "recto.records.idempotency",
    "recto.records.batches",
    "recto.records.retention",
    "recto.records.deletion_proof",
    "recto.records.storage_report",
    "recto.views.reports",
    "recto.workers",
    "recto.accounts",
    "recto.queue_order",
    "recto.records.deduplication",
    "recto.views.outlook",
    "recto.users.identities",
    "recto.metrics",
    "recto.records.job_details",
    "recto.webhooks.endpoints",
    "recto.webhooks.deliveries",
    "recto.records.kept_documents",
    "recto.records.tallies",
    "recto.records.unfinished_jobs",
    "recto.views.overview",
    "recto.users.administration",
    "recto.jobs",
    "recto.expired_leases",
)
FOUNDATIONS = (
    "recto.database",
    "recto.database.errors",
    "recto.database.turns",
    "recto.database.after_create",
    "recto.database.connections",
    "recto.database.log_writes",
    "recto.database.commits",
    "models",
    "recto.ocr",
    "recto.file_storage",
)
LEAVES = (
    "recto.errors",
    "recto.settings",
    "recto.setting_layers",
    "recto.setting_values",
    "recto.logs",
    "recto.parent_death",
    "recto.storage_setup",
    "recto.time_limits",
    "recto.outbound",
    "recto.stage_labels",
    "recto.durations",
    "recto.tracing",
    "recto.tracing.spans",
    "recto.tracing.opentelemetry",
    "recto.tracing.start",
    "recto",
)
ROWS = (ENTRY_POINTS, (*WEB, *BACKEND_SERVICES, *WORKER_SERVICES, *MOVING), OPERATIONS, FOUNDATIONS, LEAVES)

WITHIN_A_ROW = {
    **{right: WORKER_SERVICES[:place] for place, right in enumerate(WORKER_SERVICES)},
    "recto.moving": MOVING[:-1],
    **dict.fromkeys(OPERATIONS[1:-2], ("recto.views.jobs",)),
    "recto.text_search.text_index": ("recto.text_search.words",),
    "recto.search": ("recto.views.jobs", "recto.text_search.words", "recto.text_search.text_index"),
    "recto.records.file_references": ("recto.records.derivations",),
    "recto.records.corrections": (
        "recto.views.jobs",
        "recto.records.change_numbers",
        "recto.records.derivations",
        "recto.text_search.text_index",
    ),
    "recto.records.deduplication": ("recto.views.jobs", "recto.workers"),
    "recto.records.storage_report": ("recto.records.meters", "recto.records.kept_documents"),
    "recto.users.administration": ("recto.records.retention",),
    "recto.users.identities": ("recto.accounts", "recto.audit"),
    "recto.records.unfinished_jobs": ("recto.records.change_numbers",),
    "recto.records.deletion_proof": ("recto.audit",),
    "recto.metrics": ("recto.queue_order", "recto.records.meters", "recto.workers"),
    "recto.records.job_details": ("recto.views.jobs", "recto.records.change_numbers"),
    "recto.views.outlook": ("recto.views.jobs", "recto.queue_order", "recto.workers"),
    "recto.views.overview": ("recto.queue_order", "recto.workers"),
    "recto.database.commits": ("recto.database.log_writes",),
    "models": ("recto.database.after_create",),
    "recto.database.connections": ("recto.database.errors", "recto.database.turns"),
    "recto.records.job_events": ("recto.views.jobs", "recto.records.change_numbers"),
    "recto.jobs": OPERATIONS[:-2],
    "recto.expired_leases": ("recto.jobs",),
    "recto.web": BACKEND_SERVICES,
    "app": (),
    "ocr_worker": ("recto.commands",),
    "recto.settings": (
        "recto.errors",
        "recto.setting_layers",
        "recto.setting_values",
        "recto.storage_setup",
        "recto.time_limits",
        "recto.outbound",
        "recto",
    ),
    "recto.setting_layers": ("recto.errors", "recto"),
    "recto.setting_values": ("recto.storage_setup", "recto.outbound", "recto"),
    "recto.outbound": ("recto.errors", "recto"),
    "recto.time_limits": ("recto.errors", "recto"),
    "recto.tracing.start": ("recto.errors", "recto.tracing.spans", "recto.tracing.opentelemetry", "recto"),
    "recto.tracing.opentelemetry": ("recto.tracing.spans", "recto"),
    "recto.logs": ("recto.errors", "recto"),
}
"""What a module may import of its own row, besides itself."""

SETTINGS_READERS = ENTRY_POINTS
OF_OCR_IN_THE_BACKEND = {"recto.ocr.options", "recto.ocr.media_types"}


def modules() -> Iterator[tuple[str, Path]]:
    for file in [ROOT / "app.py", ROOT / "ocr_worker.py", ROOT / "models.py", *sorted((ROOT / "recto").rglob("*.py"))]:
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


MODULES = dict(modules())


CLIENT = ROOT / "clients" / "python"
CLIENT_FILES = sorted((CLIENT / "recto_client").rglob("*.py"))
"""The client is a stranger to the service: it stands in no row, and both know each other by HTTP alone."""


def imports(file: Path, of: tuple[str, ...] = OUR_OWN) -> set[str]:
    """Our own modules that a file imports, also inside functions and for types alone."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} has a relative import"
            assert node.module is not None
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in whole}
    return {name for name in found if name.partition(".")[0] in of}


def room(module: str) -> tuple[int, str]:
    """The row of a module, from the top, and the name in it that it belongs to: the longest that fits."""
    fitting = [
        (len(name), row, name)
        for row, names in enumerate(ROWS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    _, row, name = max(fitting)
    return row, name


def is_allowed(importer: str, imported: str) -> bool:
    (upper, mine), (lower, theirs) = room(importer), room(imported)
    if mine == theirs or imported == "recto":  # recto/__init__.py holds the version
        return True
    if upper == lower:
        return theirs in WITHIN_A_ROW.get(mine, ())
    return upper < lower


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_go_down_only(module: str) -> None:
    wrong = [name for name in imports(MODULES[module]) if not is_allowed(module, name)]
    assert wrong == []


@pytest.mark.parametrize("module", [name for name in MODULES if name != "recto"])
def test_module_has_a_room_in_the_house(module: str) -> None:
    assert room(module)[1] != "recto", f"{module} stands in no row of the design"


@pytest.mark.parametrize("module", MODULES)
def test_dask_is_imported_in_one_room_alone(module: str) -> None:
    """It is not installed with the rest. For types alone others may: that is not run."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    run = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in run}
    assert module.startswith("recto.cluster") or not any(
        name.startswith(("dask", "distributed", "recto.cluster")) for name in named
    )


@pytest.mark.parametrize("module", MODULES)
def test_settings_are_read_by_entry_points_alone(module: str) -> None:
    readers = imports(MODULES[module]) & {"recto.settings", "recto.setting_layers"}
    assert not readers or module == "recto.settings" or room(module)[1] in SETTINGS_READERS


@pytest.mark.parametrize("module", [name for name in MODULES if room(name)[1] == "recto.web" or name == "app"])
def test_backend_imports_of_the_ocr_only_options_and_media_types(module: str) -> None:
    assert {name for name in imports(MODULES[module]) if name.startswith("recto.ocr")} <= OF_OCR_IN_THE_BACKEND


def test_database_imports_errors_alone() -> None:
    assert imports(MODULES["recto.database.connections"]) == {
        "recto.errors",
        "recto.database.errors",
        "recto.database.turns",
    }


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("recto.ocr")])
def test_ocr_is_a_library_without_service_parts(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in named} & {"flask", "sqlalchemy", "time", "datetime", "models"}


@pytest.mark.parametrize("module", [name for name in MODULES if room(name)[1] != "recto.web" and name != "app"])
def test_flask_and_gevent_are_left_to_the_backend(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in named} & {"flask", "flask_login", "flask_sqlalchemy", "gevent"}


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("recto.web.api", "recto.jobs", True),
        ("recto.web.api", "recto.worker", False),
        ("recto.worker", "recto.web.api", False),
        ("recto.worker", "recto.executors", True),
        ("recto.executors", "recto.worker", False),
        ("recto.jobs", "recto.views.jobs", True),
        ("recto.views.jobs", "recto.jobs", False),
        ("recto.changes", "recto.accounts", False),
        ("models", "recto.database.connections", False),
        ("recto.file_storage.volume", "recto.ocr.page", False),
        ("recto.file_storage.volume", "recto.file_storage.base", True),
        ("recto.errors", "recto.settings", False),
        ("recto.settings", "recto.errors", True),
        ("recto.logs", "recto.settings", False),
        ("recto.web.services", "recto.webhooks.sender", True),
        ("recto.webhooks.sender", "recto.web.services", False),
        ("recto.webhooks.sender", "recto.worker", False),
        ("recto.outbound.guard", "recto.settings", False),
        ("recto.jobs", "app", False),
    ],
)
def test_rule_itself_tells_right_from_wrong(importer: str, imported: str, allowed: bool) -> None:
    assert is_allowed(importer, imported) is allowed


@pytest.mark.parametrize("file", CLIENT_FILES, ids=lambda file: str(file.relative_to(CLIENT)))
def test_client_imports_nothing_of_the_service(file: Path) -> None:
    assert imports(file) == set()


@pytest.mark.parametrize("module", MODULES)
def test_service_imports_nothing_of_the_client(module: str) -> None:
    assert imports(MODULES[module], of=("recto_client",)) == set()


def test_client_package_lists_all_its_folders() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {".".join(file.parent.relative_to(CLIENT).parts) for file in CLIENT_FILES}
    assert set(project["tool"]["setuptools"]["packages"]) == folders


START_BACKEND = """
import sys
from app import create_app
from recto.settings import load_settings
create_app(load_settings({{"RECTO_FILE_STORAGE_PATH": {folder!r}}}))
print(*sys.modules)
"""
START_PAGE_PROCESS = "import recto.working.page_tasks, sys; print(*sys.modules)"


def loaded(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_backend_starts_without_any_imaging_package(tmp_path: Path) -> None:
    names = loaded(START_BACKEND.format(folder=str(tmp_path)))
    assert "flask" in names
    assert not names & {"cv2", "numpy", "tesserocr", "pytesseract", "PIL", "pypdfium2"}
    assert not names & {"boto3", "botocore"}, "which the documents in a folder need not"


def test_page_process_starts_without_database_and_web_server_and_object_store() -> None:
    assert not loaded(START_PAGE_PROCESS) & {"sqlalchemy", "flask", "gevent", "alembic", "boto3"}


def test_process_that_makes_a_format_starts_without_migrations_and_web_server() -> None:
    names = loaded("import sys, recto.commands.derive; print(*sys.modules)")
    assert "sqlalchemy" in names
    assert not names & {"alembic", "flask", "gevent", "boto3", "tesserocr"}


@pytest.mark.parametrize("module", MODULES)
def test_boto3_is_known_by_the_modules_of_its_store_alone(module: str) -> None:
    named = imports(MODULES[module], of=("boto3", "botocore"))
    assert not named or module.startswith("recto.file_storage.s3")
    assert "boto3" not in {name.partition(".")[0] for name in named} or module == "recto.file_storage.s3_client"


def test_command_line_loads_no_command_before_it_is_called() -> None:
    assert not loaded("import ocr_worker, sys; print(*sys.modules)") & {"sqlalchemy", "cv2", "recto.settings"}
