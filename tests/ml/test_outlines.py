from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures import drawing, marks
from ml.outlines import filled_outline
from ml.pieces import Pieces
from ml.preprocessing import to_field
from ml.recognizer import Recognizer, Verdict
from tests.ml.test_preprocessing import likeness


def _bold(digit: int, seed: int = 1) -> np.ndarray:
    return drawing.draw(digit, seed=seed, size=(400, 400), width=34, box=(120, 90, 160, 220))


def _outline(bold: np.ndarray, width: int = 5) -> np.ndarray:
    strokes = (bold < 128).astype(np.uint8)
    within = cv2.erode(strokes, np.ones((3, 3), np.uint8), iterations=width)
    return np.where(strokes > within, 40, 235).astype(np.uint8)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("seed", [1, 2])
def test_an_outline_is_read_as_what_it_encloses(latin: Recognizer, digit: int, seed: int) -> None:
    bold = _bold(digit, seed)
    outline = _outline(bold)

    reading = latin.read(outline)

    assert likeness(to_field(outline).pixels, to_field(bold).pixels) > 0.9
    assert (reading.text, reading.verdict) == (str(digit), Verdict.ACCEPTED)


def test_what_an_outline_is_filled_with_may_be_hatching() -> None:
    bold = _bold(9)
    hatched = _outline(bold)
    hatched[:, ::12] = np.where(bold[:, ::12] < 128, 120, hatched[:, ::12])

    assert likeness(to_field(hatched).pixels, to_field(bold).pixels) > 0.9


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("width", [3, 8, 20])
def test_strokes_are_no_outline(digit: int, width: int) -> None:
    for seed in range(10):
        page = drawing.draw(digit, seed=seed, width=width)
        mask = (page < 128).astype(np.uint8)

        assert filled_outline(mask, Pieces(mask)) is None


@pytest.mark.parametrize("digit", range(10))
def test_a_circle_around_a_digit_is_no_outline(digit: int) -> None:
    for seed in range(10):
        page = marks.circled(digit, seed=seed, opening=-0.2)
        mask = (page < 140).astype(np.uint8)
        if digit:  # that of a 0 is the outline of one
            assert filled_outline(mask, Pieces(mask)) is None
