"""What a page process does, in this process and in one with a cap on its memory."""

import json
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from recto.errors import (
    DocumentDamaged,
    DocumentEmpty,
    DocumentUnsupported,
    EngineMissing,
    FileNotFound,
    LanguageNotInstalled,
    PageNotInDocument,
    PageOutOfMemory,
    StorageFull,
)
from recto.file_storage.base import DOCUMENT, checkpoint_name, picture_name, result_name
from recto.file_storage.volume import VolumeStorage
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.options import Options, ResultFormat
from recto.ocr.page import Document, Page, ResultWarning
from recto.ocr.writers.base import Writer
from recto.ocr.writers.text import write_text
from recto.storage_setup import StorageSetup
from recto.working import page_tasks
from recto.working.page_tasks import (
    PageProcessSetup,
    Written,
    checkpoint_page,
    describe_engine,
    describe_result,
    inspect_document,
    page_stages,
    prepare_this_process,
    read_page,
    read_whole_document,
    write_picture,
    write_results,
)
from tests.drawing import DPI, draw_page, save_tiff

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a" * 32
OPTIONS = Options()
PAGES = [draw_page(("The first page of two",)).pixels, draw_page(("And this is the second",)).pixels]


def setup_for(root: Path | None) -> PageProcessSetup:
    return PageProcessSetup(
        "auto", None, Limits(10, 20_000_000), memory_bytes=0, niceness=0, storage=StorageSetup(root) if root else None
    )


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[VolumeStorage]:
    """A store that the tasks in this process use."""
    storage = VolumeStorage(tmp_path / "storage")
    storage.prepare()
    prepare_this_process(setup_for(tmp_path / "storage"))
    yield storage
    page_tasks._process = None
    tempfile.tempdir = None


def store(storage: VolumeStorage, content: bytes) -> str:
    uuid, incoming = str(uuid4()), storage.incoming()
    incoming.file.write(content)
    incoming.keep(uuid, DOCUMENT)
    return uuid


@pytest.fixture
def uuid(storage: VolumeStorage, tmp_path: Path) -> str:
    """A job whose document has two pages."""
    return store(storage, save_tiff(tmp_path / "two.tiff", PAGES).read_bytes())


def content(storage: VolumeStorage, uuid: str, name: str) -> bytes:
    with storage.open(uuid, name) as file:
        return file.read()


def test_engine_is_described_by_name_version_and_languages(storage: VolumeStorage) -> None:
    report = describe_engine()
    assert report.engine.split()[0] in ("tesserocr", "pytesseract")
    assert "eng" in report.languages


def test_document_is_inspected_where_it_lies(storage: VolumeStorage, uuid: str) -> None:
    info = inspect_document(uuid)
    assert (info.media_type, info.page_count) == ("image/tiff", 2)


