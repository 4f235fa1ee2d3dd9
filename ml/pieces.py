"""Connected pieces of ink, and which of them make one digit."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

Box = tuple[int, int, int, int]  # x, y, width, height in px

ROUGH_SIDE = 64  # px; a patch is seen at this size
# A dot of an i or an !, chosen on fonts of handwriting and MNIST's digits:
DOT_SIZES = (0.4, 2.0)  # of the pen's widest stroke
DOT_GAP = 0.5  # of the strokes' height, above or below
DOT_ASIDE = 0.2  # of their height, left or right of them: they may slant
SLIVER = 8  # times as long as wide; a written 1 is no more than that for most pens
LINE_BIT = 4  # the same for what may be a bit of a printed line
HEAVY = 0.25  # of the digit's ink; a second digit has more
LIGHT = 0.12  # the same where it is as tall as the digit: a 1 of a thin pen
LIKE_DIGIT = (0.75, 1.6)  # height of what is as tall, of the digit's; longer ones are printed lines
SHORTER = 0.6  # the same of a neighbour, at least
PART = 0.5  # width to height of what a side of the picture cuts off, at most
WIDTHS = (0.3, 1.2)  # of a digit in several pieces, of its height; bits of a line are narrower
MOST_BITS = 6  # pieces that a digit may have fallen into
SOLID = 0.4  # widest place, as a share of the longer side; what is thicker is a patch, not strokes
MIN_PIECE = 4  # px of the working picture; smaller pieces are specks


def slices_of(box: Box) -> tuple[slice, slice]:
    """What a box covers of an array."""
    x, y, width, height = box
    return slice(y, y + height), slice(x, x + width)


def is_inside(inner: Box, outer: Box) -> bool:
    """Whether all of one box lies in the other."""
    x, y, width, height = outer
    right, bottom = inner[0] + inner[2], inner[1] + inner[3]
    return inner[0] >= x and inner[1] >= y and right <= x + width and bottom <= y + height


def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Connected pieces of ink: labels int32 like `mask`, 0 the paper, and OpenCV's statistics."""
    how = 8, cv2.CV_32S, cv2.CCL_BBDT  # neighbours, type of labels, the fastest algorithm
    count, labels = cv2.connectedComponentsWithAlgorithm(mask, *how)
    if count == 2:  # most digits are one stroke, and most of the time goes to the statistics
        height, width = mask.shape
        ink = cv2.countNonZero(mask)
        paper = (0, 0, width, height, mask.size - ink)
        return labels, np.array([paper, (*cv2.boundingRect(mask), ink)], np.int32)
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, *how)
    return labels, stats


class Pieces:
    """The connected pieces of ink in a picture; 0 is the paper.

    Attributes:
        stats: OpenCV's statistics of each, px of the picture.
    """

    def __init__(self, mask: np.ndarray) -> None:
        """Find them in uint8 (height, width), 0 paper and 1 ink."""
        self._left, self._top, width, height = cv2.boundingRect(mask)
        right, bottom = self._left + max(1, width), self._top + max(1, height)
        self._labels, self.stats = pieces(mask[self._top : bottom, self._left : right])
        self.stats[:, cv2.CC_STAT_LEFT] += self._left
        self.stats[:, cv2.CC_STAT_TOP] += self._top
        self._shape = mask.shape

    def __len__(self) -> int:
        return len(self.stats)

    @cached_property
    def parts(self) -> Parts:
        """Where they lie, without the paper: part 0 is piece 1."""
        return Parts(self.stats[1:], self._shape)

    @property
    def widest(self) -> int:
        """The width of all that is ink, px."""
        return int(self._labels.shape[1])

    def wider(self, width: int) -> list[int]:
        """The pieces that are as wide as this at least, px."""
        return [
            label
            for label, wide in enumerate(self.stats[:, cv2.CC_STAT_WIDTH].tolist())
            if label and wide >= width
        ]

    def larger(self, side: int) -> list[int]:
        """The pieces that are as wide and as high as this at least, px."""
        return [label for label in self.wider(side) if self.box(label)[3] >= side]

    def slivers(self, length: int) -> bool:
        """Whether some may be bits of thin lines, and as long as this at least, px."""
        sides = self.stats[1:, (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT)]
        longer, shorter = sides.max(axis=1), sides.min(axis=1)
        return bool(((longer >= length) & (longer > LINE_BIT * shorter)).any())

    def crumbs(self, side: int) -> int:
        """How many are smaller than this, px, and no specks."""
        sides = self.stats[1:, (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT)].max(axis=1)
        areas = self.stats[1:, cv2.CC_STAT_AREA]
        return int(((sides < side) & (areas >= MIN_PIECE * MIN_PIECE / 2)).sum())

    def tallest_but(self, label: int) -> int:
        """The height of the tallest other piece, px."""
        heights = self.stats[:, cv2.CC_STAT_HEIGHT].copy()
        heights[[0, label]] = 0
        return int(heights.max())

    def box(self, label: int) -> Box:
        """Where a piece lies, px of the picture."""
        x, y, width, height, _ = self.stats[label].tolist()
        return x, y, width, height

    def labels(self, box: Box) -> np.ndarray:
        """Which piece each pixel of a box within the ink belongs to: int32 (h, w)."""
        x, y, width, height = box
        top, left = y - self._top, x - self._left
        return self._labels[top : top + height, left : left + width]

    def several(self, labels: np.ndarray, box: Box) -> np.ndarray:
        """Some pieces within a box of the ink: uint8 (h, w), 0 and 1."""
        belongs = np.zeros(len(self), np.uint8)
        belongs[labels] = 1
        return np.take(belongs, self.labels(box))

    def where(self, labels: np.ndarray) -> np.ndarray:
        """Some pieces where they stand in the picture: uint8 (height, width), 0 and 1."""
        height, width = self._labels.shape
        there = np.zeros(self._shape, np.uint8)
        box = self._left, self._top, width, height
        there[self._top : self._top + height, self._left : self._left + width] = self.several(
            labels, box
        )
        return there

    def piece(self, label: int) -> np.ndarray:
        """One piece in its box: uint8 (h, w), 0 and 1."""
        found: np.ndarray = (self.labels(self.box(label)) == label).astype(np.uint8)
        return found


