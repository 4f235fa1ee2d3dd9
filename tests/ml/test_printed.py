from __future__ import annotations

import contextlib
from functools import partial

import cv2
import numpy as np
import pytest

from fixtures import drawing
from fixtures.forms import INK, PAPER, boxed
from ml.preprocessing import to_field
from ml.refusals import Refused
from tests.ml.test_preprocessing import likeness


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("side", [50, 100, 200, 400])
@pytest.mark.parametrize("line", [0.015, 0.04])
@pytest.mark.parametrize("boxes", [1, 3])
def test_a_digit_in_a_printed_box_is_read_without_it(
    digit: int, side: int, line: float, boxes: int
) -> None:
    for darkness, turn in ((1.0, 0.0), (0.5, 1.0), (0.8, -2.5), (1.0, 2.5)):
        in_box = partial(boxed, digit, seed=digit, side=side, boxes=boxes, line=line, turn=turn)
        alone = to_field(in_box(darkness=0.0))
        field = to_field(in_box(darkness=darkness))

        assert likeness(field.pixels, alone.pixels) > 0.95
        assert not field.is_doubtful


@pytest.mark.parametrize("digit", [0, 1, 3, 4, 5, 6, 7, 8, 9])  # a 2 has its foot on the line
@pytest.mark.parametrize("side", [100, 200, 400])
@pytest.mark.parametrize("boxes", [1, 3])
def test_a_digit_that_runs_across_its_box_is_found(digit: int, side: int, boxes: int) -> None:
    for below, turn in ((0.3, 1.0), (-0.35, 4.0), (0.3, -4.0)):
        in_box = partial(boxed, digit, seed=digit, side=side, boxes=boxes, below=below, turn=turn)
        alone = to_field(in_box(darkness=0.0))
        field = to_field(in_box(darkness=1.0))

        assert likeness(field.pixels, alone.pixels) > 0.8


@pytest.mark.parametrize("digit", [1, 4, 7, 9])  # strokes that cross the line steeply
@pytest.mark.parametrize("line", [0.015, 0.05])
def test_strokes_that_cross_a_line_are_sure(digit: int, line: float) -> None:
    in_box = partial(boxed, digit, seed=digit, below=0.25, turn=1.0, line=line)
    alone = to_field(in_box(darkness=0.0))
    field = to_field(in_box(darkness=1.0))

    assert likeness(field.pixels, alone.pixels) > 0.9
    assert not field.is_doubtful


@pytest.mark.parametrize("below", [0.2, 0.3])
def test_a_stem_as_long_as_its_box_is_no_line_of_it(below: float) -> None:
    in_box = partial(boxed, 1, seed=4, height=0.85, below=below, boxes=3, line=0.05)
    alone = to_field(in_box(darkness=0.0))
    field = to_field(in_box(darkness=1.0))

    assert likeness(field.pixels, alone.pixels) > 0.9


def test_a_foot_as_wide_as_its_box_is_no_line_of_it() -> None:
    page = drawing.draw(2, seed=0, size=(400, 600), ink=INK, paper=PAPER, width=14,
                        box=(120, 150, 160, 260))  # fmt: skip
    alone = to_field(page)
    x, y, width, height = alone.box
    boxed_in = cv2.rectangle(page.copy(), (x + 4, y - 60), (x + width - 4, y + height + 50), 60, 4)

    assert likeness(to_field(boxed_in).pixels, alone.pixels) > 0.8


def test_a_small_crop_that_a_digit_of_straight_strokes_fills_is_no_box() -> None:
    crop = np.zeros((28, 28), np.uint8)
    corners = [(3, 0), (24, 0), (27, 3), (27, 24), (24, 27), (3, 27), (0, 24), (0, 3)]
    cv2.polylines(crop, [np.array(corners)], True, 255)
    cv2.line(crop, (3, 27), (14, 15), 255)

    assert to_field(crop).box == (0, 0, 28, 28)


