import subprocess
import sys

import pytest

LEAN = "import recto.ocr, recto.ocr.options, recto.ocr.media_types, recto.ocr.page"


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize("module", ["numpy", "cv2", "PIL", "pypdfium2", "tesserocr", "pytesseract"])
def test_import_of_what_the_backend_uses_loads_no_imaging(module: str) -> None:
    assert module not in loaded_after(LEAN)


def test_import_of_the_engine_choice_limits_openmp_first() -> None:
    code = "import os, recto.ocr.engines.select as s; print(os.environ['OMP_THREAD_LIMIT'])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PATH": ""})
    assert answer.stdout.strip() == "1"