def is_thicker(mask: np.ndarray, share: float) -> bool:
    """Whether the widest place of what is 1 in uint8 (h, w) is above a share of the longer side."""
    step = max(1, max(mask.shape) // ROUGH_SIDE)
    rough = np.ascontiguousarray(mask[::step, ::step])
    thin = thickness(rough) <= share  # most are at first sight
    return not thin and thickness(mask) > share


def thickness(mask: np.ndarray) -> float:
    """The widest place of what is 1 in uint8 (h, w), as a share of its longer side."""
    inside = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    widest = 2.0 * cv2.minMaxLoc(cv2.distanceTransform(inside, cv2.DIST_L2, 3))[1]
    return float(widest / max(mask.shape))


class Parts:
    """The connected pieces of ink, and which of them make one digit."""

    def __init__(self, stats: np.ndarray, shape: tuple[int, ...]) -> None:
        self.left, self.top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        self.right = self.left + stats[:, cv2.CC_STAT_WIDTH]
        self.bottom = self.top + stats[:, cv2.CC_STAT_HEIGHT]
        self.area = stats[:, cv2.CC_STAT_AREA]
        self._width = shape[1]
        self.at_border = (
            (self.left == 0)
            | (self.top == 0)
            | (self.right == shape[1])
            | (self.bottom == shape[0])
        )

    @cached_property
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

    def second_digits(self, members: np.ndarray, *, is_plain: bool) -> np.ndarray:
        """Indices of pieces outside the digit that are as tall and as heavy as one of their own.

        Args:
            members: indices of the pieces that make the digit.
            is_plain: whether no lines were taken away, of which pieces may be left.
        """
        if members.size == self.area.size:
            return np.zeros(0, int)
        _, _, width, height = self.box(members)
        side, weight = max(width, height), self.area[members].sum()
        other = np.ones(self.area.size, bool)
        other[members] = False
        if not self.at_border[members].any():
            other &= ~self.at_border  # cut by the frame: a neighbour, or the table
        share = (self.bottom - self.top) / side
        tall, alike = share > 0.5, (share > LIKE_DIGIT[0]) & (share < LIKE_DIGIT[1])
        heavy = self.area > np.where(alike & is_plain, LIGHT, HEAVY) * weight
        second: np.ndarray = np.flatnonzero(other & tall & heavy)
        return second if second.size else self._broken_digit(other, side, HEAVY * weight)

    def neighbours(self, members: np.ndarray) -> np.ndarray:
        """Indices of pieces at the border beside the digit that may be whole digits as well.

        They are about as tall and as heavy as it is, and nothing of them seems to be missing: no
        side of the picture cuts them off, or they are too wide for a part of a digit.

        Args:
            members: indices of the pieces that make the digit. Of one that is at the border itself
                neighbours there count as second digits.
        """
        if not self.at_border.any() or self.at_border[members].any():
            return np.zeros(0, int)
        x, _, width, height = self.box(members)
        side, weight = max(width, height), self.area[members].sum()
        wide, tall = self.right - self.left, self.bottom - self.top
        share = tall / side
        alike = (share > SHORTER) & (share < LIKE_DIGIT[1]) & (self.area > HEAVY * weight)
        beside = (self.right <= x) | (self.left >= x + width)
        is_cut = (self.left == 0) | (self.right == self._width)
        whole = ~is_cut | (wide > PART * tall)
        found: np.ndarray = np.flatnonzero(self.at_border & alike & beside & whole)
        return found

    def _broken_digit(self, other: np.ndarray, side: int, weight: float) -> np.ndarray:
        """Indices of a few pieces that are near each other and together like a digit, if any.

        Args:
            other: bool (n,), which pieces are not the digit's own.
            side: of the digit, px.
            weight: ink that they have at least, px.
        """
        main = next((part for part in self.by_likelihood if other[part]), None)
        if main is None:
            return np.zeros(0, int)
        group = self.group(main)
        group = group[other[group]]
        _, _, width, height = self.box(group)
        is_like = (
            LIKE_DIGIT[0] * side < height < LIKE_DIGIT[1] * side
            and WIDTHS[0] * height < width < WIDTHS[1] * height
        )
        is_broken = group.size <= MOST_BITS and self.area[group].sum() > weight
        return group if is_like and is_broken else np.zeros(0, int)

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
        pen = thickness(own) * max(own.shape)
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
