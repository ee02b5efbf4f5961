"""What page processes are started with. Apart from the other parts, since `recognise` needs no database."""

import os
from pathlib import Path

from recto.ocr.documents import Limits
from recto.ocr.options import AUTO_LANGUAGE
from recto.settings import Settings
from recto.working.page_tasks import PageProcessSetup


def page_process_setup(settings: Settings, *, with_storage: bool) -> PageProcessSetup:
    """What the page processes start with."""
    ocr = settings.ocr
    return PageProcessSetup(
        engine=ocr.engine,
        tessdata=Path(ocr.tessdata_path) if ocr.tessdata_path else None,
        limits=Limits(ocr.max_pages, ocr.max_page_px, ocr.max_document_px),
        memory_bytes=settings.worker.process_memory_bytes,
        niceness=settings.worker.niceness if with_storage else 0,
        fallback_languages=_fallback_languages(ocr.languages),
        storage=settings.file_storage.setup if with_storage else None,
    )


def _fallback_languages(languages: str) -> tuple[str, ...]:
    """The default languages, or English where the default is to find them out."""
    return ("eng",) if languages == AUTO_LANGUAGE else tuple(languages.split("+"))


def core_count() -> int:
    """Cores that this process may use, which in a container is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
