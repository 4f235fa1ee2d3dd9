"""From a picture to the one 28x28 field that every network sees, or the reason why not.

The same function serves training, evaluation, the site, the API and the command. The steps:
even out the paper, find out which side is ink, cut the strokes out, gather those that belong
to one digit, draw them again with the usual stroke width, and centre them as MNIST does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import cv2
import numpy as np

VERSION = 1

FIELD = 28  # px, as MNIST
DIGIT_BOX = 20  # px, the longer side of a digit within the field, as MNIST
FINE = 4  # the digit is drawn FINE times as large, then reduced
FINE_BOX = DIGIT_BOX * FINE  # px
STROKE = 10.5  # px at FINE_BOX: the median of MNIST's training set
MAX_THINNING = 0.4  # share of the stroke width; more would break its thin parts

WORK_SIDE = 720  # px; larger pictures are reduced to it
RULED_SIDE = 150  # px; lines in smaller pictures are strokes of a cropped digit
MAX_RULE = 0.02  # of the side across it; a thicker line is the stroke of a large digit
SMALL_SIDE = 80  # px; the ink of smaller pictures is enlarged to it
PAPER_SIDE = 96  # px; shadows need no more
USUALLY_DARK = 0.4  # of 3.0: how much more often people send ink on paper than chalk on a board
CROP_REACH = 1 / 3  # widest stroke of a cropped digit, as a share of the longer side
PAGE_REACHES = (1 / 5, 1 / 8, 1 / 12)  # the same for a digit on a page, tried in this order
MIN_LONE_SIDE = 0.04  # of the longer side; smaller things on a page are dirt
INK_LEVEL = 0.45  # share of the ink's own darkness from which a pixel is ink

MIN_CONTRAST = 10.0  # grey levels; less is the noise of paper and camera
FAINT_CONTRAST = 22.0  # grey levels; less is seen, but not surely
MIN_PIECE = 4  # px of the working picture; smaller pieces are specks
MIN_DIGIT_SIDE = 6  # px of the picture; from 7 on, digits have been read

Box = tuple[int, int, int, int]  # x, y, width, height in px


class Reason(StrEnum):
    """Why a reading is not accepted."""

    BLANK = "blank"
    TOO_FAINT = "too_faint"
    TOO_SMALL = "too_small"
    SEVERAL_DIGITS = "several_digits"
    NOT_A_DIGIT = "not_a_digit"
    UNSURE = "unsure"


class Refused(Exception):
    """The picture holds no single digit that a network could be asked about."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Field:
    """What the network sees: `pixels` float32 (28, 28), 0.0 paper to 1.0 ink, and where from."""

    pixels: np.ndarray
    box: Box


def to_field(picture: np.ndarray) -> Field:
    """Find the one digit of a picture and centre it the way MNIST centred its own.

    The ink's bounding box is scaled so that its longer side is 20 px and placed so that its
    centre of mass is the centre of a 28x28 field (LeCun et al. 1998). Strokes are thinned or
    thickened to the width usual in MNIST.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.

    Returns:
        Field whose `box` is in px of `picture`.

    Raises:
        Refused: blank, too faint, too small, or several digits.
    """
    shape, box = trace(picture)
    return Field(centre(redraw(shape)), box)


def trace(picture: np.ndarray) -> tuple[np.ndarray, Box]:
    """Find the one digit of a picture and trace its shape.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white, upright.

    Returns:
        The digit's shape, uint8 (h, w), 0 paper and 1 ink, the longer side `FINE_BOX` px;
        and its box in px of `picture`.

    Raises:
        Refused: blank, too faint, too small, or several digits.
    """
    work, scale = _working_size(picture)
    dark = _dark_on_light(work)
    ink, zoom = _with_room(find_ink(dark, CROP_REACH))
    digit = find_digit(ink)
    if max(dark.shape) > PAPER_SIDE:
        digit = _prefer_lone_digit(dark, digit)
    if digit.several:
        raise Refused(Reason.SEVERAL_DIGITS)
    if max(digit.box[2:]) / (scale * zoom) < MIN_DIGIT_SIDE:
        raise Refused(Reason.TOO_SMALL)
    return _fine(digit.ink), _unscale(digit.box, scale * zoom, picture.shape)


