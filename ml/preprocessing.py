"""From a picture to the one 28x28 field that every network sees, or the reason why not.

The same function serves training, evaluation, the site, the API and the command. The steps: undo
an enlargement that shows pixels (`blocks`), let the paper fill the picture (`lids`), even it out
and find out which side is ink (`ink`), take away what is printed on it (`printed`), fill an outline
(`outlines`), gather the strokes that belong to one digit (`strokes`, `pieces`), where they are not
clear look again on a sheet that lies in the picture (`sheets`), draw them again with the usual
stroke width, and centre them as MNIST does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ml.blocks import Blocks, find_blocks
from ml.closer import find_small
from ml.ink import (
    INK_LEVEL,
    PAPER_SIDE,
    dark_on_light,
    disc,
    find_ink,
    is_light_on_dark,
    reduced,
)
from ml.lids import without_lids
from ml.pieces import Box, is_inside, slices_of
from ml.refusals import Reason, Refused
from ml.sheets import find_sheets
from ml.strokes import (
    CROP_REACH,
    FoundDigit,
    Page,
    Pages,
    find_digit,
    find_in_shadow,
    find_lone_digits,
    prefer_lone_digit,
)

VERSION = 1

FIELD = 28  # px, as MNIST
DIGIT_BOX = 20  # px, the longer side of a digit within the field, as MNIST
FINE = 4  # the digit is drawn FINE times as large, then reduced
FINE_BOX = DIGIT_BOX * FINE  # px
STROKE = 10.5  # px at FINE_BOX: the median of MNIST's training set
MAX_THINNING = 0.4  # share of the stroke width; more would break its thin parts

WORK_SIDE = 720  # px; larger pictures are reduced to it
SMALL_SIDE = 80  # px; the ink of smaller pictures is enlarged to it
MIN_INK_KEPT = 0.9  # share of its area; what has usual strokes keeps 0.92 and more
MIN_DIGIT_SIDE = 6  # px of the picture; from 7 on, digits have been read


@dataclass(frozen=True)
class Field:
    """What the network sees: `pixels` float32 (28, 28), 0.0 paper to 1.0 ink, and where from.

    `is_cut_off` says that the digit seems to run out of the picture; `is_doubtful` that it may be
    something else (a shadow, an edge, a line, a sign with a dot) or have lost strokes with print.
    `completed` are `pixels` as they are if a printed line hides a bar of the digit.
    """

    pixels: np.ndarray
    box: Box
    is_cut_off: bool = False
    is_doubtful: bool = False
    completed: tuple[np.ndarray, ...] = ()


@dataclass
class Steps:
    """What each step of `to_field` made, for whoever wants to see it; None was not reached.

    Attributes:
        dark: uint8 (height, width), the picture at working size, dark ink on light paper.
        ink: uint8 (h, w), 0 paper to 255 ink, `dark` without its paper and enlarged when small;
            once the digit is found, that in which it was.
        digit: the strokes of the digit, where they stand in `ink`.
        redrawn: float32, 0.0 paper to 1.0 ink, the strokes at their usual width.
        field: what the network sees.
        reason: why there is no field.
        pages: what is written in `picture`, where that is larger than a digit alone.
    """

    dark: np.ndarray | None = None
    ink: np.ndarray | None = None
    digit: FoundDigit | None = None
    redrawn: np.ndarray | None = None
    field: Field | None = None
    reason: Reason | None = None
    pages: Pages | None = None


def follow(picture: np.ndarray, box: Box | None = None) -> Steps:
    """Take the steps of `to_field` as far as they go, and keep what each one made.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.
        box: where a digit was found, px of `picture`; those of the other digit that stands there,
            if that is not the one of `to_field`.
    """
    steps = Steps()
    try:
        to_field(picture, steps)
    except Refused as refusal:
        steps.reason = refusal.reason
    if box is None or (steps.field and steps.field.box == box):
        return steps
    others = (other for others in _follow_others(picture, steps) for other in others)
    return next((other for other in others if other.field and other.field.box == box), steps)


def other_fields(picture: np.ndarray, steps: Steps) -> Iterator[list[Field]]:
    """What else may be the one digit of a picture, if that of `to_field` is none.

    First comes what stands alone on its page beside other things, with what is near, then each
    piece by itself; all of these are doubtful. Last comes what is small in the picture, which is
    doubtful unless it is all there is.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.
        steps: those of `to_field`, however far they went.
    """
    for others in _follow_others(picture, steps):
        yield [steps.field for steps in others if steps.field]


def to_field(picture: np.ndarray, steps: Steps | None = None) -> Field:
    """Find the one digit of a picture and centre it the way MNIST centred its own.

    The ink's bounding box is scaled so that its longer side is 20 px and placed so that its
    centre of mass is the centre of a 28x28 field (LeCun et al. 1998). Strokes are thinned or
    thickened to the width usual in MNIST.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.
        steps: takes down what each step made.

    Returns:
        Field whose `box` is in px of `picture`.

    Raises:
        Refused: blank, too faint, too small, or several digits.
    """
    steps = steps or Steps()
    shape, box = trace(picture, steps)
    steps.redrawn = redraw(shape)
    assert steps.digit is not None, "`trace` found it."
    digit = steps.digit
    steps.field = Field(
        centre(steps.redrawn),
        box,
        digit.is_cut_off,
        digit.is_doubtful,
        tuple(centre(redraw(_fine(255 * _cropped(whole)))) for whole in digit.completed),
    )
    return steps.field


def trace(picture: np.ndarray, steps: Steps | None = None) -> tuple[np.ndarray, Box]:
    """Find the one digit of a picture and trace its shape.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.
        steps: takes down what each step made.

    Returns:
        The digit's shape, uint8 (h, w), 0 paper and 1 ink, the longer side `FINE_BOX` px;
        and its box in px of `picture`.

    Raises:
        Refused: blank, too faint, too small, or several digits.
    """
    steps = steps or Steps()
    blocks = find_blocks(picture)
    if blocks:
        try:
            shape, box = trace(blocks.picture, steps)
        finally:
            steps.pages = None  # they are of the small picture
        return shape, _enlarged(box, blocks, picture.shape)
    if max(picture.shape) <= PAPER_SIDE:  # a digit alone
        return _trace(picture, steps)
    try:
        found = _trace(picture, steps)
    except Refused:
        on_sheet = _trace_on_sheet(picture, steps)
        if on_sheet is None:
            raise
        return on_sheet
    assert steps.digit is not None, "`_trace` found it."
    if steps.digit.is_clear and not steps.digit.may_be_sheet:
        return found
    return _trace_on_sheet(picture, steps) or _trace_in_shadow(picture, steps) or found


def _follow_others(picture: np.ndarray, first: Steps) -> Iterator[list[Steps]]:
    """The steps to each field of `other_fields`, after the first ones."""
    beside: list[Box] = []
    for others in _follow_lone(picture, first.pages) if first.pages else ():
        yield others
        beside += [other.field.box for other in others if other.field]
    if max(picture.shape) > WORK_SIDE:
        yield list(_follow_small(picture, beside))


def _follow_lone(picture: np.ndarray, pages: Pages) -> Iterator[list[Steps]]:
    """The steps to each digit that stands alone on its page."""
    scale = max(pages.dark.shape) / max(picture.shape)
    least = MIN_DIGIT_SIDE * scale
    for digits in find_lone_digits(pages):
        shapes = [(digit, _fine(digit.shape)) for digit in digits if max(digit.box[2:]) >= least]
        yield [
            _steps_to(digit, shape, pages.dark, _unscale(digit.box, scale, picture.shape))
            for digit, shape in shapes
            if shape.any()
        ]


def _follow_small(picture: np.ndarray, beside: list[Box]) -> Iterator[Steps]:
    """The steps to each digit that is small in a picture, from a picture of its place alone.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white.
        beside: where larger things stand alone.
    """
    for small in find_small(picture):
        left, top, _, _ = small.place
        steps = Steps()
        with contextlib.suppress(Refused):
            field = to_field(picture[slices_of(small.place)], steps)
            is_alone = small.is_alone and all(is_inside(box, small.place) for box in beside)
            x, y, width, height = field.box
            steps.field = replace(
                field,
                box=(left + x, top + y, width, height),
                is_doubtful=field.is_doubtful or not is_alone,
            )
            yield steps


def _steps_to(digit: FoundDigit, shape: np.ndarray, dark: np.ndarray, box: Box) -> Steps:
    redrawn = redraw(shape)
    field = Field(centre(redrawn), box, is_doubtful=True)
    return Steps(dark, digit.searched, digit, redrawn, field)


def _trace(picture: np.ndarray, steps: Steps) -> tuple[np.ndarray, Box]:
    """The same for a picture of one page, or of a digit alone."""
    work, scale = _working_size(picture)
    steps.dark = dark = dark_on_light(without_lids(work))
    steps.ink, zoom = _with_room(find_ink(dark, CROP_REACH))
    page = Page.find(steps.ink)
    if max(dark.shape) > PAPER_SIDE:
        steps.pages = Pages(dark, page)
    digit = find_digit(page)
    if steps.pages:
        digit = prefer_lone_digit(steps.pages, digit)
        if digit.is_noise:
            steps.pages = None  # nothing in it stands alone
            raise Refused(Reason.BLANK)
    steps.dark = 255 - dark if digit.is_reversed else dark
    steps.ink, steps.digit = digit.searched, digit
    if digit.several:
        raise Refused(Reason.SEVERAL_DIGITS)
    if max(digit.box[2:]) / (scale * zoom) < MIN_DIGIT_SIDE:
        raise Refused(Reason.TOO_SMALL)
    shape = _fine(digit.shape)
    if not shape.any():
        raise Refused(Reason.BLANK)
    return shape, _unscale(digit.box, scale * zoom, picture.shape)


def _trace_on_sheet(picture: np.ndarray, steps: Steps) -> tuple[np.ndarray, Box] | None:
    """The same for a digit that stands clear on a sheet in the picture, or None."""
    patch = steps.digit.patch if steps.digit else None
    for sheet in find_sheets(picture, patch):
        is_light = is_light_on_dark(sheet.picture)
        if is_light and sheet.is_dark:
            continue  # bold strokes, and a hole in them
        if is_light != sheet.is_dark and not sheet.is_rectangle:
            continue  # bold strokes that are out of focus, and the middle of them
        inner = Steps()
        try:
            shape, (x, y, width, height) = _trace(sheet.picture, inner)
        except Refused:
            continue
        assert inner.digit is not None, "`_trace` found it."
        if inner.digit.is_clear and inner.digit.is_within(sheet.inside):
            steps.dark, steps.ink, steps.digit = inner.dark, inner.ink, inner.digit
            left, top = sheet.corner
            return shape, (left + x, top + y, width, height)
    return None


def _trace_in_shadow(picture: np.ndarray, steps: Steps) -> tuple[np.ndarray, Box] | None:
    """The same for a digit that the edge of a shadow crosses, which comes in from the border."""
    if steps.dark is None or steps.digit is None or not steps.digit.at_border:
        return None
    digit = find_in_shadow(steps.dark, steps.digit)
    if digit is None:
        return None
    steps.ink, steps.digit = digit.searched, digit
    scale = max(digit.searched.shape) / max(picture.shape)
    return _fine(digit.shape), _unscale(digit.box, scale, picture.shape)


def redraw(shape: np.ndarray, stroke: float = STROKE) -> np.ndarray:
    """Draw a digit's shape again with the usual stroke width.

    A signed distance from the strokes' edge makes thinning, thickening and smooth edges one
    step: the width of a stroke is four times its mean distance to the edge.

    Args:
        shape: uint8 array (h, w), 0 paper and 1 ink, the longer side about `FINE_BOX` px.
        stroke: the stroke width to reach, px.

    Returns:
        float32 array, a margin larger than `shape`, 0.0 paper to 1.0 ink.

    Raises:
        Refused: blank when the shape holds no ink.
    """
    if not shape.any():
        raise Refused(Reason.BLANK)
    margin = FINE_BOX // 8
    inside = cv2.copyMakeBorder(shape, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    without = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    # OpenCV measures between pixels' centres; the edge lies half a pixel before.
    width = 4.0 * (cv2.sumElems(within)[0] / cv2.countNonZero(inside) - 0.5)
    # `centre` shrinks what grows here, so that the stroke is right after both.
    wider = (stroke - width) * FINE_BOX / (FINE_BOX - stroke)
    edge = 0.5 * max(wider, -MAX_THINNING * width)
    result: np.ndarray = np.clip(within - without - inside + (edge + 1.0), 0.0, 1.0)
    return result


def centre(fine: np.ndarray) -> np.ndarray:
    """Scale to a longer side of 20 px and put the centre of mass in the middle of 28x28.

    Args:
        fine: float32 array (h, w), 0.0 paper to 1.0 ink, not empty.

    Returns:
        float32 (28, 28), 0.0 to 1.0.
    """
    side = max(cv2.boundingRect((fine > 0.5).view(np.uint8))[2:])
    if not side:
        raise Refused(Reason.BLANK)
    moments = cv2.moments(fine)
    x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    zoom = FINE_BOX / side
    middle = (FIELD * FINE - 1) / 2
    matrix = np.array([[zoom, 0, middle - zoom * x], [0, zoom, middle - zoom * y]], np.float32)
    large = cv2.warpAffine(fine, matrix, (FIELD * FINE, FIELD * FINE), flags=cv2.INTER_LINEAR)
    result: np.ndarray = cv2.resize(large, (FIELD, FIELD), interpolation=cv2.INTER_AREA)
    return result


def _working_size(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Reduce a picture to a size at which every step has the detail it needs, and no more."""
    work = reduced(picture, WORK_SIDE)
    return work, max(work.shape) / max(picture.shape)


