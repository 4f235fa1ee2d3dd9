"""What is printed on paper, not written: ruled lines, squares, and the boxes of forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
SHEAR_POINTS = 4000  # px of ink by which is judged how much lines rise
SHEAR_STEP = 0.01  # px down for each px to the right; ten steps either way are 6 degrees
MIN_SHEAR = 0.025  # what rises less is level enough
MIN_LINES = 3  # of one direction, or right across in both: no digit has as many such bars
EDGE = 0.08  # of the height
CLEAR = 0.08  # of the side; what is left of a cropped digit without its bars is nearer the border
STICKS_OUT = 0.12  # of the width; the bars of a cropped digit go less beyond its other strokes
MAX_RULE = 0.02  # of the side across it; a thicker line is the stroke of a large digit
RUN = 1 / 15  # of the width; strokes of a digit run less far
BOX_RUN = 1 / 8  # the same within a box
STRAIGHT_SIDE = 0.3  # share of a box's side that is seen and straight, at least
MIN_BOX_LINE = 0.3  # of a box, or of a row of them, and what reaches out of it
ALIKE = 0.75  # of the longest side of a box, or divider in a row of them
THICKER = 1.5  # than the usual line of a box; outermost, where strokes lie along it, twice as
CORNER = 0.06  # of the shorter side; lines that miss each other by less meet
MIN_LONG_LINE = 0.75  # of a line to write on, and of a box in a small picture
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
    """

    window: tuple[slice, slice]
    lines: np.ndarray


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


def without_forms(mask: np.ndarray, ink: np.ndarray, found: Pieces) -> np.ndarray:
    """Remove what forms have printed where something is to be written: boxes, lines and combs.

    Args:
        mask: uint8 (height, width), 0 paper and 1 ink.
        ink: uint8 like `mask`, 0 paper to 255 ink.
        found: the pieces of `mask`.

    Returns:
        What is left; `mask` itself when there is nothing to remove.
    """
    prints = _prints(mask, ink, found)
    if not prints:
        return mask
    rest = mask.copy()
    for window, lines in prints:
        rest[window] = cv2.subtract(rest[window], lines)
    return rest


def _faint(ink: np.ndarray) -> np.ndarray:
    return cv2.threshold(ink, RULE_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]


def _prints(mask: np.ndarray, ink: np.ndarray, found: Pieces) -> list[_Print]:
    """What is printed to be written on, if something is written there."""
    if found.widest < MIN_BOX_SIDE:
        return []
    is_page = max(mask.shape) >= RULED_SIDE
    levels = [found]
    if len(found) > 2 and found.slivers(MIN_BOX_SIDE // 2):
        # Of lines that are printed paler than the pen, only bits may be strokes.
        levels.append(Pieces(_faint(ink)))
    if len(found) > MIN_DASHES and found.crumbs(MIN_BOX_SIDE) >= MIN_DASHES:
        levels.append(Pieces(cv2.dilate(mask, np.ones((GAP, GAP), np.uint8))))
    for level in levels:
        found_boxes = (_box(level, label, is_page) for label in level.larger(MIN_BOX_SIDE))
        boxes = [box for box in found_boxes if box]
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


def _box(found: Pieces, label: int, is_page: bool) -> _Print | None:
    """A piece as a printed box or a row of boxes, or None.

    Args:
        is_page: whether the picture is larger than a cropped digit, which may be as straight.
    """
    x, y, width, height = found.box(label)
    piece = found.piece(label)
    is_crop = not is_page and y == 0  # a small picture that a digit fills
    if is_crop or not _may_be_frame(piece):
        return None
    lines = _frame(piece, MIN_BOX_LINE if is_page else MIN_LONG_LINE)
    if lines is None:
        return None
    strokes = piece - lines
    wide, tall = _tallest(strokes)
    if wide > 0.9 * width and tall > 0.9 * height:
        return None  # only the edges of wide strokes went
    if tall < MIN_WRITTEN * height:
        lines = piece  # bits of the lines
    return _Print((slice(y, y + height), slice(x, x + width)), lines)


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
    lines = _level_line(piece)
    if lines is None:
        return None
    strokes = piece - lines
    joined = _tallest(strokes)[1]
    if joined < max(least, beside / 2):  # ticks
        lines, strokes = piece, np.zeros_like(piece)
    if max(beside, joined) < least:
        return None
    return _Print((slice(y, y + height), slice(x, x + width)), lines)


def _frame(piece: np.ndarray, side: float) -> np.ndarray | None:
    """The lines of a piece that meet two lines of the other direction each, or None.

    Strokes of a digit that are as straight meet one, at most.

    Args:
        side: how long the lines are at least, as a share of the piece.
    """
    piece = cv2.copyMakeBorder(piece, *4 * (ROOM,), cv2.BORDER_CONSTANT)
    level, upright = (
        _box_rows(cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((1, GAP), np.uint8)))
        for part in (piece, cv2.transpose(piece))
    )
    meet = level.meeting(upright, tolerance=3 + CORNER * min(piece.shape))
    sides = [rows.longer(side) for rows in (level, upright)]
    for _ in range(2):
        met = meet & sides[0][:, None] & sides[1]
        sides = [met.sum(axis=1) >= 2, met.sum(axis=0) >= 2]
        sides = [rows.alike(some) for rows, some in zip((level, upright), sides, strict=True)]
    if min(side.sum() for side in sides) < 2:
        return None
    rest = cv2.transpose(level.erased(piece, sides[0]))
    rest = cv2.transpose(upright.erased(rest, sides[1]))
    return cv2.subtract(piece, rest)[ROOM:-ROOM, ROOM:-ROOM]


