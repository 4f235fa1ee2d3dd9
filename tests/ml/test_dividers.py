"""Cards: lines for an address, a line between the halves, a place for a stamp."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures import drawing
from ml.preprocessing import to_field
from tests.ml.test_preprocessing import likeness

INK, PAPER = 40, 235  # grey levels
LINES = (220, 270, 320, 370)  # px, of the address


def card(digit: int, *, shade: int = 90, stamp: str = "frame", turn: float = 1.5) -> np.ndarray:
    """A digit in the left half of a postcard.

    Args:
        shade: grey level of what is printed.
        stamp: what its place holds: a "frame", or a "patch".
        turn: degrees, how far askew the card lies.
    """
    page = drawing.draw(
        digit, seed=digit, size=(720, 460), ink=INK, paper=PAPER, width=7, box=(130, 190, 55, 90)
    )
    for y in LINES:
        cv2.line(page, (400, y), (680, y), shade, 2)
    cv2.line(page, (360, 30), (360, 430), shade, 2)
    filled = cv2.FILLED if stamp == "patch" else 2
    cv2.rectangle(page, (600, 30), (690, 140), shade, filled)
    matrix = cv2.getRotationMatrix2D((360, 230), turn, 1.0)
    turned: np.ndarray = cv2.warpAffine(page, matrix, (720, 460), borderMode=cv2.BORDER_REPLICATE)
    return turned


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("shade", [60, 150])
@pytest.mark.parametrize("stamp", ["frame", "patch"])
def test_what_is_printed_on_a_card_is_none_of_its_digit(digit: int, shade: int, stamp: str) -> None:
    alone = drawing.draw(digit, seed=digit, width=28)

    field = to_field(card(digit, shade=shade, stamp=stamp))

    assert likeness(field.pixels, to_field(alone).pixels) > 0.75
    assert not field.is_doubtful


def test_an_upright_line_between_columns_is_no_1() -> None:
    page = drawing.draw(3, seed=3, size=(500, 400), ink=INK, paper=PAPER, width=7,
                        box=(100, 150, 50, 80))  # fmt: skip
    cv2.line(page, (300, 20), (304, 380), 80, 2)

    x, _, width, _ = to_field(page).box

    assert x + width < 200


@pytest.mark.parametrize("width", [4, 9])
def test_a_straight_1_beside_a_speck_is_no_line_between_columns(width: int) -> None:
    page = np.full((400, 400), PAPER, np.uint8)
    cv2.line(page, (200, 60), (206, 340), INK, width)
    cv2.circle(page, (300, 330), 5, INK, cv2.FILLED)

    _, _, _, height = to_field(page).box

    assert height > 250


def test_the_bars_of_a_5_and_a_line_below_it_are_no_lines_for_an_address() -> None:
    page = np.full((400, 400), PAPER, np.uint8)
    cv2.line(page, (140, 80), (260, 80), INK, 5)
    cv2.polylines(page, [np.array([(140, 95), (138, 190), (220, 200), (250, 260), (140, 300)])],
                  False, INK, 5)  # fmt: skip
    cv2.line(page, (130, 350), (270, 350), INK, 5)

    _, top, _, _ = to_field(page).box

    assert top < 90
