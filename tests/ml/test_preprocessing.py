from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fixtures import drawing, nondigits
from fixtures.photographs import photograph
from ml import preprocessing, robustness
from ml.pieces import Box
from ml.preprocessing import to_field
from ml.refusals import Reason, Refused

digits = st.integers(0, 9)
seeds = st.integers(0, 200)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine between two fields."""
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))


def refusal(picture: np.ndarray) -> Reason:
    with pytest.raises(Refused) as caught:
        to_field(picture)
    return caught.value.reason


def fill(share: float) -> tuple[int, int, int, int]:
    side = round(280 * share)
    return (280 - round(0.68 * side)) // 2, (280 - side) // 2, round(0.68 * side), side


@given(digits, seeds)
@settings(max_examples=40, deadline=None)
def test_the_ink_is_centred_and_20_px_large(digit: int, seed: int) -> None:
    field = to_field(drawing.draw(digit, seed=seed)).pixels

    y, x = np.mgrid[0:28, 0:28]
    rows, columns = np.flatnonzero(field.max(1) > 0.3), np.flatnonzero(field.max(0) > 0.3)
    assert field.dtype == np.float32
    assert field.min() >= 0
    assert field.max() <= 1
    assert abs((field * x).sum() / field.sum() - 13.5) < 0.6
    assert abs((field * y).sum() / field.sum() - 13.5) < 0.6
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22


@given(digits, seeds, st.integers(-40, 40), st.integers(-40, 40))
@settings(max_examples=40, deadline=None)
def test_shifting_changes_nothing(digit: int, seed: int, dx: int, dy: int) -> None:
    x, y, width, height = fill(0.5)
    here = to_field(drawing.draw(digit, seed=seed, box=(x, y, width, height)))
    there = to_field(drawing.draw(digit, seed=seed, box=(x + dx, y + dy, width, height)))

    assert likeness(here.pixels, there.pixels) > 0.99
    assert there.box[0] - here.box[0] == pytest.approx(dx, abs=1)
    assert there.box[1] - here.box[1] == pytest.approx(dy, abs=1)


WIDE_BOWL = (6, 103)  # digit, seed


@given(digits, seeds)
@settings(max_examples=40, deadline=None)
def test_chalk_reads_like_ink(digit: int, seed: int) -> None:
    assume((digit, seed) != WIDE_BOWL)
    ink = drawing.draw(digit, seed=seed)

    assert likeness(to_field(ink).pixels, to_field(255 - ink).pixels) > 0.98


@pytest.mark.xfail(
    strict=True, reason="of 4 000 such digits, the bowl of this one is taken for ink"
)
def test_a_wide_bowl_in_chalk_is_not_ink() -> None:
    ink = drawing.draw(WIDE_BOWL[0], seed=WIDE_BOWL[1])

    assert likeness(to_field(ink).pixels, to_field(255 - ink).pixels) > 0.98


@given(digits, seeds, st.floats(0.3, 0.85))
@settings(max_examples=40, deadline=None)
def test_size_changes_little(digit: int, seed: int, share: float) -> None:
    usual = to_field(drawing.draw(digit, seed=seed, box=fill(0.6), width=280 * 0.6 * 0.09))
    other = to_field(drawing.draw(digit, seed=seed, box=fill(share), width=280 * share * 0.09))

    assert likeness(usual.pixels, other.pixels) > 0.93


@given(st.sampled_from([1, 2, 3, 4, 5, 7]), seeds)
@example(2, 194)  # the pen was lifted before the foot, which is no line below the digit
@settings(max_examples=40, deadline=None)
def test_pencil_and_felt_pen_read_alike(digit: int, seed: int) -> None:
    pencil = to_field(drawing.draw(digit, seed=seed, width=3)).pixels
    felt = to_field(drawing.draw(digit, seed=seed, width=22)).pixels

    assert likeness(pencil, felt) > 0.8
    assert 0.6 < pencil.sum() / felt.sum() < 1.6


@pytest.mark.parametrize(("side", "width"), [(700, 1), (700, 2), (1400, 2), (1400, 4), (1400, 6)])
@pytest.mark.parametrize("digit", range(10))
def test_a_thin_pen_on_a_large_canvas_reads_alike(digit: int, side: int, width: int) -> None:
    size, edge = (side, side), side // 20
    box = (edge, edge, side - 2 * edge, side - 2 * edge)

    thin = to_field(drawing.draw(digit, seed=1, size=size, width=width, box=box))
    usual = to_field(drawing.draw(digit, seed=1, size=size, width=side / 20, box=box))

    assert likeness(thin.pixels, usual.pixels) > 0.8


@given(digits, seeds)
@settings(max_examples=40, deadline=None)
def test_a_crop_whose_strokes_touch_the_border_is_a_normal_digit(digit: int, seed: int) -> None:
    picture = drawing.draw(digit, seed=seed)
    x, y, width, height = to_field(picture).box

    cropped = to_field(picture[y : y + height, x : x + width])

    assert likeness(cropped.pixels, to_field(picture).pixels) > 0.9


@pytest.mark.parametrize("digit", [0, 3, 6, 8, 9])  # of one stroke each
@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_digit_that_touches_one_border_is_whole(digit: int, side: str) -> None:
    picture = drawing.draw(digit, seed=3)
    x, y, width, height = to_field(picture).box
    cropped = {
        "left": picture[:, x:],
        "right": picture[:, : x + width],
        "top": picture[y:],
        "bottom": picture[: y + height],
    }

    field = to_field(cropped[side])

    assert field.box[2:] == (width, height)
    assert likeness(field.pixels, to_field(picture).pixels) > 0.99


@given(digits, seeds)
@settings(max_examples=40, deadline=None)
def test_a_shadow_across_the_paper_changes_little(digit: int, seed: int) -> None:
    picture = drawing.draw(digit, seed=seed, size=(600, 450), box=(250, 120, 130, 190), width=16)
    shade = np.ones((450, 600), np.float32)
    shade[:, :200] = 0.45
    shaded = (picture * cv2.GaussianBlur(shade, (0, 0), 12)).astype(np.uint8)

    assert likeness(to_field(shaded).pixels, to_field(picture).pixels) > 0.93


@given(digits, seeds)
@settings(max_examples=40, deadline=None)
def test_ruled_lines_change_little(digit: int, seed: int) -> None:
    picture = drawing.draw(digit, seed=seed, size=(600, 450), box=(250, 120, 130, 190), width=16)
    ruled = picture.copy()
    ruled[[40, 41, 110, 111, 350, 351, 420, 421]] = np.minimum(
        ruled[[40, 41, 110, 111, 350, 351, 420, 421]], 150
    )

    assert likeness(to_field(ruled).pixels, to_field(picture).pixels) > 0.93


@pytest.mark.parametrize("digit", range(10))
def test_a_line_that_ends_just_before_the_border_changes_little(digit: int) -> None:
    picture = drawing.draw(digit, seed=digit, size=(600, 450), box=(250, 120, 130, 190), width=16)
    ruled = picture.copy()
    ruled[210:213, 9:591] = np.minimum(ruled[210:213, 9:591], 90)

    assert likeness(to_field(ruled).pixels, to_field(picture).pixels) > 0.85


@pytest.mark.parametrize("digit", range(10))
def test_a_line_that_the_digit_lies_along_is_one_as_the_others_are(digit: int) -> None:
    picture = drawing.draw(digit, seed=digit, size=(600, 450), box=(250, 120, 130, 190), width=16)
    x, _, width, _ = to_field(picture).box
    ruled = picture.copy()
    ruled[60:63] = ruled[210:213, : x + 10] = ruled[210:213, x + width - 10 :] = 90

    assert likeness(to_field(ruled).pixels, to_field(picture).pixels) > 0.85


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("turn", [0, -3, 4])
@pytest.mark.parametrize("name", ["lines", "squares"])
def test_lines_as_dark_as_the_ink_that_cross_the_digit_change_little(
    digit: int, turn: int, name: str
) -> None:
    picture = drawing.draw(digit, seed=digit, size=(300, 280), box=(90, 60, 110, 160), width=18)
    line = np.zeros((500, 500), np.float32)
    line[10::60] = line[11::60] = 1
    paper = np.maximum(line, line.T) if name == "squares" else line
    matrix = cv2.getRotationMatrix2D((250, 250), turn, 1.0)
    paper = cv2.warpAffine(paper, matrix, (500, 500))[110:390, 100:400]
    ruled = np.minimum(picture, 245 - 200 * paper).astype(np.uint8)

    assert likeness(to_field(ruled).pixels, to_field(picture).pixels) > 0.85


@pytest.mark.parametrize("digit", [2, 4, 5, 7])
def test_a_stroke_along_a_pale_line_is_kept(digit: int) -> None:
    """The base of the 2, the bar of the 4 and the others' tops lie on a line of the paper."""
    picture = drawing.draw(digit, seed=1, size=(600, 450), box=(250, 120, 130, 190), width=5)
    rows = (picture[:, 250:380] < 100).sum(axis=1)
    level = int(rows.argmax())  # where the longest level stroke is
    ruled = picture.copy()
    for row in range(level % 45, 450, 45):
        ruled[row : row + 3] = np.minimum(ruled[row : row + 3], 150)

    assert rows.max() > 25
    assert to_field(ruled).box == pytest.approx(to_field(picture).box, abs=4)
    assert likeness(to_field(ruled).pixels, to_field(picture).pixels) > 0.8


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("turn", [-3, 0, 2])
def test_a_stroke_that_covers_most_of_a_pale_line_is_kept(digit: int, turn: int) -> None:
    """What is left of the line says less of how it was printed than the lines beside it."""
    picture = drawing.draw(digit, size=(600, 450), box=(220, 60, 190, 330), width=9)
    line = np.zeros((900, 900), np.float32)
    line[::100] = line[1::100] = line[2::100] = line[3::100] = 1
    matrix = cv2.getRotationMatrix2D((450, 450), turn, 1.0)
    paper = cv2.warpAffine(np.maximum(line, line.T), matrix, (900, 900))[200:650, 150:750]
    squared = np.minimum(picture, 245 - 90 * paper).astype(np.uint8)

    assert likeness(to_field(squared).pixels, to_field(picture).pixels) > 0.95