def test_a_divider_between_boxes_is_no_1() -> None:
    page = np.full((300, 700), PAPER, np.uint8)
    cv2.line(page, (0, 90), (700, 90), INK, 4)
    cv2.line(page, (0, 210), (700, 210), INK, 4)
    cv2.line(page, (350, 90), (350, 210), INK, 4)

    with contextlib.suppress(Refused):
        assert to_field(page).is_doubtful


def on_line(digit: int, *, side: int, darkness: float, printed: str) -> np.ndarray:
    """A digit with something printed below or around it, and empty places of the same beside."""
    size = 5 * side, 2 * side
    picture = drawing.draw(
        digit, seed=digit, size=size, ink=INK, paper=PAPER, width=0.06 * side,
        box=(2 * side + side // 4, side // 2, side // 2, round(0.8 * side)),
    )  # fmt: skip
    canvas = np.zeros_like(picture)
    top, bottom, line = side // 3, round(1.5 * side), max(2, side // 40)
    for left in range(side, 4 * side, side):
        if printed == "boxes":
            inset = side // 12
            cv2.rectangle(canvas, (left + inset, top), (left + side - inset, bottom), 1, line)
        if printed == "comb":
            cv2.line(canvas, (left, round(1.2 * side)), (left, bottom), 1, line)
            cv2.line(canvas, (left + side, round(1.2 * side)), (left + side, bottom), 1, line)
            cv2.line(canvas, (left, bottom), (left + side, bottom), 1, line)
        if printed == "line":
            cv2.line(canvas, (left, bottom), (left + side, bottom), 1, line)
    if printed == "dashes":
        cv2.rectangle(canvas, (2 * side, top), (3 * side, bottom), 1, line)
        y, x = np.indices(canvas.shape)
        canvas[(x + y) % (side // 8) < side // 32] = 0
    form: np.ndarray = np.minimum(picture, PAPER - (PAPER - INK) * darkness * canvas)
    return form.astype(np.uint8)


@pytest.mark.parametrize("printed", ["line", "comb", "boxes", "dashes"])
@pytest.mark.parametrize("digit", range(10))
def test_what_a_form_prints_around_a_digit_is_none_of_it(printed: str, digit: int) -> None:
    for side in (100, 200):
        alone = to_field(on_line(digit, side=side, darkness=0.0, printed=printed))
        for darkness in (0.6, 1.0):
            field = to_field(on_line(digit, side=side, darkness=darkness, printed=printed))

            assert likeness(field.pixels, alone.pixels) > 0.95
            assert not field.is_doubtful


def comb(digit: int, *, boxes: int, ticks: float, shade: int, below: int = 0) -> np.ndarray:
    """A digit in the last of some boxes without lids.

    Args:
        ticks: height of the upright lines, as a share of a box.
        below: px by which the digit goes below the level line; less than 0 stays above it.
    """
    side = 160
    size = boxes * side + 120, 300
    tall = 110
    box = (60 + (boxes - 1) * side + 45, 230 + below - tall, 70, tall)
    page = drawing.draw(digit, seed=digit, size=size, ink=INK, paper=PAPER, width=12, box=box)
    printed = np.full_like(page, PAPER)
    cv2.line(printed, (60, 230), (60 + boxes * side, 233), shade, 3)
    for number in range(boxes + 1):
        x = 60 + number * side
        cv2.line(printed, (x, 230), (x, 230 - round(ticks * side)), shade, 3)
    combed: np.ndarray = np.minimum(page, printed)
    return combed


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("boxes", "ticks"), [(1, 0.3), (1, 1.0), (2, 0.15), (2, 0.8), (5, 1.0)])
@pytest.mark.parametrize(("shade", "below"), [(INK, -12), (130, 4)])
def test_a_comb_of_any_height_is_none_of_the_digit(
    digit: int, boxes: int, ticks: float, shade: int, below: int
) -> None:
    alone = to_field(drawing.draw(digit, seed=digit, width=24))

    field = to_field(comb(digit, boxes=boxes, ticks=ticks, shade=shade, below=below))

    assert likeness(field.pixels, alone.pixels) > 0.75


def straight(*corners: tuple[int, int], width: int = 3) -> np.ndarray:
    picture = np.full((300, 300), PAPER, np.uint8)
    cv2.polylines(picture, [np.array(corners)], False, INK, width)
    return picture


@pytest.mark.parametrize("width", [3, 8, 16])
def test_a_zero_and_an_eight_of_straight_strokes_are_no_boxes(width: int) -> None:
    zero = straight((90, 50), (210, 50), (210, 250), (90, 250), (90, 50), width=width)
    eight = straight(
        (90, 150), (90, 50), (210, 50), (210, 250), (90, 250), (90, 150), (210, 150), width=width
    )

    for picture in (zero, eight):
        field = to_field(picture)
        assert field.box == pytest.approx((90, 50, 120, 200), abs=width + 2)
        assert not field.is_doubtful


@pytest.mark.parametrize("digit", range(10))
def test_a_word_in_a_box_elsewhere_does_not_make_a_digit_doubtful(digit: int) -> None:
    page = np.full((400, 800), PAPER, np.uint8)
    page[:, :400] = drawing.draw(digit, seed=digit, size=(400, 400))
    alone = to_field(page)
    page[20:120, 600:760] = cv2.resize(boxed(7, seed=1, below=0.3), (160, 100))

    field = to_field(page)

    assert not field.is_doubtful
    assert np.array_equal(field.pixels, alone.pixels)


def crossed(
    picture: np.ndarray, level: tuple[int, ...], upright: tuple[int, ...], *, dark: int = 90
) -> np.ndarray:
    lines = np.full_like(picture, 255)
    for row in level:
        cv2.line(lines, (-9, row + 6), (609, row - 6), dark, 3)
    for column in upright:
        cv2.line(lines, (column - 4, -9), (column + 4, 459), dark, 3)
    paper: np.ndarray = np.minimum(picture, lines)
    return paper


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(
    ("level", "upright"),
    [
        ((180,), (330,)),
        ((30, 180), (330,)),
        ((180,), (330, 570)),
        ((180, 390), (300, 540)),
    ],
)
def test_a_few_lines_of_squared_paper_that_cross_a_digit_are_none_of_it(
    digit: int, level: tuple[int, ...], upright: tuple[int, ...]
) -> None:
    """Lines of one direction run from border to border in what the other's are judged by."""
    picture = drawing.draw(digit, seed=digit, size=(600, 450), box=(250, 120, 130, 190), width=16)
    field = to_field(crossed(picture, level, upright))

    assert likeness(field.pixels, to_field(picture).pixels) > 0.85
    assert not field.is_doubtful


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("pencil", [150, 185])
def test_a_pencil_much_paler_than_the_lines_of_a_table_is_read_whole(
    digit: int, pencil: int
) -> None:
    box = 330, 120, 110, 190
    written = drawing.draw(
        digit, seed=digit, size=(600, 450), ink=pencil, paper=PAPER, box=box, width=7
    )
    table = crossed(written, (60, 360), (250, 520), dark=20)

    field = to_field(table)

    assert likeness(field.pixels, to_field(written).pixels) > 0.9
    assert not field.is_doubtful


@pytest.mark.parametrize("digit", [0, 3, 8])
def test_a_box_printed_unevenly_is_none_of_the_digit(digit: int) -> None:
    box = 150, 110, 110, 190
    page = drawing.draw(digit, seed=1, size=(400, 400), ink=INK, paper=PAPER, box=box, width=9)
    printed = page.copy()
    cv2.rectangle(printed, (90, 60), (320, 350), 130, 10)
    for start in range(60, 350, 72):  # paler, but for bits
        cv2.line(printed, (90, start + 60), (90, start + 72), 180, 10)

    field = to_field(printed)

    assert likeness(field.pixels, to_field(page).pixels) > 0.95
    assert not field.is_doubtful


@pytest.mark.parametrize("digit", [3, 6, 9])
def test_lines_of_both_directions_together_tell_ruled_paper_from_a_cropped_digit(
    digit: int,
) -> None:
    """No digit has three bars from border to border: this one may lie at the picture's edge."""
    picture = drawing.draw(digit, seed=digit, size=(600, 450), box=(250, 12, 130, 190), width=16)
    field = to_field(crossed(picture, (110, 300), (300,)))

    assert likeness(field.pixels, to_field(picture).pixels) > 0.85


@pytest.mark.parametrize("width", [3, 5, 7, 12])
@pytest.mark.parametrize(
    "strokes",
    [
        [[(400, 0), (400, 599)], [(400, 10), (16, 400), (599, 400)]],
        [[(400, 0), (400, 599)], [(60, 60), (30, 400)], [(0, 400), (599, 400)]],
        [[(300, 0), (300, 599)], [(0, 300), (599, 300)]],
    ],
    ids=["closed 4", "open 4", "plus"],
)
def test_thin_bars_of_a_tight_crop_are_no_lines_of_the_paper(
    strokes: list[list[tuple[int, int]]], width: int
) -> None:
    picture = np.full((600, 600), PAPER, np.uint8)
    for stroke in strokes:
        cv2.polylines(picture, [np.array(stroke)], False, INK, width)
    field = to_field(picture)

    assert field.box == pytest.approx((0, 0, 600, 600), abs=42)


def squared(picture: np.ndarray, *, pitch: int, dark: int, turn: float) -> np.ndarray:
    """The same on squared paper that lies askew."""
    line = np.zeros((900, 900), np.float32)
    line[::pitch] = line[1::pitch] = line[2::pitch] = 1
    matrix = cv2.getRotationMatrix2D((450, 450), turn, 1.0)
    lines = cv2.warpAffine(np.maximum(line, line.T), matrix, (900, 900))[200:650, 150:750]
    paper: np.ndarray = np.minimum(picture, PAPER - (PAPER - dark) * lines)
    return paper.astype(np.uint8)


@pytest.mark.parametrize("digit", [3, 6, 8, 9])
@pytest.mark.parametrize("turn", [-3, 2])
def test_a_digit_among_close_lines_stands_out_from_the_paper_between_them(
    digit: int, turn: int
) -> None:
    """Without its lines, squared paper is as light around a digit as any other paper."""
    picture = drawing.draw(digit, seed=digit, size=(600, 450), box=(260, 150, 70, 100), width=9)
    field = to_field(squared(picture, pitch=21, dark=70, turn=turn))

    assert likeness(field.pixels, to_field(picture).pixels) > 0.7


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("width", [3, 12, 30])
def test_a_line_from_border_to_border_is_never_sure(upright: bool, width: int) -> None:
    page = np.full((600, 450), PAPER, np.uint8)
    page[:, 200 : 200 + width] = INK

    assert to_field(page if upright else page.T.copy()).is_doubtful


@pytest.mark.parametrize("ruled", [True, False])
def test_what_is_left_of_a_line_on_ruled_paper_is_never_sure(ruled: bool) -> None:
    page = np.full((600, 450), PAPER, np.uint8)
    if ruled:
        page[40::60] = page[41::60] = INK
    cv2.line(page, (215, 100), (228, 500), INK, 3)

    assert to_field(page).is_doubtful == ruled


@pytest.mark.parametrize("margin", [0, 12])
def test_a_one_that_fills_its_crop_is_no_line(margin: int) -> None:
    page = np.full((400, 60), PAPER, np.uint8)
    page[margin : 400 - margin, 20:44] = INK

    assert not to_field(page).is_doubtful
