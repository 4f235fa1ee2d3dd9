from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures import drawing
from fixtures.photographs import photograph
from ml import preprocessing
from ml.closer import find_small
from ml.pieces import Box, is_inside
from ml.recognizer import Recognizer, Verdict

SHEET = (2400, 1800)
THREE = (1200, 700, 35, 60)  # a fortieth of the sheet
SEVEN = (400, 1500, 35, 60)


def sheet(*digits: tuple[int, Box], width: float = 5, grain: float = 3) -> np.ndarray:
    """Digits written small on a sheet that has a grain."""
    drawn = [
        drawing.draw(digit, seed=digit, size=SHEET, box=box, width=width, paper=225)
        for digit, box in digits
    ] or [np.full(SHEET[::-1], 225, np.uint8)]
    noise = np.random.default_rng(1).normal(0, grain, SHEET[::-1])
    page: np.ndarray = np.clip(np.minimum.reduce(drawn) + noise, 0, 255).astype(np.uint8)
    return page


def small_fields(page: np.ndarray) -> list[preprocessing.Field]:
    """What a closer look finds, given that nothing else was found."""
    (fields,) = preprocessing.other_fields(page, preprocessing.Steps())
    return fields


@pytest.mark.parametrize("is_light", [False, True])
def test_a_small_thing_is_found_with_room_around(is_light: bool) -> None:
    page = sheet((3, THREE))

    (small,) = find_small(255 - page if is_light else page)

    assert small.is_alone
    assert is_inside(THREE, small.place)
    assert max(small.place[2:]) < 4 * max(THREE[2:])


def test_two_small_things_are_not_alone() -> None:
    first, second = find_small(sheet((3, THREE), (7, SEVEN)))

    assert not first.is_alone
    assert not second.is_alone


def test_nothing_small_is_found_where_nothing_stands_out() -> None:
    assert find_small(sheet()) == []
    assert find_small(sheet(grain=40)) == []


def test_what_is_large_or_dirt_is_not_small() -> None:
    large = drawing.draw(3, size=(800, 600), width=9)
    speck = np.full((600, 800), 240, np.uint8)
    cv2.circle(speck, (300, 300), 4, 30, -1)

    assert find_small(large) == find_small(speck) == []


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_alone_on_a_sheet_is_read(latin: Recognizer, digit: int) -> None:
    page = sheet((digit, THREE))

    reading = latin.read(page)

    assert (reading.text, reading.verdict) == (str(digit), Verdict.ACCEPTED)
    assert is_inside(reading.digits[0].box, (1180, 680, 80, 110))


def test_two_small_digits_are_none(latin: Recognizer) -> None:
    assert latin.read(sheet((3, THREE), (7, SEVEN))).verdict is Verdict.REFUSED


def test_a_small_digit_beside_paler_strokes_is_doubtful() -> None:
    pale = drawing.draw(8, seed=1, size=SHEET, box=SEVEN, width=5, paper=225, ink=170)
    page = sheet((3, THREE))

    assert [field.is_doubtful for field in small_fields(page)] == [False]
    assert all(field.is_doubtful for field in small_fields(np.minimum(page, pale)))


def test_a_small_digit_beside_a_bold_letter_is_not_accepted(latin: Recognizer) -> None:
    page = sheet((3, THREE))
    cv2.putText(page, "A", (200, 1500), cv2.FONT_HERSHEY_SIMPLEX, 20, 40, 110, cv2.LINE_AA)

    assert latin.read(page).verdict is not Verdict.ACCEPTED


def test_empty_sheets_are_refused(latin: Recognizer) -> None:
    assert [latin.read(sheet(grain=grain)).verdict for grain in (0, 3, 12, 40)] == ["refused"] * 4


def test_a_picture_that_is_read_as_it_is_needs_no_closer_look() -> None:
    page = drawing.draw(3, size=(600, 450), box=(300, 200, 12, 20), width=2)
    (small,) = find_small(page)

    assert is_inside((300, 200, 12, 20), small.place)
    assert list(preprocessing.other_fields(page, preprocessing.Steps())) == []


def test_photographs_from_far_are_read(latin: Recognizer) -> None:
    readings = {
        digit: latin.read(photograph(digit, seed=1, size=(2000, 1500), share=(0.03, 0.08)))
        for digit in range(10)
    }

    assert {digit: reading.text for digit, reading in readings.items()} == {
        digit: str(digit) for digit in range(10)
    }


def test_the_steps_to_a_small_digit_are_those_in_its_place() -> None:
    page = sheet((3, THREE))
    (field,) = small_fields(page)

    steps = preprocessing.follow(page, field.box)

    assert steps.field is not None and steps.dark is not None
    assert np.array_equal(steps.field.pixels, field.pixels)
    assert max(steps.dark.shape) < 300