@pytest.mark.parametrize("digit", [0, 2, 3, 5, 6, 8, 9])
def test_a_margin_that_is_darker_than_the_lines_and_crosses_the_digit_is_none_of_it(
    digit: int,
) -> None:
    """It is printed unlike the others, and is no pale line that a stroke covers."""
    picture = drawing.draw(digit, size=(600, 450), box=(250, 120, 130, 190), width=9)
    ruled = picture.copy()
    for line in range(20, 600, 60):
        ruled[line : line + 3] = np.minimum(ruled[line : line + 3], 170)
        ruled[:, line : line + 3] = np.minimum(ruled[:, line : line + 3], 170)
    ruled[:, 300:303] = np.minimum(ruled[:, 300:303], 70)

    assert likeness(to_field(ruled).pixels, to_field(picture).pixels) > 0.95


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(
    ("place", "is_sure"),
    [((60, 250, 150, 130), False), ((470, 60, 130, 200), True), ((190, 330, 260, 120), True)],
)
def test_a_digit_beside_the_shadow_of_a_thing_is_found(
    digit: int, place: Box, is_sure: bool
) -> None:
    """It is sure where the shadow comes in from the border, and so is no thing on the page."""
    picture = pencilled(digit)
    clean = to_field(picture)

    shaded = to_field(shadowed(picture, place))

    assert shaded.box == pytest.approx(clean.box, abs=3)
    assert likeness(shaded.pixels, clean.pixels) > 0.9
    assert shaded.is_doubtful != is_sure