def find_ink(dark: np.ndarray, reach: float) -> np.ndarray:
    """Separate the ink from the paper.

    Args:
        dark: uint8 array (height, width) at working size, dark ink on light paper.
        reach: how wide a stroke may be, as a share of the picture's longer side; what is
            wider counts as shaded paper.

    Returns:
        uint8 array (height, width), 0 paper to 255 ink.

    Raises:
        Refused: blank or too faint.
    """
    depth = _depth_below_paper(dark, reach)
    core = _ink_depth(depth, floor=max(MIN_CONTRAST, 5 * _noise(depth)))
    if core is None:
        raise Refused(Reason.BLANK)
    if core < FAINT_CONTRAST:
        raise Refused(Reason.TOO_FAINT)
    return cv2.convertScaleAbs(depth, alpha=255.0 / core)


@dataclass(frozen=True)
class FoundDigit:
    """The strokes of one digit.

    Attributes:
        ink: uint8 (h, w), 0 paper to 255 ink, cropped to the digit, without its neighbours.
        box: where it stands, px of the ink that was searched.
        at_border: whether it touches the border.
        several: whether other ink is as large as a digit of its own.
    """

    ink: np.ndarray
    box: Box
    at_border: bool
    several: bool


def find_digit(ink: np.ndarray) -> FoundDigit:
    """Gather the strokes that belong to the one digit.

    Args:
        ink: uint8 array (height, width), 0 paper to 255 ink.

    Raises:
        Refused: blank when only specks are found.
    """
    for digit in _candidates(ink):
        return digit
    raise Refused(Reason.BLANK)


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
    distance = _signed_distance(inside)
    width = 4.0 * float(distance[distance > 0].mean())
    # `centre` shrinks what grows here, so that the stroke is right after both.
    wider = (stroke - width) * FINE_BOX / (FINE_BOX - stroke)
    edge = 0.5 * max(wider, -MAX_THINNING * width)
    result: np.ndarray = np.clip(distance + (edge + 0.5), 0.0, 1.0)
    return result


def centre(fine: np.ndarray) -> np.ndarray:
    """Scale to a longer side of 20 px and put the centre of mass in the middle of 28x28.

    Args:
        fine: float32 array (h, w), 0.0 paper to 1.0 ink, not empty.

    Returns:
        float32 (28, 28), 0.0 to 1.0.
    """
    columns, rows = np.flatnonzero(fine.max(axis=0) > 0.5), np.flatnonzero(fine.max(axis=1) > 0.5)
    if not columns.size:
        raise Refused(Reason.BLANK)
    side = max(columns[-1] - columns[0], rows[-1] - rows[0]) + 1
    moments = cv2.moments(fine)
    x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    zoom = FINE_BOX / side
    middle = (FIELD * FINE - 1) / 2
    matrix = np.array([[zoom, 0, middle - zoom * x], [0, zoom, middle - zoom * y]], np.float32)
    large = cv2.warpAffine(fine, matrix, (FIELD * FINE, FIELD * FINE), flags=cv2.INTER_LINEAR)
    result: np.ndarray = cv2.resize(large, (FIELD, FIELD), interpolation=cv2.INTER_AREA)
    return result


def _dark_on_light(picture: np.ndarray) -> np.ndarray:
    calm = cv2.GaussianBlur(picture, (3, 3), 0) if min(picture.shape) > 200 else picture
    return 255 - calm if _is_light_on_dark(calm) else calm


def _prefer_lone_digit(dark: np.ndarray, digit: FoundDigit) -> FoundDigit:
    """Tell a tightly cropped digit from a shadow or a table's edge that was taken for ink."""
    stands_out = _stands_out(dark, digit)
    if stands_out and not digit.at_border:
        return digit
    lone = _find_lone_digit(dark)
    if lone is None or (stands_out and _is_fragment(lone, digit)):
        return digit  # the lone piece is only a thin part of a thick digit
    return lone


def _is_fragment(piece: FoundDigit, whole: FoundDigit) -> bool:
    """Whether a find is only a part of a larger connected stroke of another find."""
    x, y, width, height = whole.box
    left, top = max(x, piece.box[0]), max(y, piece.box[1])
    right = min(x + width, piece.box[0] + piece.box[2])
    bottom = min(y + height, piece.box[1] + piece.box[3])
    if right <= left or bottom <= top:
        return False
    level = INK_LEVEL * 255
    strokes = cv2.threshold(whole.ink, level, 1, cv2.THRESH_BINARY)[1]
    _, labels, stats = _pieces(strokes)
    ink = piece.ink[top - piece.box[1] : bottom - piece.box[1],
                    left - piece.box[0] : right - piece.box[0]] > level  # fmt: skip
    under = np.bincount(labels[top - y : bottom - y, left - x : right - x][ink], minlength=2)
    under[0] = 0
    size = int((piece.ink > level).sum())
    main = int(under.argmax())
    return bool(under[main] > 0.5 * size and stats[main, cv2.CC_STAT_AREA] > 1.15 * size)


