from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures import drawing
from ml.blocks import find_blocks
from ml.preprocessing import to_field
from tests.ml.test_preprocessing import likeness

EIGHT = ("01110", "10001", "10001", "01110", "10001", "10001", "01110")  # a display of dots has it


def _small(digit: int, side: int = 12) -> np.ndarray:
    page = drawing.draw(digit, seed=4, size=(240, 240), width=24, box=(70, 50, 100, 140))
    return cv2.resize(page, (side, side), interpolation=cv2.INTER_AREA)


def _enlarged(picture: np.ndarray, times: float) -> np.ndarray:
    return cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)


@pytest.mark.parametrize("times", [2, 3, 3.4, 10, 13.2, 40])
@pytest.mark.parametrize("digit", [0, 2, 4, 7])
def test_enlarged_pixels_are_found_again(digit: int, times: float) -> None:
    small = _small(digit)

    blocks = find_blocks(_enlarged(small, times))

    assert blocks is not None
    assert blocks.pitch == pytest.approx((times, times), rel=0.05)
    assert np.array_equal(blocks.picture, small)


def test_a_cut_of_enlarged_pixels_is_found_again() -> None:
    small = _small(5)

    blocks = find_blocks(_enlarged(small, 9)[4:100, 7:103])

    assert blocks is not None
    assert blocks.corner == pytest.approx((-7, -4), abs=0.01)
    assert np.array_equal(blocks.picture, small[:11, 1:11])  # blocks whose middle is there


@pytest.mark.parametrize("quality", [60, 85])
@pytest.mark.parametrize("digit", [0, 2, 3, 4, 5, 6, 7, 8, 9])
def test_enlarged_pixels_are_found_in_a_jpeg(digit: int, quality: int) -> None:
    small = _small(digit)
    data = cv2.imencode(".jpg", _enlarged(small, 14), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]

    jpeg = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert jpeg is not None
    blocks = find_blocks(jpeg)

    assert blocks is not None
    assert blocks.picture == pytest.approx(small, abs=8)


def test_a_digit_in_blocks_is_read_as_the_small_picture() -> None:
    for digit in range(10):
        small = _small(digit, 10)

        assert likeness(to_field(_enlarged(small, 24)).pixels, to_field(small).pixels) > 0.9


def test_the_box_is_where_the_blocks_are() -> None:
    small = _small(3)

    box = to_field(_enlarged(small, 20)).box

    assert box == tuple(20 * value for value in to_field(small).box)


def test_a_display_of_dots_is_read_as_such() -> None:
    dots = 255 - 255 * np.array([[int(dot) for dot in row] for row in EIGHT], np.uint8)

    blocks = find_blocks(_enlarged(np.pad(dots, 1, constant_values=255), 12))

    assert blocks is not None
    assert blocks.picture.shape == (9, 7)


def test_what_is_drawn_has_no_blocks() -> None:
    for digit in range(10):
        page = drawing.draw(digit, seed=digit, size=(160, 200), width=3 + digit)
        inked = np.where(page > 128, 255, 0).astype(np.uint8)

        assert find_blocks(page) is None
        assert find_blocks(inked) is None
        assert find_blocks(cv2.resize(page, (28, 35), interpolation=cv2.INTER_AREA)) is None


def test_a_few_straight_lines_are_no_blocks() -> None:
    bars = np.full((180, 160), 255, np.uint8)
    for x in (30, 90):
        bars[20:160, x : x + 15] = 0
    for y in (20, 80, 140):
        bars[y : y + 20, 30:105] = 0

    assert find_blocks(bars) is None


def test_fine_blocks_stay_as_they_are() -> None:
    page = drawing.draw(6, seed=1, size=(100, 120), width=8)

    assert find_blocks(_enlarged(page, 3)) is None
