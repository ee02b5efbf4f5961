import cv2
import numpy as np
import pytest

from recto.ocr.preprocessing.slant import measure_slants
from tests.drawing import blank_page
from tests.ocr.preprocessing.photographs import flat_page


@pytest.mark.parametrize("slant", [-0.1, 0.0, 0.07])
def test_slant_of_a_sheared_page_is_measured_in_every_part(slant: float) -> None:
    page = flat_page().pixels
    height, width = page.shape
    shear = np.array([[1, slant, -slant * height / 2], [0, 1, 0]])
    sheared = cv2.warpAffine(page, shear, (width, height), flags=cv2.INTER_CUBIC, borderValue=219)
    slants = measure_slants(np.asarray(sheared, dtype=np.uint8))
    assert slants is not None
    assert np.average(slants.slant, weights=slants.weight) == pytest.approx(slant, abs=0.01)
    assert slants.x.min() < width / 3 < 2 * width / 3 < slants.x.max()


def test_slant_of_a_blank_page_is_unknown() -> None:
    assert measure_slants(blank_page()) is None