def _find_lone_digit(dark: np.ndarray) -> FoundDigit | None:
    """A digit that stands alone on its page, however that is lit, or None."""
    for reach in PAGE_REACHES:
        try:
            ink = find_ink(dark, reach)
        except Refused:
            continue
        for digit in islice(_candidates(ink), 3):
            large = max(digit.box[2:]) >= MIN_LONE_SIDE * max(dark.shape)
            if large and not digit.at_border and _stands_out(dark, digit):
                return digit
    return None


def _candidates(ink: np.ndarray) -> Iterator[FoundDigit]:
    """What may be the digit, the most likely first."""
    _, mask = cv2.threshold(ink, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)
    mask = _without_rules(mask)
    count, labels, stats = _pieces(mask)
    parts = _Parts(stats[1:], mask.shape)
    for main in parts.by_likelihood():
        members = parts.group(main)
        x, y, width, height = parts.box(members)
        window = np.s_[y : y + height, x : x + width]
        belongs = np.zeros(count, np.uint8)
        belongs[1 + members] = 1
        kept = cv2.dilate(belongs[labels[window]], np.ones((3, 3), np.uint8))
        yield FoundDigit(
            ink=ink[window] * kept,
            box=(x, y, width, height),
            at_border=bool(parts.at_border[members].any()),
            several=parts.has_second_digit(members),
        )


def _stands_out(dark: np.ndarray, digit: FoundDigit) -> bool:
    """Whether paper is all around the strokes: a shadow or a wider stroke would go on."""
    x, y, width, height = digit.box
    room = 6
    top, left = max(0, y - room), max(0, x - room)
    window = dark[top : y + height + room, left : x + width + room]
    inside = np.zeros(window.shape, np.uint8)
    ink = cv2.threshold(digit.ink, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]
    inside[y - top : y - top + height, x - left : x - left + width] = ink
    near = cv2.dilate(inside, _disc(5))
    ring = cv2.dilate(near, _disc(5)) > near
    pen, paper = _level(window[inside > 0], 0.5), _level(window[ring], 0.5)
    return _level(window[ring], 0.1) > (pen + paper) / 2


