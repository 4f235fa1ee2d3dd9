"""What is printed on cards and pages beside what is written: lines, empty frames and stamps."""

from __future__ import annotations

import cv2
import numpy as np

from ml.pieces import SOLID, Pieces, is_thicker
from ml.printed import RULED_SIDE, faint, is_frame

SLENDER = 20  # times as long as thick, at least
LEAST = 0.1  # of the picture's longer side
BENT = 0.012  # of its length, and a pixel, how far a line is off a straight one at most
RISE = 0.1  # of its length, when the page lies askew
ALIKE = 0.85  # of the longest of several alike
MIN_ALIKE = 3  # lines below each other: no digit has as many bars
FEW_ALIKE, MIN_FEW = 2, 0.25  # lines as long as this at least, of the picture's longer side
TALLER = 2.2  # than all else but its like, is a line between columns
TALLER_ON_CARD = 1.3  # the same beside lines for an address
COLUMN = 0.35  # of the picture's height, at least
GRAIN = 5  # px; a stamp is not even
LEAST_BESIDE = 0.06  # of the picture's longer side, what else there is to be read


def without_dividers(mask: np.ndarray, ink: np.ndarray, found: Pieces) -> np.ndarray:
    """Remove straight lines that touch nothing else and are too many, or too long, for strokes.

    Where there are any, frames in which nothing stands and patches are printed, too. Of lines
    that are printed paler than the pen, only bits may be strokes.

    Args:
        mask: uint8 (height, width), 0 paper and 1 ink.
        ink: uint8 like `mask`, 0 paper to 255 ink.
        found: the pieces of `mask`.

    Returns:
        What is left; `mask` itself when there is nothing to remove, or nothing would be left.
    """
    if len(found) <= 2 or max(mask.shape) < RULED_SIDE:
        return mask
    least = LEAST_BESIDE * max(mask.shape)
    for level in (found, Pieces(faint(ink))):
        lines = _lines(level, mask.shape)
        if not lines:
            continue
        printed = np.union1d(
            lines, [label for label in level.larger(int(least)) if _is_printed(level, label)]
        )
        rest = cv2.subtract(mask, level.where(printed.astype(int)))
        left = Pieces(rest).stats[1:, (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT)]
        if left.max(initial=0) >= least:
            return rest
    return mask


def _lines(found: Pieces, shape: tuple[int, ...]) -> list[int]:
    """Which pieces are lines for an address, or between columns."""
    _, _, widths, heights, areas = found.stats.T
    longer = np.maximum(widths, heights)
    slender = (longer >= LEAST * max(shape)) & (SLENDER * areas <= longer * longer)
    slender[0] = False
    if not slender.any():
        return []
    straight = [label for label in np.flatnonzero(slender).tolist() if _is_straight(found, label)]
    level = _alike([label for label in straight if widths[label] > heights[label]], widths)
    upright = [label for label in straight if heights[label] > widths[label]]
    columns = _alike(upright, heights)
    longest = widths[level].max(initial=0)
    if len(level) < (FEW_ALIKE if longest >= MIN_FEW * max(shape) else MIN_ALIKE):
        level = []
    others = heights.copy()
    others[[0, *level, *columns]] = 0
    taller = TALLER_ON_CARD if level else TALLER
    tallest = heights[columns].max(initial=0)
    if tallest <= max(taller * others.max(), COLUMN * shape[0]):
        columns = []
    return level + columns


def _is_printed(found: Pieces, label: int) -> bool:
    """Whether a piece is a patch, or the frame of a place for something."""
    piece = found.piece(label)
    whole = cv2.morphologyEx(piece, cv2.MORPH_CLOSE, np.ones((GRAIN, GRAIN), np.uint8))
    return is_thicker(whole, SOLID) or is_frame(piece)


def _is_straight(found: Pieces, label: int) -> bool:
    piece = found.piece(label)
    if len(piece) > piece.shape[1]:
        piece = cv2.transpose(piece)
    length = piece.shape[1]
    middles = (piece * np.arange(len(piece))[:, None]).sum(axis=0) / piece.sum(axis=0)
    x = np.arange(length)
    rise, start = np.polyfit(x, middles, 1)
    bent = np.abs(middles - rise * x - start).max()
    return bool(abs(rise) < RISE and bent < 1 + BENT * length)


def _alike(lines: list[int], lengths: np.ndarray) -> list[int]:
    """Those of some lines that are about as long as the longest."""
    longest = max((lengths[line] for line in lines), default=0)
    return [line for line in lines if lengths[line] > ALIKE * longest]
