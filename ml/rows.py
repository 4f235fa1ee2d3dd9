"""Thin lines of ink that run level, or rise alike: found, compared, and erased under strokes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ml.ink import grey_level
from ml.pieces import pieces

RULE_LEVEL = 0.25  # share of the ink's own darkness from which a pixel may be a printed line
PALE_RULE = 0.6  # of the ink's darkness; in darker lines no stroke can be told from the line
LIKE_USUAL = 1.2  # as dark as the other lines at most; a margin's line is darker
SHEAR_POINTS = 4000  # px of ink by which is judged how much lines rise
SHEAR_STEP = 0.01  # px down for each px to the right; ten steps either way are 6 degrees
MIN_SHEAR = 0.025  # what rises less is level enough
RUN = 1 / 15  # of the width; strokes of a digit run less far
ALIKE = 0.75  # of the longest side of a box, or divider in a row of them
THICKER = 1.5  # than the usual line of a box; outermost, where strokes lie along it, twice as
MAX_RISE = 0.1  # of a box's line over its length, when it lies askew


class Rows:
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
        outermost = (self.middles == self.middles[lines].min()) | (
            self.middles == self.middles[lines].max()
        )
        alike &= self._thicknesses < np.where(outermost, 2, 1) * THICKER * usual + 1
        return alike

    def like(self, lines: np.ndarray) -> np.ndarray:
        """Which lines are about as long and as thick as the longest of some; none if it is thin."""
        lengths = np.where(self.thin, self.right - self.left, 0)
        first = int(np.where(lines, lengths, 0).argmax())
        if not lines[first]:
            return np.zeros_like(lines)
        shorter, longer = ALIKE * lengths[first], lengths[first] / ALIKE
        like: np.ndarray = (
            (lengths >= shorter)
            & (lengths <= longer)
            & (self._thicknesses < THICKER * self._thicknesses[first] + 1)
        )
        return like

    def within(self, edge: float) -> np.ndarray:
        """Which lie off the upper and the lower edge by more than a share of the height."""
        height = len(self._labels) - 2 * self._shear.room
        top, bottom = self.top - self._shear.room, self.bottom - self._shear.room
        within: np.ndarray = (top > edge * height) & (bottom < (1 - edge) * height)
        return within

    def meeting(self, upright: Rows, tolerance: float) -> np.ndarray:
        """Which of these lines meet which of the transposed picture's: bool (n, m)."""
        y = self.heights(upright.middles)
        x = upright.middles + upright._shear.rise * (y - upright._labels.shape[1] / 2)
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
    def middles(self) -> np.ndarray:
        """The height of each line in the middle of the picture, px."""
        middles: np.ndarray = (self.top + self.bottom) / 2 - self._shear.room
        return middles

    def heights(self, x: np.ndarray) -> np.ndarray:
        """The height of each line, px, where float (m,) are: float (n, m)."""
        heights: np.ndarray = self.middles[:, None] + self._shear.rise * (
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