def _with_room(ink: np.ndarray) -> tuple[np.ndarray, float]:
    """Enlarge the ink of a small picture, so that neighbouring strokes stay apart."""
    zoom = -(-SMALL_SIDE // max(ink.shape))
    if zoom == 1:
        return ink, 1.0
    return cv2.resize(ink, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), float(zoom)


def _enlarged(box: Box, blocks: Blocks, shape: tuple[int, ...]) -> Box:
    """Where what stands in these pixels of `blocks` is in a picture of this shape."""
    (x, y, width, height), (left, top) = box, blocks.corner
    wide, high = blocks.pitch
    return _within((left + wide * x, top + high * y, wide * width, high * height), shape)


def _unscale(box: Box, scale: float, shape: tuple[int, ...]) -> Box:
    x, y, width, height = box
    return _within((x / scale, y / scale, width / scale, height / scale), shape)


def _within(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> Box:
    x, y, width, height = (round(value) for value in box)
    x, y = min(max(0, x), shape[1] - 1), min(max(0, y), shape[0] - 1)
    return x, y, max(1, min(width, shape[1] - x)), max(1, min(height, shape[0] - y))


def _fine(digit: np.ndarray) -> np.ndarray:
    """Bring a digit's ink to a longer side of `FINE_BOX` px, binary 0 or 1.

    Strokes of a pixel or two on a large canvas would be lost on the way; they are widened first.
    """
    scale = FINE_BOX / max(digit.shape)
    fine = _resized(digit, scale)
    ink = np.count_nonzero(digit > int(INK_LEVEL * 255)) * scale * scale
    if scale < 1 and cv2.countNonZero(fine) < MIN_INK_KEPT * ink:
        fine = _resized(cv2.dilate(digit, disc(round(2 / scale))), scale)
    return fine


def _cropped(shape: np.ndarray) -> np.ndarray:
    x, y, width, height = cv2.boundingRect(shape)
    return shape[y : y + height, x : x + width]


def _resized(digit: np.ndarray, scale: float) -> np.ndarray:
    size = (max(1, round(digit.shape[1] * scale)), max(1, round(digit.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(digit, size, interpolation=method)
    return cv2.threshold(resized, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]
