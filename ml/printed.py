"""What is printed on paper, not written: ruled lines, squares, and the boxes of forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from ml.pieces import Box, Pieces, pieces
from ml.rows import MAX_RISE, RULE_LEVEL, Rows

RULED_SIDE = 150  # px; lines in smaller pictures are strokes of a cropped digit
ACROSS = 0.95  # of the width; a line of the paper may end just before the border
MIN_LINES = 3  # of one direction, or right across in both: no digit has as many such bars
EDGE = 0.08  # of the height
CLEAR = 0.08  # of the side; what is left of a cropped digit without its bars is nearer the border
STICKS_OUT = 0.12  # of the width; the bars of a cropped digit go less beyond its other strokes
MAX_RULE = 0.02  # of the side across it; a thicker line is the stroke of a large digit
BOX_RUN = 1 / 8  # the same within a box
STRAIGHT_SIDE = 0.3  # share of a box's side that is seen and straight, at least
MIN_BOX_LINE = 0.3  # of a box, or of a row of them, and what reaches out of it
CORNER = 0.06  # of the shorter side; lines that miss each other by less meet
MIN_LONG_LINE = 0.75  # of a line to write on, and of a box in a small picture
MAX_BOX_LINE = 0.1  # of a box's shorter side
MIN_BOX_SIDE = 40  # px of the working picture
MIN_TICK = 0.1  # of a comb's height, and what reaches out of it
MAX_COMB_LINE = 0.045  # of its longer side
STRAIGHT_BASE = 0.35  # share of its lower side that is straight, at least
MAX_BELOW = 0.4  # of a comb's height, what lies below one end of its level line: it may rise
MOST_BOXES = 12  # in a row
MIN_LINE = 2.5  # times as long as what is joined to it is high: a line to write on
LEAST_ON_LINE, MOST_ON_LINE = 0.05, 0.8  # height of what is written on a line, of its length
MOST_ON_COMB = 1.5  # the same on one with ticks at both ends
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
    pale = faint(ink)
    across, down = cv2.boundingRect(pale)[2:]
    level = _Ruling.find(pale) if across >= ACROSS * mask.shape[1] else None
    upright = _Ruling.find(cv2.transpose(pale)) if down >= ACROSS * mask.shape[0] else None
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


def faint(ink: np.ndarray) -> np.ndarray:
    """Where uint8 ink may be a printed line, paler than the pen: uint8, 0 and 1."""
    return cv2.threshold(ink, RULE_LEVEL * 255, 1, cv2.THRESH_BINARY)[1]


def _prints(mask: np.ndarray, ink: np.ndarray, found: Pieces) -> list[_Print]:
    """What is printed to be written on, if something is written there."""
    if found.widest < MIN_BOX_SIDE:
        return []
    is_page = max(mask.shape) >= RULED_SIDE
    levels = [found]
    if len(found) > 2 and found.slivers(MIN_BOX_SIDE // 2):
        # Of lines that are printed paler than the pen, only bits may be strokes.
        levels.append(Pieces(faint(ink)))
    if len(found) > MIN_DASHES and found.crumbs(MIN_BOX_SIDE) >= MIN_DASHES:
        levels.append(Pieces(cv2.dilate(mask, np.ones((GAP, GAP), np.uint8))))
    boxes = next((boxes for level in levels if (boxes := _boxes(level, mask, is_page))), [])
    lines = (
        [line for label in level.wider(MIN_BOX_SIDE) if (line := _long_line(level, label))]
        for level in levels
    )
    return boxes + next(filter(None, lines), [])


def _boxes(found: Pieces, mask: np.ndarray, is_page: bool) -> list[_Print]:
    """The boxes among some pieces, the empty ones too, if something is written in one of them.

    An empty box alone may be a 0 of straight strokes, and one with a bar an 8.
    """
    all_boxes = (_box(found, label, is_page) for label in found.larger(MIN_BOX_SIDE))
    boxes = [box for box in all_boxes if box]
    return boxes if any(_is_written_in(box, mask) for box in boxes) else []


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
    if not is_page and y == 0:  # a small picture that a digit fills
        return None
    lines = _frame(piece, MIN_BOX_LINE if is_page else MIN_LONG_LINE)
    if lines is None and is_page:
        lines = _comb(piece)
    if lines is None:
        return None
    strokes = piece - lines
    wide, tall = _tallest(strokes)
    if wide > 0.9 * width and tall > 0.9 * height:
        return None  # only the edges of wide strokes went
    if tall < MIN_WRITTEN * height:
        lines = piece  # bits of the lines
    return _Print((slice(y, y + height), slice(x, x + width)), lines)


def is_frame(piece: np.ndarray) -> bool:
    """Whether uint8 (h, w), 0 and 1, is a printed box, or a row of them, and nothing else."""
    lines = _frame(piece, MIN_LONG_LINE)
    return lines is not None and _tallest(piece - lines)[1] < MIN_WRITTEN * len(piece)


def _long_line(found: Pieces, label: int) -> _Print | None:
    """A piece as a line that something is written on, with ticks or without, or None.

    What is written is as tall as a digit, and less tall than a line without ticks is long.
    """
    x, y, width, height = found.box(label)
    if width < MIN_LINE * height:
        return None
    least, most = LEAST_ON_LINE * width, MOST_ON_LINE * width
    beside = found.tallest_but(label)
    if max(beside, height) < least:
        return None
    piece = found.piece(label)
    lines = _level_line(piece) if beside <= most else None
    if lines is None and beside <= MOST_ON_COMB * width:
        lines = _comb(piece)
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
    if not _may_be_frame(piece):
        return None
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


def _comb(piece: np.ndarray) -> np.ndarray | None:
    """The lines of a piece that is a row of boxes without lids, or None.

    Upright lines stand on both ends of a level one, and others like them at even distances between.
    """
    if not _may_be_comb(piece):
        return None
    piece = cv2.copyMakeBorder(piece, *4 * (ROOM,), cv2.BORDER_CONSTANT)
    most = int(max(3, MAX_COMB_LINE * max(piece.shape)))
    level = Rows(piece, most, BOX_RUN)
    tolerance = 3 + CORNER * min(piece.shape)
    for row in np.flatnonzero(level.longer(MIN_LONG_LINE) & level.straight).tolist():
        rest = cv2.transpose(level.erased(piece, np.arange(len(level.top)) == row))
        upright = Rows(rest, most, MIN_TICK)
        x, end = upright.middles, level.heights(upright.middles)[row]
        stands = upright.thin & upright.straight & (abs(upright.right - end) < tolerance)
        ends = level.left[row], level.right[row]
        first, last = (upright.like(stands & (abs(x - side) < tolerance)) for side in ends)
        ticks = _evenly(x, stands & first & last, ends, tolerance)
        if ticks.any():
            rest = cv2.transpose(upright.erased(rest, ticks))
            return cv2.subtract(piece, rest)[ROOM:-ROOM, ROOM:-ROOM]
    return None


def _evenly(x: np.ndarray, some: np.ndarray, ends: tuple[int, int], tolerance: float) -> np.ndarray:
    """Which of some places lie evenly from one end to the other, in as many steps as can be.

    Args:
        x: float (n,), places.
        some: bool (n,), those that count.
    """
    for steps in range(MOST_BOXES, 0, -1):
        wanted = np.linspace(*ends, steps + 1)[:, None]
        near = (abs(wanted - x) < tolerance) & some
        if near.any(axis=1).all():
            evenly: np.ndarray = near.any(axis=0)
            return evenly
    return np.zeros_like(some)


def _level_line(piece: np.ndarray) -> np.ndarray | None:
    """The long level lines of a piece, less what crosses them, or None."""
    piece = cv2.copyMakeBorder(piece, *4 * (ROOM,), cv2.BORDER_CONSTANT)
    rows = _box_rows(piece)
    lines = rows.longer(MIN_LONG_LINE) & rows.straight
    if not lines.any():
        return None
    return cv2.subtract(piece, rows.erased(piece, lines))[ROOM:-ROOM, ROOM:-ROOM]


def _box_rows(piece: np.ndarray) -> Rows:
    most = int(max(3, MAX_BOX_LINE * min(piece.shape), MAX_RULE * max(piece.shape)))
    return Rows(piece, most, run=BOX_RUN)


def _may_be_frame(piece: np.ndarray) -> bool:
    """Whether two sides that meet are straight for a part, as a box's are and few digits'.

    Over the others a digit may run out of the box.
    """
    return all(
        max(_straight_share(seen) for seen in (shape, shape[:, ::-1])) > STRAIGHT_SIDE
        for shape in (piece, cv2.transpose(piece))
    )


def _may_be_comb(piece: np.ndarray) -> bool:
    """Whether something stands at both ends of a straight lower side, as of few digits."""
    height, width = piece.shape
    edge = max(2, round(CORNER * width))
    for side in (piece[:, :edge].max(axis=1), piece[:, -edge:].max(axis=1)):
        below = int(side[::-1].argmax())
        if below > MAX_BELOW * height or np.count_nonzero(side) < MIN_TICK * height:
            return False
    return _straight_share(np.rot90(piece, -1)) > STRAIGHT_BASE


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


@dataclass(frozen=True)
class _Ruling:
    """The level lines of a paper.

    Attributes:
        rows: these and all other level lines of the picture.
        lines: which of them are its lines, if the paper is ruled.
        inner: which of these lie off the picture's edges. Along an edge it may be the bar of a
            tightly cropped 2, 5 or 7.
    """

    rows: Rows
    lines: np.ndarray
    inner: np.ndarray

    @classmethod
    def find(cls, faint: np.ndarray) -> _Ruling | None:
        """The lines of uint8 (height, width), 0 paper and 1 where there may be a line, or None."""
        height, width = faint.shape
        if np.count_nonzero(faint.max(axis=0)) < ACROSS * width:
            return None  # no ink right across
        rows = Rows(faint, most=max(3, int(MAX_RULE * height)))
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
