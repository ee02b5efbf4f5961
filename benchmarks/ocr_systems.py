"""What reads pages in the accuracy benchmark, each as a command that prints the text, with nothing left warm between pages."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, TypeAlias

from PIL import Image

from recto.ocr.options import PREPROCESSING_STEPS

Command: TypeAlias = tuple[str, ...]
"""With {image}, {language}, {scratch} for a temporary folder, and {flattened} for the image on white where it is transparent."""

ROOT: Final = Path(__file__).parent.parent
TIMEOUT_S: Final = 300
TESSERACT: Final = "tesseract"
TESSERACT_PSM_1: Final = "tesseract --psm 1"
OCRMYPDF: Final = "ocrmypdf"
RECTO: Final = "recto"
_TESSERACT: Final = ("tesseract", "{image}", "-", "-l", "{language}")
_OCRMYPDF: Final = (
    "ocrmypdf -q -l {language} --jobs 1 --image-dpi 300 --force-ocr --deskew --rotate-pages --output-type pdf --sidecar - "
    "{flattened} {scratch}/read.pdf"
)
_RECTO: Final = (
    sys.executable,
    str(ROOT / "ocr_worker.py"),
    "recognise",
    "{image}",
    "-l",
    "{language}",
    "--processes",
    "1",
)
SYSTEMS: Final[dict[str, Command]] = {
    TESSERACT: _TESSERACT,
    TESSERACT_PSM_1: (*_TESSERACT, "--psm", "1"),
    OCRMYPDF: tuple(_OCRMYPDF.split()),
    RECTO: _RECTO,
}
ABLATIONS: Final[dict[str, Command]] = {
    f"no-{step}": (*_RECTO, "--preprocess", f"no-{step}") for step in PREPROCESSING_STEPS
}
"""Recto with one step switched off."""


def chosen_systems(names: list[str]) -> dict[str, Command]:
    """Those that are installed; what is not is said. SystemExit on an unknown name."""
    commands = SYSTEMS | ABLATIONS
    if unknown := [name for name in names if name not in commands]:
        raise SystemExit(f"Unknown system {', '.join(unknown)}. Name some of {', '.join(commands)}.")
    missing = [name for name in names if shutil.which(commands[name][0]) is None]
    for name in missing:
        print(
            f"{name} is left out: {commands[name][0]} is not on the PATH. Install it to compare with it.",
            file=sys.stderr,
        )
    return {name: commands[name] for name in names if name not in missing}


def read_page(command: Command, image: Path, language: str) -> tuple[str, float, str]:
    """The text, the CPU seconds of the command with its children, and what went wrong or ""; a page that fails counts as empty."""
    before = _children_cpu_s()
    with tempfile.TemporaryDirectory() as scratch:
        places = {"image": str(image), "language": language, "scratch": scratch}
        if "{flattened}" in command:
            places["flattened"] = str(flattened(image, Path(scratch)))
        text, problem = _run([part.format(**places) for part in command])
    return text, _children_cpu_s() - before, problem


def _run(command: list[str]) -> tuple[str, str]:
    one_thread = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        answer = subprocess.run(command, capture_output=True, check=False, env=one_thread, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "", f"stopped after {TIMEOUT_S} s"
    if answer.returncode:
        return "", " ".join(answer.stderr.decode(errors="replace").split())[-200:] or f"exit status {answer.returncode}"
    return answer.stdout.decode("utf-8", "replace"), ""


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def flattened(image: Path, scratch: Path) -> Path:
    """The image itself, or a copy on white where it has an alpha channel, which OCRmyPDF refuses."""
    with Image.open(image) as picture:
        if picture.mode not in ("RGBA", "LA", "PA"):
            return image
        coloured = picture.convert("RGBA")
    page = Image.new("RGB", coloured.size, "white")
    page.paste(coloured, mask=coloured.getchannel("A"))
    path = scratch / "flattened.png"
    page.save(path)
    return path


def startup_cpu_s(command: Command) -> float:
    """CPU seconds for a tiny blank page. An exit status that says that nothing was found does not matter."""
    with tempfile.TemporaryDirectory() as folder:
        blank = Path(folder) / "blank.png"
        Image.new("L", (64, 64), 255).save(blank, dpi=(300, 300))
        return read_page(command, blank, "eng")[1]
