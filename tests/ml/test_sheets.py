from __future__ import annotations

import cv2
import numpy as np
import pytest

from fixtures import drawing
from fixtures.notes import on_desk
from ml import robustness
from ml.preprocessing import to_field
from ml.recognizer import Recognizer, Verdict
from ml.refusals import Reason, Refused
from ml.sheets import find_sheets
from tests.ml.test_preprocessing import likeness

NOTE = 250, 190, 320, 320  # x, y, width, height in px when it is not turned


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("desk", "paper"), [(60, 220), (120, 200), (150, 235), (210, 130)])
def test_a_digit_on_a_note_on_a_desk_is_found(digit: int, desk: int, paper: int) -> None:
    written = drawing.draw(digit, seed=digit, size=(320, 320), ink=40, paper=paper)
    for turn in (-8, 0, 5):
        field = to_field(on_desk(written, desk=desk, turn=turn))
        alone = to_field(on_desk(written, desk=paper, turn=turn))

        assert likeness(field.pixels, alone.pixels) > 0.9
        assert field.box == pytest.approx(alone.box, abs=8)
        assert not field.is_doubtful
        assert not field.is_cut_off


@pytest.mark.parametrize(("desk", "paper"), [(60, 220), (210, 130)])
def test_two_digits_on_a_note_are_refused(latin: Recognizer, desk: int, paper: int) -> None:
    halves = [
        drawing.draw(digit, size=(160, 320), ink=40, paper=paper, box=(45, 90, 70, 140))
        for digit in (3, 8)
    ]

    for turn in (-8, 0, 5):
        reading = latin.read(on_desk(np.hstack(halves), desk=desk, turn=turn))
        assert reading.verdict is Verdict.REFUSED


@pytest.mark.parametrize("digit", [0, 3, 5, 8])
def test_half_a_digit_on_the_edge_of_a_note_is_not_read_from_it(digit: int) -> None:
    written = drawing.draw(digit, seed=digit, size=(320, 320), ink=40, paper=220)
    scene = on_desk(written, desk=60, turn=0)
    scene[:, : NOTE[0] + 160] = 60

    x, y, width, height = NOTE
    assert to_field(scene).box == pytest.approx((x + 160, y, width - 160, height), abs=8)


def test_an_even_page_holds_no_sheet() -> None:
    assert not list(find_sheets(np.full((600, 800), 230, np.uint8)))


@pytest.mark.parametrize("digit", [4, 6, 9])
@pytest.mark.parametrize("is_light", [False, True])
def test_bold_strokes_out_of_focus_are_no_sheet(digit: int, is_light: bool) -> None:
    """Their middle is darker than their edges, as a stroke is darker than its paper."""
    small = drawing.draw(digit, size=(28, 28), width=4, box=(8, 5, 12, 18))
    sharp = robustness.on_paper(small)
    blurred = robustness.corrupt(sharp, "blur", 10, seed=1)
    if is_light:
        sharp, blurred = 255 - sharp, 255 - blurred

    assert to_field(blurred).box == pytest.approx(to_field(sharp).box, abs=10)


@pytest.mark.parametrize("ends", [(70, 190), (190, 70)])
def test_light_that_fades_over_two_digits_is_no_sheet_with_one(ends: tuple[int, int]) -> None:
    """Half of the page is lighter than the other, but not at once."""
    light = np.linspace(*ends, 700)[None, :]
    page = np.repeat(light, 460, axis=0)
    for x, digit in ((150, 6), (400, 3)):
        one = drawing.draw(digit, seed=1, size=(700, 460), width=24, box=(x, 90, 150, 270))
        page = np.where(one < 200, page * 0.4, page)
    picture = cv2.GaussianBlur(page.astype(np.uint8), (5, 5), 0)

    with pytest.raises(Refused) as refusal:
        to_field(picture)

    assert refusal.value.reason is Reason.SEVERAL_DIGITS