def _working_size(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Reduce a picture to a size at which every step has the detail it needs, and no more."""
    work = _reduced(picture, WORK_SIDE)
    return work, max(work.shape) / max(picture.shape)


def _with_room(ink: np.ndarray) -> tuple[np.ndarray, float]:
    """Enlarge the ink of a small picture, so that neighbouring strokes stay apart."""
    zoom = -(-SMALL_SIDE // max(ink.shape))
    if zoom == 1:
        return ink, 1.0
    return cv2.resize(ink, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC), float(zoom)


def _unscale(box: Box, scale: float, shape: tuple[int, ...]) -> Box:
    x, y, width, height = (round(value / scale) for value in box)
    x, y = min(x, shape[1] - 1), min(y, shape[0] - 1)
    return x, y, max(1, min(width, shape[1] - x)), max(1, min(height, shape[0] - y))


def _reduced(picture: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(picture.shape)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _is_light_on_dark(picture: np.ndarray) -> bool:
    """Tell chalk on a board from ink on paper.

    Ink is the rarer side and keeps off the border. Where light is too uneven for one threshold
    to say which side that is, what differs from its surroundings is ink, and shadows are not.
    """
    small = _reduced(picture, PAPER_SIDE)
    _, light = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    light_share = (float(border.mean()) + float(light.mean())) / 2
    if max(picture.shape) <= PAPER_SIDE:
        if abs(light_share - 0.5) > 0.25:
            return light_share < 0.5
        return _darker_than_surroundings(small, 0.9) < 0
    if light_share > 0.75:  # the reverse may be a shadow over most of the paper
        return False
    strokes = (
        _darker_than_surroundings(small, 0.9)
        + _darker_strokes(small, 0.2)
        + _darker_strokes(_reduced(picture, 2 * PAPER_SIDE), 0.04)
    )
    return strokes < -USUALLY_DARK


def _darker_than_surroundings(picture: np.ndarray, share: float) -> float:
    """-1.0 when only light pixels stand out from the median around them, 1.0 when only dark."""
    around = cv2.medianBlur(picture, int(max(picture.shape) * share) | 1)
    return _balance(cv2.subtract(around, picture), cv2.subtract(picture, around))


def _darker_strokes(picture: np.ndarray, share: float) -> float:
    """-1.0 when only light strokes are narrower than the kernel, 1.0 when only dark ones."""
    calm = cv2.medianBlur(picture, 3)
    kernel = _disc(max(3, int(max(picture.shape) * share)))
    dark = cv2.morphologyEx(calm, cv2.MORPH_BLACKHAT, kernel)
    return _balance(dark, cv2.morphologyEx(calm, cv2.MORPH_TOPHAT, kernel))


def _balance(dark: np.ndarray, light: np.ndarray) -> float:
    level = _level(cv2.max(dark, light), 0.996) / 2
    more, less = int(dark[dark > level].sum()), int(light[light > level].sum())
    return (more - less) / max(1, more + less)


def _depth_below_paper(dark: np.ndarray, reach: float) -> np.ndarray:
    """How much darker than the paper around it each pixel is: uint8, in grey levels."""
    if max(dark.shape) <= PAPER_SIDE:  # a cropped digit: strokes may be wide, light is even
        paper = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, _disc(int(max(dark.shape) * 0.7)))
        return cv2.subtract(paper, dark)
    small = cv2.medianBlur(_reduced(dark, PAPER_SIDE), 3)
    side = int(max(small.shape) * reach) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = cv2.resize(cv2.blur(paper, (5, 5)), dark.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.subtract(paper, dark)


def _noise(depth: np.ndarray) -> float:
    """Standard deviation of paper and camera noise in grey levels, robust against the ink."""
    if min(depth.shape) < 8:
        return 0.0
    step = max(1, len(depth) // 100)  # a hundred rows tell as much as all
    fine = cv2.absdiff(depth[1::step], depth[: len(depth) - 1 : step])
    return _level(fine, 0.25) * 2.22  # |difference| of two normals: 0.451 sigma


def _level(values: np.ndarray, share: float) -> int:
    """The grey level up to which a share of uint8 values lies, 0 when there are none."""
    counts = cv2.calcHist([values.reshape(1, -1)], [0], None, [256], [0, 256]).ravel()
    return int(np.searchsorted(np.cumsum(counts), share * values.size)) if values.size else 0


def _ink_depth(depth: np.ndarray, floor: float) -> float | None:
    """The depth of the strokes' cores in grey levels, None when nothing is deeper than `floor`."""
    candidates = depth[depth > floor]
    if candidates.size < 8:
        return None
    otsu, _ = cv2.threshold(candidates, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return _level(candidates[candidates > otsu], 0.5)


def _without_rules(mask: np.ndarray) -> np.ndarray:
    """Remove the lines of ruled paper: straight, thin, right across and beyond the writing."""
    if min(mask.shape) < RULED_SIDE:
        return mask
    mask = _without_rows(mask)
    return cv2.transpose(_without_rows(cv2.transpose(mask)))


def _without_rows(mask: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    if cv2.countNonZero(cv2.reduce(mask, 0, cv2.REDUCE_MAX)) < 0.95 * width:
        return mask  # most pictures: no ink right across
    level = cv2.dilate(mask, np.ones((5, 1), np.uint8))  # a line may be a little askew
    lines = cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((1, width // 10), np.uint8))
    _, labels, stats = _pieces(lines)
    top = stats[:, cv2.CC_STAT_TOP]
    bottom = top + stats[:, cv2.CC_STAT_HEIGHT]
    thicknesses = stats[:, cv2.CC_STAT_AREA] / width - 4  # without what `level` added
    across = (stats[:, cv2.CC_STAT_WIDTH] > 0.95 * width) & (
        thicknesses <= max(3.0, MAX_RULE * height)
    )
    across[0] = False  # the paper
    is_ruled = across.sum() > 2  # no digit has three bars right across
    if not is_ruled:  # at the picture's edge it may be the bar of a tightly cropped 2, 5 or 7
        across &= (top > 0.08 * height) & (bottom < 0.92 * height)
    if not across.any():
        return mask
    thickness = int(thicknesses[across].max()) + 4
    crossing = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thickness, 1), np.uint8))
    rest = np.where(across[labels], crossing, mask)
    if is_ruled:
        return rest
    if rest[0].any() and rest[-1].any():
        return mask  # the bar of a tightly cropped 4
    return rest if _sticks_out(rest) else mask


def _sticks_out(rest: np.ndarray) -> bool:
    """Whether a line across the picture goes well beyond the largest piece of what is left."""
    _, _, stats = _pieces(rest)
    if len(stats) < 2:
        return False
    largest = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    left = largest[cv2.CC_STAT_LEFT]
    right = rest.shape[1] - left - largest[cv2.CC_STAT_WIDTH]
    return bool(max(left, right) > 0.12 * rest.shape[1])


def _pieces(mask: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Connected pieces: their count with the paper, labels int32 like `mask`, and statistics."""
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask,
        connectivity=8,
        ltype=cv2.CV_32S,
        ccltype=cv2.CCL_BBDT,  # three times as fast
    )
    return count, labels, stats


def _fine(digit: np.ndarray) -> np.ndarray:
    """Bring a digit's ink to a longer side of `FINE_BOX` px, binary 0 or 1."""
    scale = FINE_BOX / max(digit.shape)
    size = (max(1, round(digit.shape[1] * scale)), max(1, round(digit.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(digit, size, interpolation=method)
    return cv2.threshold(resized, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]


def _signed_distance(inside: np.ndarray) -> np.ndarray:
    """Distance to the nearest edge in px, above 0 in ink: float32, the shape of `inside`."""
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    without = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    # OpenCV measures between pixels' centres; the edge lies half a pixel before.
    result: np.ndarray = within - without - 0.5 * np.sign(within - without)
    return result


def _disc(diameter: int) -> np.ndarray:
    size = diameter | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


class _Parts:
    """The connected pieces of ink, and which of them make one digit."""

    def __init__(self, stats: np.ndarray, shape: tuple[int, ...]) -> None:
        self.left, self.top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        self.right = self.left + stats[:, cv2.CC_STAT_WIDTH]
        self.bottom = self.top + stats[:, cv2.CC_STAT_HEIGHT]
        self.area = stats[:, cv2.CC_STAT_AREA]
        self.at_border = (
            (self.left == 0)
            | (self.top == 0)
            | (self.right == shape[1])
            | (self.bottom == shape[0])
        )

    def by_likelihood(self) -> list[int]:
        """The pieces that may be the digit: large ones first, and rather not at the border."""
        extent = np.maximum(self.right - self.left, self.bottom - self.top)
        weight = extent * np.sqrt(self.area) * np.where(self.at_border, 0.3, 1.0)
        return [int(i) for i in np.argsort(-weight, kind="stable") if extent[i] >= MIN_PIECE]

    def group(self, main: int) -> np.ndarray:
        """Indices of the pieces near enough to the main one to be part of the same digit."""
        members = np.array([main])
        usable = self.area >= 0.015 * self.area[main]  # smaller ones are specks
        if not self.at_border[main]:
            usable &= ~self.at_border
        while True:
            x, y, width, height = self.box(members)
            side = max(width, height)
            overlap = np.minimum(self.right, x + width) - np.maximum(self.left, x)
            stacked = overlap > 0.5 * np.minimum(self.right - self.left, width)
            reach_x, reach_y = 0.12 * side, np.where(stacked, 0.3, 0.12) * side
            near = (
                (self.left < x + width + reach_x)
                & (self.right > x - reach_x)
                & (self.top < y + height + reach_y)
                & (self.bottom > y - reach_y)
            )
            near[members] = True
            grown = np.flatnonzero(near & usable)
            if grown.size == members.size:
                return members
            members = grown

    def has_second_digit(self, members: np.ndarray) -> bool:
        """Whether ink outside the digit's box is as tall and as heavy as a digit of its own."""
        _, _, width, height = self.box(members)
        side, weight = max(width, height), self.area[members].sum()
        other = np.ones(self.area.size, bool)
        other[members] = False
        if not self.at_border[members].any():
            other &= ~self.at_border  # cut by the frame: a neighbour, or the table
        tall = (self.bottom - self.top) > 0.5 * side
        heavy = self.area > 0.25 * weight
        return bool((other & tall & heavy).any())

    def box(self, members: np.ndarray) -> Box:
        left, top = int(self.left[members].min()), int(self.top[members].min())
        right, bottom = int(self.right[members].max()), int(self.bottom[members].max())
        return left, top, right - left, bottom - top
