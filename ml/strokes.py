"""The strokes of one digit: gathered from pieces, told from ruled lines, shadows and neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np

from ml.ink import INK_LEVEL, disc, find_ink, grey_level, grey_levels
from ml.refusals import Reason, Refused

Box = tuple[int, int, int, int]  # x, y, width, height in px

PAGE_REACHES = (1 / 5, 1 / 8, 1 / 12)  # the same for a digit on a page, tried in this order
RULED_SIDE = 150  # px; lines in smaller pictures are strokes of a cropped digit
RULE_LEVEL = 0.25  # share of the ink's own darkness from which a pixel may be a printed line
PALE_RULE = 0.6  # of the ink's darkness; in darker lines no stroke can be told from the line
LIKE_USUAL = 1.2  # as dark as the other lines at most; a margin's line is darker
MAX_RULE = 0.02  # of the side across it; a thicker line is the stroke of a large digit
MIN_LONE_SIDE = 0.04  # of the longer side; smaller things on a page are dirt
MAX_FLATNESS = 5  # width to height; what is flatter on a page is a piece of a line
CLEARANCE = 0.08  # of a digit's longer side; farther from a border it is no tight crop
SOLID = 0.4  # widest place, as a share of the longer side; what is thicker is a patch, not strokes
BOLD = 0.3  # the same for strokes that are looked for beside a patch: more is a piece of it
# Noise alone has 255 crumbs and more and hardly a gap above 0.1; digits in the noise of a dark room
# have gaps of 0.126 and more, digits of chalk of 0.36.
NOISE_CRUMBS = 200  # pieces of ink and of paper
NOISE_GAP = 0.1  # widest place without ink, as a share of the longer side
ROUGH_SIDE = 64  # px; a patch is seen at this size
# A dot of an i or an !, chosen on fonts of handwriting and MNIST's digits:
DOT_SIZES = (0.4, 2.0)  # of the pen's widest stroke
DOT_GAP = 0.5  # of the strokes' height, above or below
DOT_ASIDE = 0.2  # of their height, left or right of them: they may slant
MIN_PIECE = 4  # px of the working picture; smaller pieces are specks


@dataclass(frozen=True)
class FoundDigit:
    """The strokes of one digit.

    Attributes:
        ink: uint8 (h, w), 0 paper to 255 ink, cropped to the digit, without its neighbours.
        box: where it stands, px of the ink that was searched.
        at_border: whether it touches the border.
        several: whether other ink is as large as a digit of its own.
        searched: uint8 (height, width), the ink that was searched.
        beside_patches: whether all of that other ink is patches, not strokes.
        is_dotted: whether a dot stands right above or below, as in i, j, ? and !.
        is_reversed: whether what had been taken for ink was the paper.
        stands_out: False for what comes in from the border and may be a shadow or an edge.
    """

    ink: np.ndarray
    box: Box
    at_border: bool
    several: bool
    searched: np.ndarray
    beside_patches: bool = False
    is_dotted: bool = False
    is_reversed: bool = False
    stands_out: bool = True

    @property
    def is_doubtful(self) -> bool:
        """Whether it may be no digit, however much it looks like one."""
        return self.is_dotted or not self.stands_out

    @property
    def is_noise(self) -> bool:
        """Whether crumbs of ink and paper lie all over most of the picture, as in no digit."""
        x, y, width, height = self.box
        if 2 * width * height < self.searched.size:
            return False
        window = self.searched[y : y + height, x : x + width]
        _, paper = cv2.threshold(window, INK_LEVEL * 255, 1, cv2.THRESH_BINARY_INV)
        gap = 2.0 * cv2.minMaxLoc(cv2.distanceTransform(paper, cv2.DIST_L2, 3))[1]
        if gap > NOISE_GAP * max(width, height):
            return False
        pieces, holes = (
            cv2.connectedComponents(part, connectivity=neighbours)[0] - 1
            for part, neighbours in ((1 - paper, 8), (paper, 4))
        )
        return pieces + holes > NOISE_CRUMBS

    def is_thicker(self, share: float) -> bool:
        """Whether its widest place is above a share of its longer side."""
        strokes = cv2.threshold(self.ink, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]
        return _is_thicker(strokes, share)

    @property
    def is_cut_off(self) -> bool:
        """Whether it runs out of the picture, or is a shadow that comes in.

        It touches a border and is clear of the one opposite, as no tight crop is.
        """
        x, y, width, height = self.box
        below, beside = self.searched.shape[0] - y - height, self.searched.shape[1] - x - width
        clear = CLEARANCE * max(width, height)
        return any(
            min(before, after) <= 1 and max(before, after) >= clear
            for before, after in ((x, beside), (y, below))
        )


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


def prefer_lone_digit(dark: np.ndarray, digit: FoundDigit) -> FoundDigit:
    """Tell a tightly cropped digit from a shadow or a table's edge that was taken for ink."""
    stands_out = _stands_out(dark, digit)
    settled = stands_out and not digit.at_border
    solid = digit.is_thicker(SOLID)
    if settled and not solid and not digit.beside_patches:
        return digit
    lone = _find_lone_digit(dark)
    if lone and solid:  # strokes beside a shadow or in it, and maybe some of its edge
        return replace(lone, stands_out=not (settled or _is_fragment(lone, digit)))
    if settled:  # what seemed a second digit may be a shadow
        alone = lone and not lone.several and _is_nearly(lone.box, digit.box)
        return replace(lone, stands_out=False) if lone and alone else digit
    if lone is None:
        doubtful = digit.at_border and not stands_out
        return _find_reverse(dark, digit) or replace(digit, stands_out=not doubtful)
    if stands_out and (_is_fragment(lone, digit) or _is_nearly(lone.box, digit.box)):
        return digit  # a thin part of a thick digit, or the digit less what lies at the border
    return lone


