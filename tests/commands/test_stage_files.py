"""`recognise --save-stages`: what lies in the folder afterwards."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import CommandLine
from tests.drawing import draw_page, save_tiff

CROOKED = 255 - draw_page(skew_deg=3).pixels
STRAIGHT = draw_page().pixels


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that is light on dark and crooked, and one whose letters alone are large."""
    return save_tiff(tmp_path_factory.mktemp("drawn") / "two.tiff", [CROOKED, STRAIGHT])


@pytest.mark.parametrize("processes", ["1", "2"])
def test_stages_of_each_page_are_saved_with_their_measurements(
    command_line: CommandLine, document: Path, tmp_path: Path, processes: str
) -> None:
    folder = tmp_path / "new" / "stages"
    done = command_line("recognise", str(document), "--save-stages", str(folder), "--processes", processes)
    assert (done.status, "quick brown fox" in done.out) == (0, True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "0001.0.original.png",
        "0001.1.polarity.png",
        "0001.2.text_size.png",
        "0001.3.deskew.png",
        "0001.steps.json",
        "0002.0.original.png",
        "0002.1.text_size.png",
        "0002.steps.json",
    ]
    with Image.open(folder / "0001.0.original.png") as original, Image.open(folder / "0001.1.polarity.png") as light:
        assert np.array_equal(np.asarray(original), CROOKED)
        assert np.array_equal(np.asarray(light), 255 - CROOKED)
    about = json.loads((folder / "0001.steps.json").read_text(encoding="utf-8"))
    assert (about["page"], about["text_layer"]) == (1, "none")
    assert [step["name"] for step in about["steps"]] == ["polarity", "text_size", "deskew"]
    assert about["steps"][2]["measured"]["angle_deg"] == pytest.approx(3, abs=0.1)
    assert about["steps"][2]["description"].startswith("Levelled by ")
    upright = json.loads((folder / "0002.steps.json").read_text(encoding="utf-8"))["steps"]
    assert [step["name"] for step in upright] == ["text_size"]


def test_stages_of_pages_that_get_no_step_are_the_original(
    command_line: CommandLine, document: Path, tmp_path: Path
) -> None:
    arguments = ("--preprocess", "none", "--pages", "1", "--save-stages", str(tmp_path / "stages"))
    assert command_line("recognise", str(document), *arguments).status == 0
    assert sorted(path.name for path in (tmp_path / "stages").iterdir()) == ["0001.0.original.png", "0001.steps.json"]


def test_folder_that_is_a_file_is_refused(command_line: CommandLine, document: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = command_line("recognise", str(document), "--save-stages", str(tmp_path / "file"))
    assert (refused.status, refused.out, "is a file" in refused.err) == (2, "", True)
    refused = command_line("recognise", str(document), "--save-stages", str(tmp_path / "file" / "below"))
    assert (refused.status, refused.out, "Name another folder." in refused.err) == (1, "", True)


def test_folder_that_cannot_be_written_ends_the_command_with_a_reason(
    command_line: CommandLine, document: Path, tmp_path: Path
) -> None:
    (tmp_path / "0001.0.original.png").mkdir()
    refused = command_line("recognise", str(document), "--save-stages", str(tmp_path), "--processes", "1")
    assert (refused.status, "The stages cannot be written into" in refused.err) == (1, True)
