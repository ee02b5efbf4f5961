from pathlib import Path

import pytest

from tests.conftest import CommandLine


def test_doctor_of_a_sound_installation_finds_everything(command_line: CommandLine) -> None:
    done = command_line("doctor")
    assert (done.status, done.err) == (0, "")
    names = [line.split()[1] for line in done.out.splitlines()]
    assert names == ["Python", "pytesseract", "tesserocr", "languages", "storage", "database"]
    assert "MISSING" not in done.out
    assert str(command_line.folder) in done.out


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("RECTO_OCR_LANGUAGES", "eng+xyz", ["languages"]),
        ("RECTO_FILE_STORAGE_MIN_FREE_BYTES", str(2**62), ["storage"]),
        ("RECTO_DATABASE_URL", "sqlite:////nowhere/recto.db", ["database"]),
    ],
)
def test_doctor_names_what_is_missing_and_goes_on(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, missing: list[str]
) -> None:
    monkeypatch.setenv(variable, value)
    done = command_line("doctor")
    assert done.status == 1
    assert [line.split()[1] for line in done.out.splitlines() if line.startswith("MISSING")] == missing
    assert len(done.out.splitlines()) >= 6


def test_doctor_without_language_data_says_how_to_install_them(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("RECTO_OCR_TESSDATA_PATH", str(tmp_path / "empty"))
    done = command_line("doctor")
    assert done.status == 1
    assert "apt install" in done.out