def _find_reverse(dark: np.ndarray, shadow: FoundDigit) -> FoundDigit | None:
    """A lone digit when ink was taken for paper, as happens in deep shadow, or None.

    What lies within the first find may be the paper that a loop encloses.
    """
    digit = _find_lone_digit(255 - dark)
    if digit is None or _is_within(digit.box, shadow.box):
        return None
    return replace(digit, is_reversed=True)


def _is_within(inner: Box, outer: Box) -> bool:
    x, y, width, height = outer
    right, bottom = inner[0] + inner[2], inner[1] + inner[3]
    return inner[0] >= x and inner[1] >= y and right <= x + width and bottom <= y + height


def _is_nearly(one: Box, other: Box) -> bool:
    """Whether two boxes have nine tenths of what they cover in common."""
    _, _, width, height = _common(one, other)
    common = max(0, width) * max(0, height)
    return common > 0.9 * (one[2] * one[3] + other[2] * other[3] - common)


def _common(one: Box, other: Box) -> Box:
    """What two boxes both cover; its width or height is not above 0 when they do not meet."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right = min(one[0] + one[2], other[0] + other[2])
    bottom = min(one[1] + one[3], other[1] + other[3])
    return left, top, right - left, bottom - top


def _is_fragment(piece: FoundDigit, whole: FoundDigit) -> bool:
    """Whether a find is only a part of a larger connected stroke of another find."""
    left, top, width, height = _common(piece.box, whole.box)
    if width <= 0 or height <= 0:
        return False
    x, y = left - whole.box[0], top - whole.box[1]
    in_piece_x, in_piece_y = left - piece.box[0], top - piece.box[1]
    level = INK_LEVEL * 255
    strokes = cv2.threshold(whole.ink, level, 1, cv2.THRESH_BINARY)[1]
    _, labels, stats = _pieces(strokes)
    ink = piece.ink[in_piece_y : in_piece_y + height, in_piece_x : in_piece_x + width] > level
    under = np.bincount(labels[y : y + height, x : x + width][ink], minlength=2)
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
            width, height = digit.box[2:]
            large = max(width, height) >= MIN_LONE_SIDE * max(dark.shape)
            flat = width > MAX_FLATNESS * height
            strokes = large and not flat and not digit.is_thicker(BOLD)
            if strokes and not digit.at_border and _stands_out(dark, digit):
                return replace(digit, several=digit.several and not digit.beside_patches)
    return None


def _candidates(ink: np.ndarray) -> Iterator[FoundDigit]:
    """What may be the digit, the most likely first."""
    _, mask = cv2.threshold(ink, INK_LEVEL * 255, 1, cv2.THRESH_BINARY)
    mask = _without_rules(mask, ink)
    left, top, width, height = cv2.boundingRect(mask)
    if not width:
        return
    count, labels, stats = _pieces(mask[top : top + height, left : left + width])
    stats[:, cv2.CC_STAT_LEFT] += left
    stats[:, cv2.CC_STAT_TOP] += top
    parts = _Parts(stats[1:], mask.shape)
    for main in parts.by_likelihood():
        members = parts.group(main)
        x, y, width, height = parts.box(members)
        own = mask[y : y + height, x : x + width]
        if members.size < count - 1:
            belongs = np.zeros(count, np.uint8)
            belongs[1 + members] = 1
            window = labels[y - top : y - top + height, x - left : x - left + width]
            own = np.take(belongs, window)
        kept = cv2.dilate(own, np.ones((3, 3), np.uint8))
        others = parts.second_digits(members)
        yield FoundDigit(
            ink=ink[y : y + height, x : x + width] * kept,
            box=(x, y, width, height),
            at_border=bool(parts.at_border[members].any()),
            several=bool(others.size),
            beside_patches=bool(others.size)
            and all(
                _is_thicker(_piece(labels, 1 + other, stats[1 + other], (left, top)), SOLID)
                for other in others
            ),
            is_dotted=parts.is_dotted(members, own),
            searched=ink,
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
    near = cv2.dilate(inside, disc(5))
    ring = cv2.subtract(cv2.dilate(near, disc(5)), near)
    (pen,) = grey_levels(window, (0.5,), mask=inside)
    darkest, paper = grey_levels(window, (0.1, 0.5), mask=ring)
    return darkest > (pen + paper) / 2


def _is_thicker(mask: np.ndarray, share: float) -> bool:
    """Whether the widest place of what is 1 in uint8 (h, w) is above a share of the longer side."""
    step = max(1, max(mask.shape) // ROUGH_SIDE)
    rough = np.ascontiguousarray(mask[::step, ::step])
    thin = _thickness(rough) <= share  # most are at first sight
    return not thin and _thickness(mask) > share


def _thickness(mask: np.ndarray) -> float:
    inside = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    widest = 2.0 * cv2.minMaxLoc(cv2.distanceTransform(inside, cv2.DIST_L2, 3))[1]
    return float(widest / max(mask.shape))


def _without_rules(mask: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Remove the lines of ruled paper: straight, thin, right across and beyond the writing.

    They are looked for where there is any ink: printed paler than the pen, they are strokes of
    `mask` here and there only.
    """
    if min(mask.shape) < RULED_SIDE:
        return mask
    height, width = mask.shape
    _, faint = cv2.threshold(ink, RULE_LEVEL * 255, 1, cv2.THRESH_BINARY)
    across, down = cv2.boundingRect(faint)[2:]
    if across >= 0.95 * width:
        mask = _without_rows(mask, faint, ink)
    if down >= 0.95 * height:
        turned = (cv2.transpose(part) for part in (mask, faint, ink))
        mask = cv2.transpose(_without_rows(*turned))
    return mask