@pytest.mark.parametrize(
    "edge",
    [
        ((0, 0), (600, 0), (600, 180), (0, 200)),  # from above
        ((380, 0), (600, 0), (600, 450), (370, 450)),  # upright
        ((340, 160), (640, 100), (640, 260), (360, 240)),  # a corner within the digit
    ],
)
def test_a_digit_across_the_edge_of_a_shadow_is_read(edge: tuple[tuple[int, int], ...]) -> None:
    """All but one of ten: where the paper is as dark as the pen, half of it may seem to be all."""
    alike = []
    for digit in range(10):
        picture = drawing.draw(
            digit, seed=digit, size=(600, 450), box=(330, 120, 90, 130), width=8, ink=60
        )
        shadow = cv2.fillPoly(np.ones(picture.shape), [np.array(edge)], 0.4)
        shaded = np.rint(picture * cv2.GaussianBlur(shadow, (0, 0), 2)).astype(np.uint8)
        alike.append(likeness(to_field(shaded).pixels, to_field(picture).pixels))

    assert sorted(alike)[1] > 0.8


@pytest.mark.parametrize("seed", [468, 508, 788, 908, 1228])
def test_half_an_8_is_no_0_in_a_shadow(seed: int) -> None:
    assert to_field(nondigits.cut_off(seed)).is_cut_off