def _level_line(piece: np.ndarray) -> np.ndarray | None:
    """The long level lines of a piece, less what crosses them, or None."""
    piece = cv2.copyMakeBorder(piece, *4 * (ROOM,), cv2.BORDER_CONSTANT)
    rows = _box_rows(piece)
    lines = rows.longer(MIN_LONG_LINE) & rows.straight
    if not lines.any():
        return None
    return cv2.subtract(piece, rows.erased(piece, lines))[ROOM:-ROOM, ROOM:-ROOM]


def _box_rows(piece: np.ndarray) -> _Rows:
    most = int(max(3, MAX_BOX_LINE * min(piece.shape), MAX_RULE * max(piece.shape)))
    return _Rows(piece, most, run=BOX_RUN)


def _may_be_frame(piece: np.ndarray) -> bool:
    """Whether two sides that meet are straight for a part, as a box's are and few digits'.

    Over the others a digit may run out of the box.
    """
    return all(
        max(_straight_share(seen) for seen in (shape, shape[:, ::-1])) > STRAIGHT_SIDE
        for shape in (piece, cv2.transpose(piece))
    )


def _straight_share(piece: np.ndarray) -> float:
    """How much of the left side of uint8 (h, w) is straight and nearly upright."""
    profile = piece.argmax(axis=1)
    step = max(2, len(profile) // 10)
    before, here, after = profile[: -2 * step], profile[step:-step], profile[2 * step :]
    bent = np.abs(before + after - 2 * here) > max(2, len(profile) // 100)
    steep = np.abs(after - before) > 2 * step * MAX_RISE
    return float(np.count_nonzero(~bent & ~steep) / len(profile))


def _tallest(mask: np.ndarray) -> tuple[int, int]:
    """Width and height of the tallest connected piece, px."""
    stats = pieces(mask)[1][1:]
    if not len(stats):
        return 0, 0
    _, _, width, height, _ = stats[int(stats[:, cv2.CC_STAT_HEIGHT].argmax())].tolist()
    return width, height


class _Rows:
    """Thin lines of ink that are level, or rise alike over the whole picture.

    They are found where the picture was sheared until they are level.

    Attributes:
        left, right: where each lies, px; the first is the paper.
        top, bottom: where each lies in the sheared picture, px.
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
        self._shear = _Shear.levelling(faint)
        self._labels, stats = _level_lines(
            self._shear.applied(faint), most, int(run * faint.shape[1])
        )
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

    def alike(self, lines: np.ndarray) -> np.ndarray:
        """Which of some lines are about as long as the longest of them, and as thin as most."""
        if not lines.any():
            return lines
        lengths = np.where(lines, self.right - self.left, 0)
        usual = np.sort(self._thicknesses[lines])[(lines.sum() - 1) // 2]
        alike: np.ndarray = lines & (lengths > ALIKE * lengths.max())
        outermost = (self._middles == self._middles[lines].min()) | (
            self._middles == self._middles[lines].max()
        )
        alike &= self._thicknesses < np.where(outermost, 2, 1) * THICKER * usual + 1
        return alike

    def within(self, edge: float) -> np.ndarray:
        """Which lie off the upper and the lower edge by more than a share of the height."""
        height = len(self._labels) - 2 * self._shear.room
        top, bottom = self.top - self._shear.room, self.bottom - self._shear.room
        within: np.ndarray = (top > edge * height) & (bottom < (1 - edge) * height)
        return within

    def meeting(self, upright: _Rows, tolerance: float) -> np.ndarray:
        """Which of these lines meet which of the transposed picture's: bool (n, m)."""
        y = self._at(upright._middles)
        x = upright._middles + upright._shear.rise * (y - upright._labels.shape[1] / 2)
        across = (x > self.left[:, None] - tolerance) & (x < self.right[:, None] + tolerance)
        down = (y > upright.left - tolerance) & (y < upright.right + tolerance)
        meeting: np.ndarray = across & down
        return meeting

    def erased(self, mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
        """`mask` without some of the lines, but with what crosses them."""
        return self._erased(mask, lines, self._crossing(self._shear.applied(mask), lines))

    def erased_but_strokes(
        self, mask: np.ndarray, lines: np.ndarray, ink: np.ndarray
    ) -> np.ndarray:
        """The same, but with what is darker than the lines too: a stroke along a line.

        Args:
            ink: uint8 like `mask`, 0 paper to 255 ink.
        """
        level, ink = self._shear.applied(mask), self._shear.applied(ink)
        kept = self._crossing(level, lines)
        found = [self._line(label, ink) for label in np.flatnonzero(lines).tolist()]
        usual = sorted(line.printed for line in found)[(len(found) - 1) // 2]
        for line in found:
            np.copyto(kept[line.window], level[line.window], where=line.darker(usual))
        return self._erased(mask, lines, kept)

    def _erased(self, mask: np.ndarray, lines: np.ndarray, kept: np.ndarray) -> np.ndarray:
        gone = self._shear.undone(cv2.subtract(lines[self._labels].astype(np.uint8), kept))
        rest: np.ndarray = mask - cv2.bitwise_and(mask, gone)
        return rest

    @property
    def _middles(self) -> np.ndarray:
        """The height of each line in the middle of the picture, px."""
        middles: np.ndarray = (self.top + self.bottom) / 2 - self._shear.room
        return middles

    def _at(self, x: np.ndarray) -> np.ndarray:
        """The height of each line, px, where float (m,) are: float (n, m)."""
        heights: np.ndarray = self._middles[:, None] + self._shear.rise * (
            x - self._labels.shape[1] / 2
        )
        return heights

    def _crossing(self, level: np.ndarray, lines: np.ndarray) -> np.ndarray:
        thickness = int(self._thicknesses[lines].max()) + 4
        return cv2.morphologyEx(level, cv2.MORPH_OPEN, np.ones((thickness, 1), np.uint8))

    def _line(self, label: int, ink: np.ndarray) -> _Line:
        rows = slice(self.top[label], self.bottom[label])
        columns = slice(self.left[label], self.right[label])
        return _Line((rows, columns), self._labels, label, ink)


@dataclass(frozen=True)
class _Shear:
    """Moves the columns of a picture up or down until lines that rise are level.

    Attributes:
        rise: of the lines, px down for each px to the right.
        room: rows added above and below, px.
        width: of the picture.
    """

    rise: float
    room: int
    width: int

    @classmethod
    def levelling(cls, faint: np.ndarray) -> _Shear:
        """The shear under which most ink of uint8 (height, width), 0 and 1, lies in few rows."""
        width = faint.shape[1]
        points = cv2.findNonZero(faint)
        if points is None:
            return cls(0.0, 0, width)
        some = points.reshape(-1, 2)[:: 1 + len(points) // SHEAR_POINTS]
        x, y = some.T.astype(np.float32)
        best = 0.0
        for step, count in ((SHEAR_STEP, 10), (SHEAR_STEP / 4, 4)):
            rises = [best + step * number for number in range(-count, count + 1)]
            best = max(rises, key=lambda rise: _concentration(x - width / 2, y, rise))
        if abs(best) < MIN_SHEAR:
            return cls(0.0, 0, width)
        return cls(best, int(abs(best) * width / 2) + 1, width)

    def applied(self, picture: np.ndarray) -> np.ndarray:
        """A picture with its lines level, and with room above and below."""
        return self._moved(picture, self.rise, self.room) if self.rise else picture

    def undone(self, picture: np.ndarray) -> np.ndarray:
        """The same the other way round."""
        return self._moved(picture, -self.rise, -self.room) if self.rise else picture

    def _moved(self, picture: np.ndarray, rise: float, room: int) -> np.ndarray:
        matrix = np.array([[1, 0, 0], [-rise, 1, rise * self.width / 2 + room]])
        size = self.width, len(picture) + 2 * room
        return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_NEAREST)


def _concentration(x: np.ndarray, y: np.ndarray, rise: float) -> float:
    """How much the ink at float (n,) x and y lies in few rows, if these rise so."""
    rows = ((y - rise * x) / 2).astype(np.int64)
    counts = np.bincount(rows - rows.min())
    return float((counts * counts).sum())


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
        inner = lines & rows.within(EDGE)
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
