from __future__ import annotations

from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest

from fixtures import drawing, marks
from fixtures.collections import Make
from ml.marks import within_circle
from ml.preprocessing import to_field
from ml.recognizer import Recognizer, Verdict
from ml.refusals import Reason, Refused
from tests.ml.test_preprocessing import likeness

SEEDS = range(6)


def _alone(digit: int, seed: int, kind: int) -> np.ndarray:
    """The digit of a marked picture without its mark."""
    rng = np.random.default_rng((digit, seed, kind))
    picture, _, _ = marks.written(digit, seed, rng)
    return picture


def _ring(picture: np.ndarray, axes: tuple[int, int], width: int = 8) -> np.ndarray:
    middle = picture.shape[1] // 2, picture.shape[0] // 2
    return cv2.ellipse(picture.copy(), middle, axes, 0, 0, 360, 30, width, cv2.LINE_AA)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        *((1, partial(marks.circled, opening=opening)) for opening in (-0.2, 0.3, 0.9)),
        *((2, partial(marks.underlined, lines=lines)) for lines in (1, 2)),
    ],
)
def test_a_circle_around_a_digit_and_lines_below_are_left_out(
    digit: int, kind: int, mark: Make
) -> None:
    for seed in SEEDS:
        alone = to_field(_alone(digit, seed, kind))
        field = to_field(mark(digit, seed=seed))

        assert likeness(field.pixels, alone.pixels) > 0.99
        assert not field.is_doubtful


@pytest.mark.parametrize("digit", range(10))
def test_a_small_word_beside_or_above_a_digit_is_left_out(digit: int) -> None:
    for seed in SEEDS:
        alone = to_field(_alone(digit, seed, 3))
        field = to_field(marks.labelled(digit, seed=seed))

        assert likeness(field.pixels, alone.pixels) > 0.99


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("where", [(200, 52), (268, 150)])
def test_a_digit_that_touches_its_circle_is_never_sure(digit: int, where: tuple[int, int]) -> None:
    page = drawing.draw(digit, seed=1, size=(400, 300), width=7, box=(168, 95, 64, 110))
    circled = cv2.ellipse(page, (200, 150), (70, 100), 0, 0, 360, 30, 6, cv2.LINE_AA)
    cv2.line(circled, (200, 150), where, 30, 6, cv2.LINE_AA)

    try:
        assert to_field(circled).is_doubtful
    except Refused as refusal:
        assert refusal.reason is not Reason.BLANK