@pytest.mark.parametrize(("document", "error"), [(b"", DocumentEmpty), (b"plain words", DocumentUnsupported)])
def test_document_that_is_none_is_refused(storage: VolumeStorage, document: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        inspect_document(store(storage, document))


def test_page_is_kept_under_its_attempt_and_written_into_every_format(storage: VolumeStorage, uuid: str) -> None:
    for number in (1, 2):
        checkpoint_page(uuid, TOKEN, number, OPTIONS)
    assert json.loads(content(storage, uuid, checkpoint_name(TOKEN, 2)))["number"] == 2
    document = Document(2, (), "2026-11-23T18:00:00Z", "Recto")
    write_results(uuid, TOKEN, [(1, TOKEN), (2, TOKEN)], document, OPTIONS)
    text = content(storage, uuid, result_name(TOKEN, "txt")).decode()
    assert "first page" in text
    assert text.index("first page") < text.index("the second")
    assert [page["number"] for page in json.loads(content(storage, uuid, result_name(TOKEN, "json")))["pages"]] == [
        1,
        2,
    ]


def test_document_of_one_page_is_read_in_one_piece_as_it_is_part_by_part(
    storage: VolumeStorage, tmp_path: Path
) -> None:
    created = datetime(2026, 11, 23, 18, tzinfo=UTC)
    picture = tmp_path / "one.png"
    Image.fromarray(PAGES[0]).save(picture, dpi=(DPI, DPI))
    whole, by_parts = (store(storage, picture.read_bytes()) for _ in range(2))
    read = read_whole_document(whole, TOKEN, created, OPTIONS)
    info = inspect_document(by_parts)
    page = checkpoint_page(by_parts, TOKEN, 1, OPTIONS)
    written = write_results(by_parts, TOKEN, [(1, TOKEN)], describe_result(1, info.warnings, created, OPTIONS), OPTIONS)
    assert (read.info, read.written) == (info, written)
    assert written == Written((), {1: content(storage, whole, result_name(TOKEN, "txt")).decode().strip()})
    assert replace(read.page, took_s=()) == replace(page, took_s=())
    assert [stage for stage, _ in read.took_s] == ["recognise", "prepare", "open", "store", "write"]
    for name in (checkpoint_name(TOKEN, 1), result_name(TOKEN, "txt"), result_name(TOKEN, "json")):
        assert content(storage, whole, name) == content(storage, by_parts, name)


def test_texts_for_the_index_are_those_of_all_pages_unless_they_are_too_many(
    storage: VolumeStorage, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        checkpoint_page(uuid, TOKEN, number, OPTIONS)
    document, checkpoints = Document(2, (), "2026-11-23T18:00:00Z", "Recto"), [(1, TOKEN), (2, TOKEN)]
    texts = write_results(uuid, TOKEN, checkpoints, document, OPTIONS).texts
    assert texts is not None
    assert list(texts) == [1, 2]
    assert "first page" in texts[1]
    monkeypatch.setattr(page_tasks, "_KEPT_PAGES", 1)
    assert write_results(uuid, TOKEN, checkpoints, document, OPTIONS).texts is None


def test_page_that_a_document_of_one_does_not_have_is_none_to_read_in_one_piece(
    storage: VolumeStorage, tmp_path: Path
) -> None:
    picture = tmp_path / "one.png"
    Image.fromarray(PAGES[0]).save(picture)
    with pytest.raises(PageNotInDocument):
        read_whole_document(
            store(storage, picture.read_bytes()), TOKEN, datetime.now(UTC), OPTIONS.model_copy(update={"pages": "2"})
        )


def test_results_take_each_page_from_the_attempt_that_read_it(storage: VolumeStorage, uuid: str) -> None:
    checkpoint_page(uuid, "b" * 32, 1, OPTIONS)
    warnings = (ResultWarning(2, "page_crashed", "Page 2 crashed."),)
    write_results(uuid, TOKEN, [(1, "b" * 32)], Document(2, warnings, "2026-11-23T18:00:00Z", "Recto"), OPTIONS)
    result = json.loads(content(storage, uuid, result_name(TOKEN, "json")))
    assert [page["number"] for page in result["pages"]] == [1]
    assert result["warnings"][0]["code"] == "page_crashed"


def test_results_written_again_are_the_same_bytes(storage: VolumeStorage, uuid: str) -> None:
    checkpoint_page(uuid, TOKEN, 1, OPTIONS)
    document = Document(2, (), "2026-11-23T18:00:00Z", "Recto")
    written = []
    for token in ("c" * 32, "d" * 32):
        write_results(uuid, token, [(1, TOKEN)], document, OPTIONS)
        written.append([content(storage, uuid, result_name(token, name)) for name in ("txt", "json")])
    assert written[0] == written[1]


TASKS: dict[str, Callable[[str], object]] = {
    "inspect_document": inspect_document,
    "checkpoint_page": lambda uuid: checkpoint_page(uuid, TOKEN, 1, OPTIONS),
    "write_results": lambda uuid: write_results(uuid, TOKEN, [(1, TOKEN)], Document(1, (), "", ""), OPTIONS),
}


@pytest.mark.parametrize("task", TASKS)
def test_task_of_a_deleted_job_is_file_not_found_and_makes_nothing(
    storage: VolumeStorage, uuid: str, task: str
) -> None:
    storage.delete(uuid)
    with pytest.raises(FileNotFound):
        TASKS[task](uuid)
    assert list(storage.folders()) == []


def test_language_that_is_not_installed_is_named(storage: VolumeStorage, uuid: str) -> None:
    with pytest.raises(LanguageNotInstalled, match="xyz"):
        checkpoint_page(uuid, TOKEN, 1, Options(languages=("xyz",)))


def test_page_that_needs_too_much_memory_says_so(
    storage: VolumeStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(page_tasks, "recognise_page", no_memory)
    with pytest.raises(PageOutOfMemory, match="raise worker"):
        read_page(DocumentFile(tmp_path / "any"), 1, OPTIONS)


def test_process_without_an_engine_is_engine_missing_where_it_reads(tmp_path: Path) -> None:
    setup = replace(setup_for(None), tessdata=tmp_path)
    with pytest.raises(EngineMissing):
        prepare_this_process(setup)
    prepare_this_process(setup, reads=False)


def test_temporary_files_of_a_process_lie_on_the_volume(storage: VolumeStorage, tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile() as file:
        folder = Path(file.name).parent
        assert (folder.parent, folder.name[:8]) == (tmp_path / "storage" / ".incoming", "scratch-")


def test_text_is_written_also_where_only_other_formats_were_asked_for(storage: VolumeStorage, uuid: str) -> None:
    checkpoint_page(uuid, TOKEN, 1, OPTIONS)
    document = Document(2, (), "2026-11-23T18:00:00Z", "Recto")
    assert write_results(uuid, TOKEN, [(1, TOKEN)], document, Options(formats=("json",))).failures == ()
    assert "first page" in content(storage, uuid, result_name(TOKEN, "txt")).decode()


def test_checkpoint_says_how_the_page_was_read_without_its_text(storage: VolumeStorage, uuid: str) -> None:
    page = checkpoint_page(uuid, TOKEN, 1, OPTIONS)
    assert (page.number, page.text_layer, page.blocks) == (1, "none", ())
    assert page.confidence is not None
    assert 0.5 < page.confidence <= 1
    assert pickle.loads(pickle.dumps(page)) == page  # noqa: S301 - it goes to another process so


def test_picture_of_a_page_lies_beside_the_results(storage: VolumeStorage, uuid: str) -> None:
    checkpoint_page(uuid, "b" * 32, 2, OPTIONS)
    write_picture(uuid, TOKEN, (2, "b" * 32), "original", OPTIONS)
    with Image.open(BytesIO(content(storage, uuid, picture_name(TOKEN, 2, "original")))) as picture:
        assert np.array_equal(np.asarray(picture), PAGES[1])


def test_picture_that_needs_too_much_memory_says_so(
    storage: VolumeStorage, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint_page(uuid, TOKEN, 1, OPTIONS)

    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(page_tasks, "page_picture", greedy)
    with pytest.raises(PageOutOfMemory, match="Page 1 needs more memory"):
        write_picture(uuid, TOKEN, (1, TOKEN), "original", OPTIONS)
    monkeypatch.setattr(page_tasks, "show_stages", greedy)
    page = Page(1, 60, 40, 300.0, ("eng",), "hand 1", (), ())
    with pytest.raises(PageOutOfMemory, match="Page 1 needs more memory"):
        page_stages(DocumentFile(Path("nowhere")), page, OPTIONS, greedy)


def failing_writer(error: Exception) -> Callable[[ResultFormat], Writer]:
    def write(document: Document, pages: Iterable[Page], file: DocumentFile, sink: BinaryIO) -> None:
        raise error

    def choose(result_format: ResultFormat) -> Writer:
        return write if result_format == "json" else write_text

    return choose


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (DocumentDamaged("The PDF is damaged. Save it anew."), "document_damaged", "Save it anew"),
        (KeyError("/Root"), None, "KeyError"),
        (MemoryError(), None, "more memory"),
    ],
)
def test_format_that_cannot_be_made_is_told_and_costs_no_other(
    storage: VolumeStorage,
    uuid: str,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str | None,
    words: str,
) -> None:
    checkpoint_page(uuid, TOKEN, 1, OPTIONS)
    monkeypatch.setattr(page_tasks, "writer_for", failing_writer(error))
    document = Document(2, (), "2026-11-23T18:00:00Z", "Recto")
    (failure,) = write_results(uuid, TOKEN, [(1, TOKEN)], document, OPTIONS).failures
    assert failure.result_format == "json"
    assert failure.error.members.get("reason") == reason
    assert words in failure.error.detail
    assert type(error).__name__ in failure.traceback
    assert "first page" in content(storage, uuid, result_name(TOKEN, "txt")).decode()
    with pytest.raises(FileNotFound):
        storage.open(uuid, result_name(TOKEN, "json"))


def test_text_that_cannot_be_written_is_an_error(
    storage: VolumeStorage, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint_page(uuid, TOKEN, 1, OPTIONS)
    monkeypatch.setattr(page_tasks, "writer_for", lambda _: failing_writer(KeyError("x"))("json"))
    with pytest.raises(KeyError):
        write_results(uuid, TOKEN, [(1, TOKEN)], Document(2, (), "", ""), OPTIONS)


def test_full_disk_while_writing_a_format_is_the_surroundings_fault(
    storage: VolumeStorage, uuid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint_page(uuid, TOKEN, 1, OPTIONS)
    monkeypatch.setattr(page_tasks, "writer_for", failing_writer(StorageFull("Full.")))
    with pytest.raises(StorageFull):
        write_results(uuid, TOKEN, [(1, TOKEN)], Document(2, (), "", ""), OPTIONS)


def test_task_outside_of_a_page_process_is_a_bug_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_tasks, "_process", None)
    with pytest.raises(RuntimeError, match="start_page_process"):
        describe_engine()


def test_task_without_a_store_is_a_bug_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_tasks, "_process", None)
    prepare_this_process(setup_for(None))
    with pytest.raises(RuntimeError, match="File Storage"):
        inspect_document(str(uuid4()))


CAPPED = """
import os, resource, signal, sys
from pathlib import Path
from recto.errors import PageOutOfMemory
from recto.ocr.document_file import DocumentFile
from recto.ocr.documents import Limits
from recto.ocr.options import Options, ResultFormat
from recto.working.page_tasks import PageProcessSetup, read_page, start_page_process

cap = int(sys.argv[2])
start_page_process(PageProcessSetup("auto", None, Limits(1, 1_000_000_000), memory_bytes=cap, niceness=1, storage=None))
assert resource.getrlimit(resource.RLIMIT_AS) == (cap, cap)
assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
assert os.environ["OMP_THREAD_LIMIT"] == "1"
try:
    read_page(DocumentFile(Path(sys.argv[1])), 1, Options())
except PageOutOfMemory as error:
    print(error.code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the cap is Linux's")
def test_page_process_has_its_cap_and_names_a_page_that_hits_it(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY
    file = tmp_path / "large.png"
    Image.new("L", (12_000, 12_000), 255).save(file)
    done = subprocess.run(
        [sys.executable, "-c", CAPPED, str(file), str(800_000_000)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("page_out_of_memory\n", 0), done.stderr


ORPHANED = """
import os
from recto.ocr.documents import Limits
from recto.working.page_tasks import PageProcessSetup, start_page_process

start_page_process(PageProcessSetup("auto", None, Limits(1, 1), memory_bytes=0, storage=None), os.getpid())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_page_process_whose_parent_died_while_it_loaded_ends_at_once() -> None:
    """Its parent is any other process than the one that asked for it."""
    done = subprocess.run([sys.executable, "-c", ORPHANED], cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