def pencilled(digit: int) -> np.ndarray:
    """A digit no darker than a shadow is."""
    box = (330, 120, 90, 130)
    return drawing.draw(digit, seed=digit, size=(600, 450), box=box, width=8, ink=140)


def shadowed(picture: np.ndarray, place: Box) -> np.ndarray:
    """The same with the hard shadow of something round upon it."""
    x, y, width, height = place
    light = np.ones(picture.shape, np.float32)
    middle, radii = (x + width // 2, y + height // 2), (width // 2, height // 2)
    cv2.ellipse(light, middle, radii, 0, 0, 360, 0.6, -1)
    return (picture * cv2.GaussianBlur(light, (0, 0), 2)).astype(np.uint8)


def test_a_patch_without_strokes_is_not_split_into_a_digit() -> None:
    picture = shadowed(np.full((450, 600), 240, np.uint8), (200, 150, 160, 120))

    assert to_field(picture).box == pytest.approx((200, 150, 160, 120), abs=6)


@given(digits, seeds)
@settings(max_examples=40, deadline=None)
def test_camera_noise_changes_little(digit: int, seed: int) -> None:
    picture = drawing.draw(digit, seed=seed)
    noise = np.random.default_rng(seed).normal(0, 8, picture.shape)
    noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)

    assert likeness(to_field(noisy).pixels, to_field(picture).pixels) > 0.95


def test_a_small_digit_on_a_dark_table_is_found() -> None:
    picture = drawing.draw(4, size=(640, 480), box=(330, 180, 80, 120), width=9)
    clean = to_field(picture)
    picture[:, :90] = 40

    assert likeness(to_field(picture).pixels, clean.pixels) > 0.95


@pytest.mark.parametrize("level", [0, 90, 200, 255])
def test_an_even_picture_is_blank(level: int) -> None:
    assert refusal(np.full((200, 300), level, np.uint8)) is Reason.BLANK


@pytest.mark.parametrize("seed", [5030, 5095, 5119, 5232, 5233, 364])
def test_strong_noise_that_covers_the_picture_is_blank(seed: int) -> None:
    assert refusal(nondigits.noise(seed)) is Reason.BLANK


@pytest.mark.parametrize("digit", range(10))
def test_chalk_that_falls_into_crumbs_is_no_noise(digit: int) -> None:
    smooth = drawing.draw(digit, size=(280, 280), width=50, box=(40, 40, 200, 200))
    grains = np.random.default_rng(digit).random((140, 140)) < 0.3
    large = cv2.resize(grains.view(np.uint8), (280, 280), interpolation=cv2.INTER_NEAREST)
    chalk = np.where(large == 1, 255, smooth).astype(np.uint8)

    assert likeness(to_field(chalk).pixels, to_field(smooth).pixels) > 0.7


