"""What is printed on paper, not written: ruled lines, squares, and the boxes of forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from ml.ink import grey_level
from ml.pieces import Box, Pieces, pieces

RULED_SIDE = 150  # px; lines in smaller pictures are strokes of a cropped digit
RULE_LEVEL = 0.25  # share of the ink's own darkness from which a pixel may be a printed line
PALE_RULE = 0.6  # of the ink's darkness; in darker lines no stroke can be told from the line
LIKE_USUAL = 1.2  # as dark as the other lines at most; a margin's line is darker
ACROSS = 0.95  # of the width; a line of the paper may end just before the border
MIN_LINES = 3  # of one direction, or right across in both: no digit has as many such bars
EDGE = 0.08  # of the height
CLEAR = 0.08  # of the side; what is left of a cropped digit without its bars is nearer the border
STICKS_OUT = 0.12  # of the width; the bars of a cropped digit go less beyond its other strokes
MAX_RULE = 0.02  # of the side across it; a thicker line is the stroke of a large digit
RUN = 1 / 15  # of the width; strokes of a digit run less far
BOX_RUN = 1 / 8  # the same within a box
MIN_BOX_LINE = 0.75  # of a box and what reaches out of it
MAX_RISE = 0.1  # of a box's line over its length, when it lies askew
MAX_BOX_LINE = 0.1  # of a box's shorter side
MIN_BOX_SIDE = 40  # px of the working picture
MIN_LINE = 2.5  # times as long as what is joined to it is high: a line to write on
LEAST_ON_LINE, MOST_ON_LINE = 0.05, 0.8  # height of what is written on a line, of its length
MIN_DASHES = 12  # pieces; fewer make no dashed box
GAP = 7  # px between dashes or dots that make one line
ROOM = 3  # px of paper beyond a box's lines
MIN_WRITTEN = 0.25  # of a box's height; a lower thing in it is a bar of an 8 of straight strokes


class _Print(NamedTuple):
    """Something printed to be written on.

    Attributes:
        window: where it lies in the picture.
        lines: uint8 (h, w), 1 where its lines are and nothing crosses them.
        strokes: uint8 (h, w), 1 where what is joined to them is.
    """

    window: tuple[slice, slice]
    lines: np.ndarray
    strokes: np.ndarray


def without_rules(mask: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Remove the lines of ruled paper: straight, thin, right across and beyond the writing.

    They are looked for where there is any ink: printed paler than the pen, they are strokes of
    `mask` here and there only.

    Args:
        mask: uint8 (height, width), 0 paper and 1 ink.
        ink: uint8 like `mask`, 0 paper to 255 ink.
    """
    if min(mask.shape) < RULED_SIDE:
        return mask
    faint = _faint(ink)
    across, down = cv2.boundingRect(faint)[2:]
    level = _Ruling.find(faint) if across >= ACROSS * mask.shape[1] else None
    upright = _Ruling.find(cv2.transpose(faint)) if down >= ACROSS * mask.shape[0] else None
    rulings = [ruling for ruling in (level, upright) if ruling]
    if not rulings:
        return mask
    rest = level.erased(mask, ink) if level else mask
    if upright:
        rest = _turned(upright.erased, rest, ink)
    count = sum(ruling.count for ruling in rulings)
    if count >= MIN_LINES or any(ruling.is_sure for ruling in rulings) or _is_clear(rest):
        return rest
    if level and upright:
        return mask  # the bar and the stem of a tightly cropped 4
    if upright:
        return _turned(upright.erased_if_few, mask, ink)
    return level.erased_if_few(mask, ink) if level else mask


def without_forms(
    mask: np.ndarray, ink: np.ndarray, found: Pieces
) -> tuple[np.ndarray, np.ndarray] | None:
    """Remove what forms have printed where something is to be written: boxes, lines and combs.

    Args:
        mask: uint8 (height, width), 0 paper and 1 ink.
        ink: uint8 like `mask`, 0 paper to 255 ink.
        found: the pieces of `mask`.

    Returns:
        What is left of `mask`, and what of it was joined to the print: some of its strokes may
        have gone with the lines. None if nothing was removed.
    """
    prints = _prints(mask, ink, found)
    if not prints:
        return None
    rest, joined = mask.copy(), np.zeros_like(mask)
    for window, lines, strokes in prints:
        rest[window] = cv2.subtract(rest[window], lines)
        joined[window] |= cv2.bitwise_and(strokes, mask[window])
    return rest, joined