@pytest.mark.parametrize("digit", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("below", [0, 12])
def test_a_digit_that_touches_its_circle_or_runs_out_of_it_is_read_for_a_person(
    latin: Recognizer, digit: int, below: int
) -> None:
    page = drawing.draw(digit, seed=1, size=(400, 300), width=6, box=(168, 90 + below, 64, 110))
    circled = cv2.ellipse(page, (200, 150), (75, 66), 0, 0, 360, 30, 5, cv2.LINE_AA)

    reading = latin.read(circled)

    assert (reading.text, reading.verdict) == (str(digit), Verdict.UNSURE)


@pytest.mark.parametrize("digit", [4, 6, 9])
@pytest.mark.parametrize("aside", [5, 8])
def test_a_loop_drawn_twice_is_no_circle(digit: int, aside: int) -> None:
    once = drawing.draw(digit, seed=1, size=(300, 300), width=4)
    if digit == 4:
        once = np.full((300, 300), 240, np.uint8)
        cv2.polylines(
            once, [np.array([(190, 260), (165, 40), (90, 200), (230, 205)])], False, 30, 4
        )
    twice = np.minimum(once, np.roll(once, aside, axis=1))

    field = to_field(twice)

    assert not field.is_doubtful
    assert likeness(field.pixels, to_field(once).pixels) > 0.7


def _lines(*strokes: list[tuple[int, int]], width: int = 5) -> np.ndarray:
    mask = np.zeros((240, 240), np.uint8)
    for stroke in strokes:
        cv2.polylines(mask, [np.array(stroke, np.int32)], False, 1, width)
    return mask[np.ix_(mask.any(axis=1), mask.any(axis=0))]


def _oval(middle: tuple[int, int], axes: tuple[int, int], end: int = 360) -> list[tuple[int, int]]:
    points = cv2.ellipse2Poly(middle, axes, 0, 0, end, 5)
    return [(int(x), int(y)) for x, y in points]


RING, STEM = _oval((120, 120), (80, 100)), [(120, 24), (120, 190)]


def test_a_stem_that_touches_its_ring_is_what_is_within() -> None:
    inner = within_circle(_lines(RING, STEM))

    assert inner is not None
    assert cv2.boundingRect(inner)[2] < 20


@pytest.mark.parametrize(
    "strokes",
    [
        [RING],
        [RING, [(120, 20), (120, 80)]],  # the end of a 0
        [RING, _oval((112, 120), (60, 98))],  # twice a 0
        [_oval((120, 160), (60, 60)), _oval((126, 162), (44, 50)), [(62, 150), (110, 10)]],  # a 6
        [  # a closed 4
            [(150, 230), (140, 20), (60, 170), (180, 170)],
            [(162, 228), (146, 34), (78, 180), (176, 156)],
        ],
    ],
)
def test_strokes_that_are_joined_are_no_ring_with_more_in_it(
    strokes: list[list[tuple[int, int]]],
) -> None:
    assert within_circle(_lines(*strokes)) is None


def test_a_bold_0_with_a_loop_in_it_is_no_ring_with_more_in_it() -> None:
    mask = _lines(_oval((120, 110), (95, 85)), _oval((140, 130), (60, 48)), width=22)

    assert within_circle(mask) is None


def test_a_rough_edge_makes_no_thin_ring_of_a_bold_0_with_a_long_end() -> None:
    mask = _lines(_oval((120, 120), (60, 70)), [(140, 50), (118, 140)], width=24)
    edge = cv2.distanceTransform(mask, cv2.DIST_L2, 3) < 4
    rough = mask & ~(edge & (np.random.default_rng(0).random(mask.shape) < 0.35))

    assert within_circle(rough.astype(np.uint8)) is None


def test_dots_that_vanish_in_a_smaller_picture_are_no_ring() -> None:
    mask = np.zeros((600, 600), np.uint8)
    mask[0, 0] = mask[300:303, 300:303] = mask[-1, -1] = 1

    assert within_circle(mask) is None


def test_a_0_drawn_twice_is_no_circle_around_a_stroke() -> None:
    page = np.full((300, 300), 240, np.uint8)
    cv2.ellipse(page, (150, 150), (70, 100), 0, 0, 360, 30, 9, cv2.LINE_AA)
    cv2.ellipse(page, (140, 150), (48, 95), 0, 100, 260, 30, 9, cv2.LINE_AA)

    assert not to_field(page).is_doubtful


@pytest.mark.parametrize("digit", [0, 6, 8, 9])
@pytest.mark.parametrize("width", [4, 10, 24])
def test_a_round_digit_is_not_taken_for_a_circle(digit: int, width: int) -> None:
    for seed in SEEDS:
        page = drawing.draw(digit, seed=seed, size=(300, 300), width=width, box=(90, 60, 120, 180))

        assert not to_field(page).is_doubtful


def _beside(
    digit: int, *bows: float, height: int = 160, down: int = 0, is_turned: bool = False
) -> np.ndarray:
    """A digit of 80x120 px, and brackets beside it: those with a bow above 0 behind it."""
    page = drawing.draw(digit, seed=1, size=(400, 300), width=8, box=(160, 90, 80, 120))
    for bow in bows:
        along = np.linspace(-1, 1, 40)
        ends = (100 if bow > 0 else 300) if is_turned else (130 if bow < 0 else 270)
        level = 150 + down + height / 2 * along
        points = np.column_stack([ends + bow * height * (1 - along**2), level])
        cv2.polylines(page, [np.rint(points).astype(np.int32)], False, 30, 7, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("digit", range(10))
def test_a_bracket_beside_a_digit_is_left_out_and_may_be_a_1(digit: int) -> None:
    alone = to_field(_beside(digit))

    for bow in (-0.2, -0.12, 0.12, 0.2):
        field = to_field(_beside(digit, bow))

        assert likeness(field.pixels, alone.pixels) > 0.99
        assert field.is_doubtful


@pytest.mark.parametrize("digit", range(10))
def test_brackets_on_both_sides_are_no_digits(digit: int) -> None:
    alone = to_field(_beside(digit))
    field = to_field(_beside(digit, -0.15, 0.15))

    assert likeness(field.pixels, alone.pixels) > 0.99
    assert not field.is_doubtful


@pytest.mark.parametrize(
    ("bow", "how"),
    [
        (0.02, {}),
        (0.15, {"down": -85, "height": 110}),
        (0.15, {"is_turned": True}),
        (-0.15, {"is_turned": True}),
    ],
    ids=["straight", "above", "turned away", "turned away before it"],
)
def test_what_is_no_bracket_is_a_second_digit(bow: float, how: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refusal:
        to_field(_beside(2, bow, **how))

    assert refusal.value.reason is Reason.SEVERAL_DIGITS


def test_a_comma_beside_a_digit_is_no_bracket() -> None:
    field = to_field(_beside(2, 0.15, height=40))

    assert likeness(field.pixels, to_field(_beside(2)).pixels) > 0.99
    assert not field.is_doubtful


def test_two_digits_in_a_circle_are_two_digits() -> None:
    one, other = (
        drawing.draw(digit, seed=1, size=(600, 400), width=10, box=(x, 140, 80, 120))
        for digit, x in ((3, 170), (4, 340))
    )
    page = np.minimum(one, other)

    with pytest.raises(Refused) as refusal:
        to_field(_ring(page, (220, 160)))

    assert refusal.value.reason is Reason.SEVERAL_DIGITS


def test_digits_side_by_side_are_no_word() -> None:
    page = np.full((300, 700), 245, np.uint8)
    for x, digit in ((100, 2), (230, 0), (360, 8), (490, 4)):
        one = drawing.draw(digit, seed=1, size=(700, 300), width=10, box=(x, 90, 80, 120))
        page = np.minimum(page, one)

    with pytest.raises(Refused) as refusal:
        to_field(page)

    assert refusal.value.reason is Reason.SEVERAL_DIGITS


def test_a_short_stroke_in_a_0_does_not_make_it_a_circle() -> None:
    zero = _ring(np.full((300, 300), 240, np.uint8), (80, 100), width=5)
    marked = cv2.line(zero.copy(), (150, 135), (150, 165), 30, 5)

    field = to_field(marked)

    assert likeness(field.pixels, to_field(zero).pixels) > 0.9


def test_a_bold_0_with_ink_in_it_is_no_circle() -> None:
    zero = _ring(np.full((300, 300), 240, np.uint8), (75, 100), width=44)
    blotted = cv2.line(zero.copy(), (150, 115), (150, 185), 30, 8)

    field = to_field(blotted)

    assert likeness(field.pixels, to_field(zero).pixels) > 0.9


def test_a_0_with_a_stroke_in_it_is_not_sure() -> None:
    zero = _ring(np.full((300, 300), 240, np.uint8), (70, 100))
    slashed = cv2.line(zero.copy(), (125, 195), (175, 105), 30, 8, cv2.LINE_AA)

    field = to_field(slashed)

    assert field.is_doubtful
    assert likeness(field.pixels, to_field(zero).pixels) > 0.8


def test_a_broken_6_is_no_circle_around_its_loop() -> None:
    page = np.full((300, 300), 240, np.uint8)
    cv2.ellipse(page, (160, 150), (75, 110), 0, 40, 290, 30, 10, cv2.LINE_AA)
    bow = to_field(page)
    cv2.ellipse(page, (165, 198), (32, 32), 0, 0, 360, 30, 10, cv2.LINE_AA)

    field = to_field(page)

    assert likeness(field.pixels, bow.pixels) < 0.95
    assert field.box[3] > 200


def test_the_foot_of_a_2_that_the_pen_was_lifted_for_is_kept() -> None:
    page = drawing.draw_strokes(
        (drawing.STROKES[2][0],), seed=0, size=(300, 300), ink=30, paper=240, width=10,
        box=(100, 80, 90, 130),
    )  # fmt: skip
    cv2.line(page, (100, 222), (192, 220), 30, 10, cv2.LINE_AA)

    field = to_field(page)

    assert field.box[1] + field.box[3] > 222


def test_the_bar_of_a_5_that_stands_apart_is_kept() -> None:
    page = drawing.draw_strokes(
        drawing.STROKES[5][1:], seed=0, size=(300, 300), ink=30, paper=240, width=10,
        box=(100, 80, 90, 130),
    )  # fmt: skip
    top = to_field(page).box[1]
    cv2.line(page, (125, top - 14), (190, top - 16), 30, 10, cv2.LINE_AA)

    assert to_field(page).box[1] < top - 14


def test_crumbs_of_a_dry_pen_are_no_word() -> None:
    page = drawing.draw(7, seed=0, size=(300, 300), width=12, box=(100, 80, 90, 130))
    whole = to_field(page)
    for x in range(108, 160, 22):  # gaps in its bar
        page[60:110, x : x + 6] = 245

    assert to_field(page).box[0] <= whole.box[0] + 3


def bracketed(digit: int, kind: str) -> np.ndarray:
    """A digit between two square brackets, two braces, or two 1s."""
    page = drawing.draw(digit, seed=digit, size=(500, 400), box=(210, 130, 80, 130), width=9)
    left = {
        "square": [(150, 100), (120, 100), (122, 290), (152, 290)],
        "brace": [
            (150, 95),
            (130, 110),
            (132, 180),
            (112, 195),
            (132, 210),
            (130, 280),
            (150, 295),
        ],
        "ones": [(105, 140), (130, 100), (130, 290)],
    }[kind]
    right = [(500 - x, y) for x, y in left] if kind != "ones" else [(x + 235, y) for x, y in left]
    for line in (left, right):
        cv2.polylines(page, [np.array(line)], False, 30, 9, cv2.LINE_AA)
    return page


@pytest.mark.parametrize("kind", ["square", "brace"])
@pytest.mark.parametrize("digit", range(10))
def test_square_brackets_and_braces_are_none_of_the_digit(digit: int, kind: str) -> None:
    field = to_field(bracketed(digit, kind))

    x, _, width, _ = field.box
    assert 190 < x < x + width < 310
    assert not field.is_doubtful


@pytest.mark.parametrize("digit", [2, 3, 5])
def test_ones_on_both_sides_of_a_digit_are_no_brackets(digit: int) -> None:
    with pytest.raises(Refused) as refusal:
        to_field(bracketed(digit, "ones"))

    assert refusal.value.reason == Reason.SEVERAL_DIGITS
