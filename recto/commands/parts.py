"""What several commands make from the settings."""

import os
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from recto.database import connect, upgrade_schema
from recto.file_storage.volume import VolumeStorage
from recto.jobs import Jobs, QueuePolicy
from recto.ocr.documents import Limits
from recto.page_tasks import PageProcessSetup
from recto.settings import Settings


def open_database(settings: Settings) -> Engine:
    """The database, with the newest schema."""
    open_storage(settings)
    engine = connect(settings.database_url, settings.database.busy_timeout_s)
    upgrade_schema(engine)
    return engine


def open_sessions(settings: Settings) -> sessionmaker[Session]:
    """Sessions on the database, with the newest schema."""
    return sessionmaker(open_database(settings))


def open_storage(settings: Settings) -> VolumeStorage:
    """The File Storage, with its folder in place."""
    storage = VolumeStorage(settings.file_storage.path, settings.file_storage.min_free_bytes)
    storage.prepare()
    return storage


def job_operations(settings: Settings) -> Jobs:
    """The operations on jobs under the settings' policy."""
    return Jobs(QueuePolicy(**settings.queue.model_dump()))


def page_process_setup(settings: Settings, *, with_storage: bool) -> PageProcessSetup:
    """What the page processes start with."""
    ocr = settings.ocr
    return PageProcessSetup(
        engine=ocr.engine,
        tessdata=Path(ocr.tessdata_path) if ocr.tessdata_path else None,
        limits=Limits(ocr.max_pages, ocr.max_page_px),
        memory_bytes=settings.worker.process_memory_bytes,
        storage_root=settings.file_storage.path if with_storage else None,
    )


def core_count() -> int:
    """Cores that this process may use, which in a container is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
