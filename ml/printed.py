"""What is printed on paper, not written: ruled lines and squares."""

from __future__ import annotations

import cv2
import numpy as np

from ml.ink import grey_level
from ml.pieces import pieces

RULED_SIDE = 150  # px; lines in smaller pictures are strokes of a cropped digit
RULE_LEVEL = 0.25  # share of the ink's own darkness from which a pixel may be a printed line
PALE_RULE = 0.6  # of the ink's darkness; in darker lines no stroke can be told from the line
LIKE_USUAL = 1.2  # as dark as the other lines at most; a margin's line is darker
MAX_RULE = 0.02  # of the side across it; a thicker line is the stroke of a large digit


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
    _, labels, stats = pieces(lines)
    return labels, stats


def _sticks_out(rest: np.ndarray) -> bool:
    """Whether a line across the picture goes well beyond the largest piece of what is left."""
    _, _, stats = pieces(rest)
    if len(stats) < 2:
        return False
    largest = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    left = largest[cv2.CC_STAT_LEFT]
    right = rest.shape[1] - left - largest[cv2.CC_STAT_WIDTH]
    return bool(max(left, right) > 0.12 * rest.shape[1])