def _faint(ink: np.ndarray) -> np.ndarray:
    return cv2.threshold(ink, RULE_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]


def _prints(mask: np.ndarray, ink: np.ndarray, found: Pieces) -> list[_Print]:
    """What is printed to be written on, if something is written there."""
    if found.widest < MIN_BOX_SIDE:
        return []
    levels = [found]
    if len(found) > 2 and found.slivers(MIN_BOX_SIDE // 2):
        # Of lines that are printed paler than the pen, only bits may be strokes.
        levels.append(Pieces(_faint(ink)))
    if len(found) > MIN_DASHES and found.crumbs(MIN_BOX_SIDE) >= MIN_DASHES:
        levels.append(Pieces(cv2.dilate(mask, np.ones((GAP, GAP), np.uint8))))
    for level in levels:
        boxes = [box for label in level.larger(MIN_BOX_SIDE) if (box := _box(level, label))]
        if any(_is_written_in(box, mask) for box in boxes):
            return boxes  # the empty ones beside it too
        # An empty box may be a 0 of straight strokes, and one with a bar an 8.
    for level in levels:
        lines = [line for label in level.wider(MIN_BOX_SIDE) if (line := _long_line(level, label))]
        if lines:
            return lines
    return []


def _is_written_in(box: _Print, mask: np.ndarray) -> bool:
    written = cv2.subtract(mask[box.window], box.lines)
    return _tallest(written)[1] >= MIN_WRITTEN * len(box.lines)


def _box(found: Pieces, label: int) -> _Print | None:
    """A piece as a printed box or a row of boxes, or None."""
    if not _lies_around(found, label):
        return None
    x, y, width, height = found.box(label)
    piece = found.piece(label)
    lines = _erased(piece, fewest=(2, 2))
    if lines is None:
        return None
    strokes = piece - lines
    wide, tall = _tallest(strokes)
    if wide > 0.9 * width and tall > 0.9 * height:
        return None  # only the edges of wide strokes went
    if tall < MIN_WRITTEN * height:
        lines, strokes = piece, np.zeros_like(piece)  # bits of the lines
    return _Print((slice(y, y + height), slice(x, x + width)), lines, strokes)


def _long_line(found: Pieces, label: int) -> _Print | None:
    """A piece as a line that something is written on, with ticks or without, or None.

    What is written is as tall as a digit, and less tall than the line is long.
    """
    x, y, width, height = found.box(label)
    if width < MIN_LINE * height:
        return None
    least, most = LEAST_ON_LINE * width, MOST_ON_LINE * width
    beside = found.tallest_but(label)
    if beside > most or max(beside, height) < least:
        return None
    piece = found.piece(label)
    lines = _erased(piece, fewest=(1, 0))
    if lines is None:
        return None
    strokes = piece - lines
    joined = _tallest(strokes)[1]
    if joined < max(least, beside / 2):  # ticks
        lines, strokes = piece, np.zeros_like(piece)
    if max(beside, joined) < least:
        return None
    return _Print((slice(y, y + height), slice(x, x + width)), lines, strokes)


def _erased(piece: np.ndarray, fewest: tuple[int, int]) -> np.ndarray | None:
    """The long lines of a piece, less what crosses them, or None if there are too few.

    Args:
        piece: uint8 (h, w), 0 and 1.
        fewest: how many level and how many upright lines there must be.
    """
    piece = cv2.copyMakeBorder(piece, *4 * (ROOM,), cv2.BORDER_CONSTANT)
    most = int(max(3, MAX_BOX_LINE * min(piece.shape), MAX_RULE * max(piece.shape)))
    rest = piece
    for least in fewest:
        rows = _Rows(piece, most, run=BOX_RUN)
        sides = rows.longer(MIN_BOX_LINE) & rows.straight
        if sides.sum() < least:
            return None
        rest = cv2.transpose(rows.erased(rest, sides) if sides.any() else rest)
        piece = cv2.transpose(piece)
    return cv2.subtract(piece, rest)[ROOM:-ROOM, ROOM:-ROOM]


def _lies_around(found: Pieces, label: int) -> bool:
    """Whether a piece reaches to all sides and corners, as a box does and hardly a digit does.

    Where a digit runs out of its box, some corners lie off the corners of them both.
    """
    own = found.labels(found.box(label)) == label
    side = max(own.shape)
    near, far = (max(min(own.shape) // part, side // 20) for part in (8, 4))
    rows, columns = (
        (slice(far), slice((length - far) // 2, (length + far) // 2), slice(length - far, length))
        for length in own.shape
    )
    places = [place for place in product(rows, columns) if place != (rows[1], columns[1])]
    ends = slice(near), slice(-near, None)
    return all(own[place].any() for place in places) and any(
        own[corner].any() for corner in product(ends, ends)
    )


def _tallest(mask: np.ndarray) -> tuple[int, int]:
    """Width and height of the tallest connected piece, px."""
    stats = pieces(mask)[1][1:]
    if not len(stats):
        return 0, 0
    _, _, width, height, _ = stats[int(stats[:, cv2.CC_STAT_HEIGHT].argmax())].tolist()
    return width, height


class _Rows:
    """Thin level lines of ink.

    Attributes:
        left, top, right, bottom: where each lies, px; the first is the paper.
        thin: which are no thicker than a line may be.
        straight: which do not rise more than a box that lies askew.
    """

    def __init__(self, faint: np.ndarray, most: int, run: float = RUN) -> None:
        """Find them.

        Args:
            faint: uint8 (height, width), 0 paper and 1 where there may be a line.
            most: their largest thickness, px.
            run: how far each runs straight at least, as a share of the width.
        """
        self._labels, stats = _level_lines(faint, most, int(run * faint.shape[1]))
        self.left, self.top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        self.right = self.left + stats[:, cv2.CC_STAT_WIDTH]
        self.bottom = self.top + stats[:, cv2.CC_STAT_HEIGHT]
        # Without what `_level_lines` added above and below:
        self._thicknesses = stats[:, cv2.CC_STAT_AREA] / stats[:, cv2.CC_STAT_WIDTH] - 4
        self.thin = self._thicknesses <= most
        self.thin[0] = False  # the paper
        rises = self.bottom - self.top - 4 - self._thicknesses
        self.straight = rises < MAX_RISE * (self.right - self.left) + 1

    def longer(self, share: float) -> np.ndarray:
        """Which thin lines are longer than a share of the width."""
        longer: np.ndarray = self.thin & (self.right - self.left > share * self._labels.shape[1])
        return longer

    def erased(self, mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
        """`mask` without some of the lines, but with what crosses them."""
        return np.where(lines[self._labels], self._crossing(mask, lines), mask)

    def erased_but_strokes(
        self, mask: np.ndarray, lines: np.ndarray, ink: np.ndarray
    ) -> np.ndarray:
        """The same, but with what is darker than the lines too: a stroke along a line.

        Args:
            ink: uint8 like `mask`, 0 paper to 255 ink.
        """
        crossing = self._crossing(mask, lines)
        found = [self._line(label, ink) for label in np.flatnonzero(lines).tolist()]
        usual = sorted(line.printed for line in found)[(len(found) - 1) // 2]
        for line in found:
            np.copyto(crossing[line.window], mask[line.window], where=line.darker(usual))
        return np.where(lines[self._labels], crossing, mask)

    def _crossing(self, mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
        thickness = int(self._thicknesses[lines].max()) + 4
        return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thickness, 1), np.uint8))

    def _line(self, label: int, ink: np.ndarray) -> _Line:
        rows = slice(self.top[label], self.bottom[label])
        columns = slice(self.left[label], self.right[label])
        return _Line((rows, columns), self._labels, label, ink)


@dataclass(frozen=True)
class _Ruling:
    """The level lines of a paper.

    Attributes:
        rows: these and all other level lines of the picture.
        lines: which of them are its lines, if the paper is ruled.
        inner: which of these lie off the picture's edges. Along an edge it may be the bar of a
            tightly cropped 2, 5 or 7.
    """

    rows: _Rows
    lines: np.ndarray
    inner: np.ndarray

    @classmethod
    def find(cls, faint: np.ndarray) -> _Ruling | None:
        """The lines of uint8 (height, width), 0 paper and 1 where there may be a line, or None."""
        height, width = faint.shape
        if np.count_nonzero(faint.max(axis=0)) < ACROSS * width:
            return None  # no ink right across
        rows = _Rows(faint, most=max(3, int(MAX_RULE * height)))
        interrupted = rows.thin & ((rows.left == 0) | (rows.right == width))
        lines = rows.longer(ACROSS) | interrupted
        inner = lines & (rows.top > EDGE * height) & (rows.bottom < (1 - EDGE) * height)
        ruling = cls(rows, lines, inner)
        return ruling if ruling.count or ruling.is_sure else None

    @property
    def count(self) -> int:
        """How many run right across, off the picture's edges."""
        return int((self.inner & self.rows.longer(ACROSS)).sum())

    @property
    def is_sure(self) -> bool:
        """Whether there are so many that none needs to run right across."""
        return bool((self.lines & self.rows.longer(0.5)).sum() >= MIN_LINES)

    def erased(self, mask: np.ndarray, ink: np.ndarray) -> np.ndarray:
        """`mask` without the lines."""
        return self.rows.erased_but_strokes(mask, self.lines, ink)

    def erased_if_few(self, mask: np.ndarray, ink: np.ndarray) -> np.ndarray:
        """`mask` without a line or two, unless they may be bars of a tightly cropped digit."""
        rest = self.rows.erased_but_strokes(mask, self.inner, ink)
        if rest[0].any() and rest[-1].any():
            return mask  # the bar of a 4
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


def _level_lines(mask: np.ndarray, most: int, far: int) -> tuple[np.ndarray, np.ndarray]:
    """Level lines of ink, 4 px thicker than they are: labels int32 like `mask`, and statistics.

    Args:
        most: their largest thickness, px.
        far: how far they run at least, px.
    """
    thicker = np.ones((5, 1), np.uint8)  # a line may be a little askew
    run = np.ones((1, far), np.uint8)
    fat = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((most + 2, most + 2), np.uint8))
    lines = cv2.morphologyEx(cv2.dilate(mask - fat, thicker), cv2.MORPH_OPEN, run)
    gap = np.ones((1, mask.shape[1] // 2), np.uint8)
    closed = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, gap)
    closed = cv2.bitwise_and(closed, cv2.dilate(mask, thicker))  # they go on under a digit
    lines = cv2.morphologyEx(cv2.bitwise_or(lines, closed), cv2.MORPH_OPEN, run)
    return pieces(lines)


def _turned(
    erase: Callable[[np.ndarray, np.ndarray], np.ndarray], mask: np.ndarray, ink: np.ndarray
) -> np.ndarray:
    """Do to upright lines what is done to level ones."""
    return cv2.transpose(erase(cv2.transpose(mask), cv2.transpose(ink)))


def _is_clear(rest: np.ndarray) -> bool:
    """Whether the largest piece of what is left lies off all edges of the picture."""
    height, width = rest.shape
    left, top, wide, high = _largest(rest)
    right, bottom = width - left - wide, height - top - high
    return bool(min(left, right) > CLEAR * width and min(top, bottom) > CLEAR * height)


def _sticks_out(rest: np.ndarray) -> bool:
    """Whether a line across the picture goes well beyond the largest piece of what is left."""
    left, _, wide, _ = _largest(rest)
    return bool(max(left, rest.shape[1] - left - wide) > STICKS_OUT * rest.shape[1])


def _largest(mask: np.ndarray) -> Box:
    """Where the largest connected piece lies; all of `mask` when there is none."""
    stats = pieces(mask)[1]
    label = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else 0
    x, y, width, height, _ = stats[label].tolist()
    return x, y, width, height
