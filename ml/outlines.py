"""Digits of which only the outline was drawn: their strokes are what it encloses."""

from __future__ import annotations

import cv2
import numpy as np

from ml.pieces import Pieces, thickness

MIN_REACH = 0.6  # of the outline's width, and its height, that what it encloses has
MAX_STROKE = 0.25  # widest place of what is enclosed, of the longer side; a 0 is wider
MAX_RINGED = 0.3  # the same around inner outlines
MAX_FULL = 0.75  # of what is within a taut string; the hole of a 0 or 6 has more
ROUND = 0.85  # of what is within a taut string, that an inner outline goes around; a 6 has less
MIN_HOLE = 0.02  # of the outline's box; smaller ones are between hatching


def filled_outline(mask: np.ndarray, found: Pieces) -> np.ndarray | None:
    """Fill what the outline of a digit encloses, without the rooms that inner outlines enclose.

    Args:
        mask: uint8 (height, width), 0 paper and 1 ink.
        found: its pieces.

    Returns:
        uint8 like `mask`; None when the most likely piece is no outline.
    """
    likely = found.parts.by_likelihood
    if not likely:
        return None
    x, y, width, height = found.box(1 + likely[0])
    piece = found.piece(1 + likely[0])
    holes = [hole for hole, _ in _holes(piece) if cv2.contourArea(hole) > MIN_HOLE * piece.size]
    if len(holes) != 1:
        return None
    (hole,) = holes
    _, _, across, down = cv2.boundingRect(hole)
    if across < MIN_REACH * width or down < MIN_REACH * height:
        return None
    window = slice(y, y + height), slice(x, x + width)
    enclosed = cv2.drawContours(np.zeros_like(piece), [hole], 0, 1, cv2.FILLED)
    rooms = _rooms(cv2.bitwise_and(cv2.subtract(mask[window], piece), enclosed))
    if rooms is None:
        return None
    strokes = cv2.subtract(enclosed, rooms)
    most = MAX_RINGED if rooms.any() else MAX_STROKE
    hull = cv2.contourArea(cv2.convexHull(hole))
    if cv2.countNonZero(strokes) > MAX_FULL * hull or thickness(strokes) > most:
        return None
    filled = mask.copy()
    filled[window] = cv2.subtract(cv2.max(filled[window], strokes), rooms)
    return filled


def _rooms(inner: np.ndarray) -> np.ndarray | None:
    """What inner outlines enclose: uint8 (h, w); None where one of them may be a digit."""
    rooms = np.zeros_like(inner)
    for hole, outline in _holes(inner):
        if cv2.contourArea(hole) > MIN_HOLE * inner.size:
            if cv2.contourArea(outline) < ROUND * cv2.contourArea(cv2.convexHull(outline)):
                return None
            cv2.drawContours(rooms, [hole], 0, 1, cv2.FILLED)
    return cv2.subtract(rooms, inner)


def _holes(strokes: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The contour of each hole in uint8 (h, w), 0 and 1, and of what it is a hole in."""
    contours, tree = cv2.findContours(strokes, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    pairs = zip(contours, tree[0, :, 3].tolist(), strict=True)
    return [(hole, contours[parent]) for hole, parent in pairs if parent >= 0]
