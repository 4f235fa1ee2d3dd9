from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures import drawing
from ml.lids import without_lids
from ml.preprocessing import to_field
from tests.ml.test_preprocessing import likeness


def _beyond(page: np.ndarray, turns: int, depths: tuple[int, int], grey: int) -> np.ndarray:
    """A page whose edge runs askew across one side of the picture, `depths` px from it."""
    turned = np.rot90(page, turns).copy()
    width = turned.shape[1]
    corners = np.array([(0, 0), (width, 0), (width, depths[1]), (0, depths[0])], np.int32)
    cv2.fillPoly(turned, [corners], grey, cv2.LINE_AA)
    return np.rot90(turned, -turns)


@pytest.mark.parametrize("digit", [0, 2, 5, 8])
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("depths", [(14, 14), (24, 6), (20, -12), (-5, 30)])
def test_the_lid_of_a_scanner_is_no_ink(digit: int, turns: int, depths: tuple[int, int]) -> None:
    page = drawing.draw(digit, seed=3, size=(320, 300), width=9, box=(120, 90, 75, 120))
    alone = to_field(page)
    for grey in (10, 90):
        field = to_field(_beyond(page, turns, depths, grey))

        assert likeness(field.pixels, alone.pixels) > 0.95
        assert field.box == pytest.approx(alone.box, abs=3)
        assert not (field.is_doubtful or field.is_cut_off)


def test_a_sheet_with_the_lid_on_two_sides_is_read() -> None:
    page = drawing.draw(9, seed=2, size=(100, 100), width=6, box=(35, 30, 30, 50))
    two = _beyond(_beyond(page, 0, (9, 4), 100), 1, (12, 12), 100)

    assert likeness(to_field(two).pixels, to_field(page).pixels) > 0.9


def test_a_light_frame_of_a_board_is_no_chalk() -> None:
    board = drawing.draw(3, seed=2, size=(320, 240), ink=225, paper=45, width=9)

    field = to_field(_beyond(board, 2, (22, 16), 215))

    assert likeness(field.pixels, to_field(board).pixels) > 0.95


def test_a_stroke_along_the_border_is_the_digits() -> None:
    seven = np.full((140, 100), 240, np.uint8)
    cv2.line(seven, (0, 7), (99, 7), 30, 15)
    cv2.line(seven, (92, 7), (40, 139), 30, 15)

    assert without_lids(seven) is seven


def test_a_shadow_with_strokes_in_it_stays() -> None:
    page = drawing.draw(4, seed=1, size=(300, 300), width=8, box=(20, 90, 60, 120))
    shaded = page.copy()
    shaded[:, :80] = page[:, :80] // 2.2

    assert without_lids(shaded) is shaded


def test_a_crop_and_a_page_alone_stay_as_they_are() -> None:
    crop = np.zeros((28, 28), np.uint8)
    crop[:4] = 255
    page = drawing.draw(6)

    assert without_lids(crop) is crop
    assert without_lids(page) is page


def test_a_digit_close_to_the_lid_is_kept() -> None:
    page = drawing.draw(2, seed=1, size=(300, 260), width=9, box=(100, 60, 100, 150))
    _, y, _, height = to_field(page).box
    depth = 260 - y - height - 9
    near = _beyond(page, 2, (depth, depth), 20)

    assert likeness(to_field(near).pixels, to_field(page).pixels) > 0.85