def _without_rows(mask: np.ndarray, faint: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Remove level lines that run right across `faint` from `mask`.

    What is darker than the lines stays, as does what crosses them: a stroke along a line.
    """
    height, width = mask.shape
    if np.count_nonzero(faint.max(axis=0)) < 0.95 * width:
        return mask  # no ink right across
    most = max(3, int(MAX_RULE * height))
    labels, stats = _level_lines(faint, most)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    # Without what `_level_lines` added above and below:
    thicknesses = stats[:, cv2.CC_STAT_AREA] / stats[:, cv2.CC_STAT_WIDTH] - 4
    thin = thicknesses <= most
    thin[0] = False  # the paper
    across = thin & (right - left > 0.95 * width)
    lines = across | thin & ((left == 0) | (right == width))  # the digit interrupts some
    is_ruled = (lines & (right - left > 0.5 * width)).sum() > 2  # no digit has three such bars
    if not is_ruled:  # along the picture's edge it may be the bar of a tightly cropped 2, 5 or 7
        lines &= (top > 0.08 * height) & (bottom < 0.92 * height)
        if not (lines & across).any():
            return mask
    thickness = int(thicknesses[lines].max()) + 4
    crossing = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thickness, 1), np.uint8))
    found = [
        _Line((slice(top[line], bottom[line]), slice(left[line], right[line])), labels, line, ink)
        for line in np.flatnonzero(lines).tolist()
    ]
    usual = sorted(line.printed for line in found)[(len(found) - 1) // 2]
    for line in found:
        np.copyto(crossing[line.window], mask[line.window], where=line.darker(usual))
    rest = np.where(lines[labels], crossing, mask)
    if is_ruled:
        return rest
    if rest[0].any() and rest[-1].any():
        return mask  # the bar of a tightly cropped 4
    return rest if _sticks_out(rest) else mask


class _Line:
    """A printed line, and what else lies on it.

    Attributes:
        window: the rows and columns that it lies in.
        printed: uint8 grey level, how dark it is for the most part.
    """

    def __init__(
        self, window: tuple[slice, slice], labels: np.ndarray, label: int, ink: np.ndarray
    ) -> None:
        self.window = window
        self._ink = ink[window]
        self._line = labels[window] == label
        self._levels = self._ink[self._line & (self._ink > RULE_LEVEL * 255)]
        self.printed = grey_level(self._levels, 0.5)

    def darker(self, usual: int) -> np.ndarray:
        """Where it is much darker than it was printed: a stroke along it, bool like the window.

        Args:
            usual: how dark the lines of this paper are printed. Where a stroke covers most of a
                line, what is left of it is as dark as that.
        """
        printed = self.printed
        if grey_level(self._levels, 0.25) <= LIKE_USUAL * usual:
            printed = min(printed, usual)
        if printed >= PALE_RULE * 255:
            return np.zeros(self._line.shape, bool)
        darker: np.ndarray = self._line & (self._ink > (printed + 255) // 2)
        return darker


def _level_lines(mask: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Level lines of ink, 4 px thicker than they are: labels int32 like `mask`, and statistics.

    Args:
        most: their largest thickness, px.
    """
    thicker = np.ones((5, 1), np.uint8)  # a line may be a little askew
    run = np.ones((1, mask.shape[1] // 15), np.uint8)  # strokes of a digit run less far
    fat = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((most + 2, most + 2), np.uint8))
    lines = cv2.morphologyEx(cv2.dilate(mask - fat, thicker), cv2.MORPH_OPEN, run)
    gap = np.ones((1, mask.shape[1] // 2), np.uint8)
    closed = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, gap)
    closed = cv2.bitwise_and(closed, cv2.dilate(mask, thicker))  # they go on under a digit
    lines = cv2.morphologyEx(cv2.bitwise_or(lines, closed), cv2.MORPH_OPEN, run)
    _, labels, stats = _pieces(lines)
    return labels, stats


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
    how = 8, cv2.CV_32S, cv2.CCL_BBDT  # neighbours, type of labels, the fastest algorithm
    count, labels = cv2.connectedComponentsWithAlgorithm(mask, *how)
    if count == 2:  # most digits are one stroke, and most of the time goes to the statistics
        height, width = mask.shape
        ink = cv2.countNonZero(mask)
        paper = (0, 0, width, height, mask.size - ink)
        return count, labels, np.array([paper, (*cv2.boundingRect(mask), ink)], np.int32)
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, *how)
    return count, labels, stats


def _piece(labels: np.ndarray, label: int, stat: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    """One connected piece in its box: uint8 (h, w); `corner` is where `labels` begins."""
    left, top = stat[cv2.CC_STAT_LEFT] - corner[0], stat[cv2.CC_STAT_TOP] - corner[1]
    width, height = stat[cv2.CC_STAT_WIDTH], stat[cv2.CC_STAT_HEIGHT]
    piece: np.ndarray = labels[top : top + height, left : left + width] == label
    return piece.astype(np.uint8)


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
        if self.area.size == 1:
            return members
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

    def second_digits(self, members: np.ndarray) -> np.ndarray:
        """Indices of pieces outside the digit that are as tall and as heavy as one of their own."""
        if members.size == self.area.size:
            return np.zeros(0, int)
        _, _, width, height = self.box(members)
        side, weight = max(width, height), self.area[members].sum()
        other = np.ones(self.area.size, bool)
        other[members] = False
        if not self.at_border[members].any():
            other &= ~self.at_border  # cut by the frame: a neighbour, or the table
        tall = (self.bottom - self.top) > 0.5 * side
        heavy = self.area > 0.25 * weight
        second: np.ndarray = np.flatnonzero(other & tall & heavy)
        return second

    def is_dotted(self, members: np.ndarray, own: np.ndarray) -> bool:
        """Whether a single dot, about as wide as the pen, stands right above or below the strokes.

        Args:
            members: indices of the pieces that make the digit, the dot among them or not.
            own: uint8 (h, w), these pieces, 0 paper and 1 ink.
        """
        if self.area.size == 1:
            return False
        width, height = self.right - self.left, self.bottom - self.top
        round_ones = np.maximum(width, height) < 2 * np.minimum(width, height)
        round_ones &= self.area > 0.5 * width * height
        if not round_ones.any():
            return False
        pen = _thickness(own) * max(own.shape)
        size = np.sqrt(self.area)
        dots = round_ones & (size > DOT_SIZES[0] * pen) & (size < DOT_SIZES[1] * pen)
        strokes = members[~dots[members]]
        if not strokes.size or not dots.any():
            return False
        if not self.at_border[strokes].any():
            dots &= ~self.at_border
        x, y, wide, high = self.box(strokes)
        middle = (self.left + self.right) / 2
        gap = np.maximum(y - self.bottom, self.top - (y + high))
        beside = np.maximum(x - middle, middle - (x + wide))
        near = dots & (gap > 0) & (gap < DOT_GAP * high) & (beside < DOT_ASIDE * high)
        return int(near.sum()) == 1  # several are dirt

    def box(self, members: np.ndarray) -> Box:
        left, top = int(self.left[members].min()), int(self.top[members].min())
        right, bottom = int(self.right[members].max()), int(self.bottom[members].max())
        return left, top, right - left, bottom - top