@given(st.integers(0, 2**32 - 1), st.integers(30, 225), st.floats(0, 8))
@settings(max_examples=40, deadline=None)
def test_noise_without_ink_is_refused(seed: int, level: int, strength: float) -> None:
    noise = np.random.default_rng(seed).normal(level, strength, (240, 320))

    reason = refusal(np.clip(noise, 0, 255).astype(np.uint8))

    # One noise in a thousand of the strongest ones has two specks that seem to be digits.
    assert reason in {Reason.BLANK, Reason.TOO_FAINT, Reason.SEVERAL_DIGITS}


def test_a_digit_that_is_barely_there_is_too_faint() -> None:
    assert refusal(drawing.draw(3, ink=232, paper=245)) is Reason.TOO_FAINT


def test_pale_pencil_is_read() -> None:
    pale = to_field(drawing.draw(3, ink=226, paper=245))

    assert likeness(pale.pixels, to_field(drawing.draw(3)).pixels) > 0.9


@pytest.mark.parametrize("digit", [0, 2, 3, 5, 6, 8, 9])
@pytest.mark.parametrize("x", [60, 330])
def test_a_1_of_a_thin_pen_beside_a_bold_digit_is_a_second_one(digit: int, x: int) -> None:
    page = drawing.draw(digit, seed=1, size=(400, 300), width=16, box=(160, 90, 90, 120))
    cv2.line(page, (x + 8, 92), (x, 208), 30, 6, cv2.LINE_AA)

    with pytest.raises(Refused) as refusal:
        to_field(page)

    assert refusal.value.reason is Reason.SEVERAL_DIGITS


def test_what_is_left_of_a_printed_line_is_no_second_digit() -> None:
    page = drawing.draw(8, seed=1, size=(400, 300), width=16, box=(160, 90, 90, 120))
    for level in (20, 150, 280):
        cv2.line(page, (0, level), (400, level), 90, 2)
    cv2.line(page, (330, 92), (330, 208), 30, 6, cv2.LINE_AA)

    assert to_field(page).box[0] < 200


def test_two_digits_side_by_side_are_several() -> None:
    both = np.hstack([drawing.draw(3), drawing.draw(7)])

    assert refusal(both) is Reason.SEVERAL_DIGITS


@pytest.mark.parametrize("digit", [2, 5])
def test_a_second_digit_in_bits_is_a_second_digit(digit: int) -> None:
    written = drawing.draw(digit, seed=2, width=5)
    written[125:131] = written[165:171] = 245  # where a dry pen left nothing

    assert refusal(np.hstack([written, drawing.draw(8, width=12)])) is Reason.SEVERAL_DIGITS


@pytest.mark.parametrize("second", [2, 3, 5])
@pytest.mark.parametrize("digit", [2, 4, 6, 9])
def test_a_digit_beside_a_whole_one_at_the_border_is_not_sure(digit: int, second: int) -> None:
    alone = drawing.draw(digit, seed=1, size=(200, 150), width=8, box=(35, 40, 45, 70))
    above = drawing.draw(second, seed=2, size=(200, 150), width=8, box=(125, 2, 45, 70))
    beside = drawing.draw(second, seed=2, size=(200, 150), width=8, box=(155, 42, 45, 70))

    for other in (above, beside):
        field = to_field(np.minimum(alone, other))

        assert likeness(field.pixels, to_field(alone).pixels) > 0.98
        assert field.is_doubtful


@pytest.mark.parametrize("digit", [2, 4, 6, 9])
def test_parts_of_neighbours_at_the_border_leave_a_digit_sure(digit: int) -> None:
    alone = drawing.draw(digit, seed=1, size=(200, 150), width=8, box=(75, 40, 45, 70))
    left = drawing.draw(3, seed=2, size=(200, 150), width=8, box=(-24, 42, 40, 75))
    right = drawing.draw(0, seed=3, size=(200, 150), width=8, box=(180, 38, 45, 75))

    field = to_field(np.minimum(np.minimum(alone, left), right))

    assert likeness(field.pixels, to_field(alone).pixels) > 0.98
    assert not field.is_doubtful


