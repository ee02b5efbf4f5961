import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pikepdf
import pytest
from PIL import Image

from recto.commands import recognise
from recto.errors import DocumentDamaged
from recto.ocr.options import ResultFormat
from tests.conftest import CommandLine
from tests.drawing import draw_page, save_pdf, save_tiff
from tests.ocr.images.tiffs import grey_page, tiff

ROOT = Path(__file__).resolve().parent.parent.parent
LINES = ("The first page of three", "And this is the second", "The third one ends it")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TIFF of three pages."""
    return save_tiff(tmp_path_factory.mktemp("drawn") / "three.tiff", [draw_page((line,)).pixels for line in LINES])


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG that breaks off."""
    file = tmp_path_factory.mktemp("drawn") / "broken.png"
    Image.fromarray(draw_page(LINES).pixels).save(file)
    file.write_bytes(file.read_bytes()[:2000])
    return file


def test_recognise_writes_the_text_to_standard_output(command_line: CommandLine, document: Path) -> None:
    done = command_line("recognise", str(document), "-l", "eng", "--processes", "1")
    assert (done.status, done.err) == (0, "")
    assert [done.out.find(line) >= 0 for line in LINES] == [True, True, True]


def test_recognise_in_several_processes_gives_the_same_result(command_line: CommandLine, document: Path) -> None:
    one = command_line("recognise", str(document), "--format", "txt", "--processes", "1")
    two = command_line("recognise", str(document), "--format", "txt", "--processes", "2")
    assert (two.status, two.out) == (0, one.out)


def test_recognise_of_some_pages_as_json_into_a_file(command_line: CommandLine, document: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    done = command_line("recognise", str(document), "--pages", "2-3", "--format", "json", "-o", str(target))
    assert (done.status, done.out) == (0, "")
    result = json.loads(target.read_text())
    assert [page["number"] for page in result["pages"]] == [2, 3]
    assert [path.name for path in tmp_path.glob("*out*")] == ["out.json"]


def test_recognise_needs_no_database_and_no_storage(
    command_line: CommandLine, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECTO_FILE_STORAGE_PATH", "/nowhere")
    assert command_line("recognise", str(document), "--pages", "1").status == 0


def test_recognise_of_a_broken_file_is_one_clear_line(command_line: CommandLine, broken: Path) -> None:
    done = command_line("recognise", str(broken))
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1


def test_recognise_of_a_torn_document_names_the_page_once(command_line: CommandLine, tmp_path: Path) -> None:
    content = tiff([grey_page(draw_page(LINES).pixels)])
    file = tmp_path / "torn.tif"
    file.write_bytes(content[:-4] + bytes([0, 0, 0, 1]))  # where the next directory is: beyond the end
    done = command_line("recognise", str(file), "--processes", "1")
    assert (done.status, LINES[0] in done.out) == (0, True)
    assert done.err.startswith("Warning: Page 2 and any behind it cannot be found")


def test_recognise_of_what_is_no_document_lists_what_is(command_line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "notes.png"
    file.write_text("plain words")
    done = command_line("recognise", str(file))
    assert (done.status, "PDF" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("nowhere.png",), 2, "does not exist"),
        (("{document}", "--format", "docx"), 2, "--format"),
        (("{document}", "--pages", "3-1"), 2, "runs backwards"),
        (("{document}", "--pages", "9"), 1, "has 3 pages"),
        (("{document}", "-l", "xyz"), 1, "xyz"),
        (("{document}", "-o", "{document}/nowhere/out.txt", "--pages", "1"), 1, "out.txt"),
    ],
)
def test_recognise_that_is_asked_for_what_cannot_be_says_why(
    command_line: CommandLine, document: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = command_line("recognise", *(argument.format(document=document) for argument in arguments))
    assert (done.status, done.out) == (status, "")
    assert message in done.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_recognise_ended_by_a_signal_leaves_no_page_behind(
    document: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "ocr_worker.py",
            "recognise",
            str(document),
            "--processes",
            "2",
            "-o",
            str(tmp_path / "out.txt"),
        ],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    while not list(tmp_path.glob("recto-*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(30) == 128 + number
    assert list(tmp_path.iterdir()) == []


def recognise_as_program(document: Path, *arguments: str, **streams: int | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "ocr_worker.py", "recognise", str(document), "--pages", "1", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, **streams)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("result_format", get_args(ResultFormat))
def test_recognise_writes_every_format(
    command_line: CommandLine, document: Path, tmp_path: Path, result_format: str
) -> None:
    target = tmp_path / "result"
    done = command_line("recognise", str(document), "--format", result_format, "-o", str(target), "--processes", "1")
    assert (done.status, done.err) == (0, "")
    assert target.stat().st_size > 0


def test_recognise_into_a_pipe_with_a_name_leaves_it_a_pipe(document: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with recognise_as_program(document, "-o", str(pipe)) as program:
        assert LINES[0] in pipe.read_text()
        assert program.wait(60) == 0
    assert pipe.is_fifo()


def test_recognise_into_a_link_writes_what_it_leads_to(
    command_line: CommandLine, document: Path, tmp_path: Path
) -> None:
    (tmp_path / "link.txt").symlink_to(tmp_path / "target.txt")
    assert command_line("recognise", str(document), "-o", str(tmp_path / "link.txt")).status == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert LINES[0] in (tmp_path / "target.txt").read_text()


def test_recognise_that_fails_while_writing_leaves_no_part_of_the_file(
    command_line: CommandLine, document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DocumentDamaged("The document is damaged. Save it anew.")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(recognise, "writer_for", lambda _: fail)
    done = command_line("recognise", str(document), "-o", str(tmp_path / "out" / "text.txt"))
    assert (done.status, done.err.strip()) == (1, "Error: The document is damaged. Save it anew.")
    assert list((tmp_path / "out").iterdir()) == []


def test_recognise_onto_a_full_disk_is_one_clear_line(document: Path) -> None:
    with Path("/dev/full").open("wb") as full, recognise_as_program(document, stdout=full.fileno()) as program:
        _, errors = program.communicate(timeout=60)
    assert program.returncode == 1
    assert errors.decode().strip() == "Error: Could not open file 'standard output': No space left on device"


@pytest.mark.parametrize("mode", ["auto", "force", "skip"])
def test_recognise_takes_the_modes_of_the_api(command_line: CommandLine, document: Path, mode: str) -> None:
    done = command_line("recognise", str(document), "--mode", mode, "--pages", "1")
    assert (done.status, done.out.strip()) == (0, LINES[0])


def test_recognise_with_a_mode_that_is_none_is_wrong_usage(command_line: CommandLine, document: Path) -> None:
    assert command_line("recognise", str(document), "--mode", "fast").status == 2


def test_recognise_opens_an_encrypted_pdf_with_its_password(
    command_line: CommandLine, tmp_path: Path, document: Path
) -> None:
    path = save_pdf(tmp_path / "secret.pdf", [draw_page((LINES[0],)).pixels])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user="sesame"))
    assert command_line("recognise", str(path), "--password", "sesame").out.strip() == LINES[0]
    wrong = command_line("recognise", str(path), "--password", "other")
    assert (wrong.status, "password" in wrong.err) == (1, True)
    assert "'password'" in command_line("recognise", str(path)).err