@pytest.mark.parametrize(("side", "width"), [(28, 4.5), (280, 40)])
@pytest.mark.parametrize("digit", range(10))
def test_two_digits_of_a_thick_pen_are_several(digit: int, side: int, width: float) -> None:
    left, right = (
        drawing.draw(one, seed=seed, size=(side, side), width=width)
        for one, seed in ((digit, digit), (7 * digit % 10, digit + 50))
    )

    assert refusal(np.hstack([left, right])) is Reason.SEVERAL_DIGITS


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_of_a_thick_pen_is_no_shadow(digit: int) -> None:
    picture = drawing.draw(digit, seed=digit, size=(300, 300), width=30, box=(100, 80, 100, 140))

    assert not to_field(picture).is_doubtful


@pytest.mark.parametrize("strength", [13, 19, 25])
@pytest.mark.parametrize("digit", range(10))
def test_strokes_that_run_together_are_one_digit(digit: int, strength: int) -> None:
    small = drawing.draw(digit, seed=digit, size=(28, 28), width=4.5, box=(8, 5, 12, 18))
    thick = robustness.corrupt(robustness.on_paper(small), "thick", strength, seed=0)
    rows, columns = np.nonzero(thick < 137)

    x, y, width, height = to_field(thick).box

    assert (x, y) == pytest.approx((columns.min(), rows.min()), abs=3)
    assert (width, height) == pytest.approx((np.ptp(columns), np.ptp(rows)), abs=6)


def test_a_five_whose_bar_stands_apart_is_one_digit() -> None:
    picture = np.full((280, 280), 240, np.uint8)
    cv2.line(picture, (120, 70), (180, 66), 20, 12)
    cv2.ellipse(picture, (140, 160), (45, 55), 0, -120, 130, 20, 12)

    assert to_field(picture).pixels.sum() > 50


def test_specks_are_dropped() -> None:
    picture = drawing.draw(6)
    clean = to_field(picture)
    picture[[20, 250, 30], [30, 260, 240]] = 0

    dirty = to_field(picture)

    assert dirty.box == clean.box


def test_the_box_is_in_pixels_of_the_sent_picture() -> None:
    picture = drawing.draw(0, size=(1500, 1000), box=(300, 200, 200, 300), width=20)

    x, y, width, height = to_field(picture).box

    assert x == pytest.approx(290, abs=40)
    assert y == pytest.approx(190, abs=40)
    assert width == pytest.approx(220, abs=60)
    assert height == pytest.approx(320, abs=60)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
@example(1, 700, 0)  # strips: no side to share into blocks
@example(700, 5, 0)
@settings(max_examples=40, deadline=None)
def test_any_small_picture_gives_a_field_or_a_reason(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)

    try:
        field = to_field(picture)
    except Refused as refused:
        assert refused.reason in Reason
    else:
        x, y, box_width, box_height = field.box
        assert field.pixels.shape == (28, 28)
        assert 0 <= x < x + box_width <= width
        assert 0 <= y < y + box_height <= height


def test_the_same_picture_gives_the_same_field() -> None:
    picture = drawing.draw(2)

    assert np.array_equal(to_field(picture).pixels, to_field(picture).pixels)


def test_a_refusal_comes_out_of_another_process_as_it_was() -> None:
    again = pickle.loads(pickle.dumps(Refused(Reason.TOO_SMALL)))

    assert again.reason is Reason.TOO_SMALL


def test_a_shape_without_ink_cannot_be_redrawn() -> None:
    with pytest.raises(Refused):
        preprocessing.redraw(np.zeros((80, 80), np.uint8))


@pytest.mark.parametrize(("digit", "seed"), [(2, 5009), (2, 5027)])
def test_a_digit_in_deep_shadow_is_found(digit: int, seed: int) -> None:
    """Most of the paper is darker than its lit corner, so that ink is easily taken for paper."""
    picture = photograph(digit, seed=seed)

    x, y, width, height = to_field(picture).box

    assert width < height < picture.shape[0] / 2
    assert picture[y : y + height, x : x + width].min() < 70
