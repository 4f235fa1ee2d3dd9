"""What lies beyond a straight edge of the paper: the lid of a scanner, or the table."""

from __future__ import annotations

import cv2
import numpy as np

from ml.ink import grey_level

MIN_SIDE = 48  # px; smaller pictures are crops, and a stroke along their border is the digit's
MIN_STEP = 50  # grey levels from the paper to what lies beyond
MAX_DEPTH = 0.3  # of the side across; more is no margin
MIN_LENGTH = 0.3  # of the side along, from a corner
MAX_SLOPE = 0.2  # a sheet that lies more askew was not scanned
STRAIGHT = 0.97  # of the edge that lies where a straight one would
UNEVEN = 0.3  # of the step; where a shadow falls on strokes, some are darker by as much
EVEN = 0.98  # of what lies beyond that is not
FRINGE = 0.012  # of the longer side: an edge is soft


def without_lids(picture: np.ndarray) -> np.ndarray:
    """Let the paper go on where the picture shows, along its border, what lies beyond it.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white.

    Returns:
        uint8 like `picture`; `picture` itself when the paper fills it.
    """
    if min(picture.shape) < MIN_SIDE:
        return picture
    middle = grey_level(np.ascontiguousarray(picture[::8, ::8]), 0.5)
    if all(abs(corner - middle) < MIN_STEP for corner in _corners(picture)):
        return picture
    level, _ = cv2.threshold(picture, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    beyond = (picture > level) != (middle > level)
    result = picture
    for turns in range(4):
        edge = _edge(np.rot90(picture, turns), np.rot90(beyond, turns))
        if edge is not None:
            result = result.copy() if result is picture else result
            _fill(np.rot90(result, turns), edge)
    return result


def _corners(picture: np.ndarray) -> list[int]:
    return [int(picture[y, x]) for y in (0, -1) for x in (0, -1)]


def _edge(picture: np.ndarray, beyond: np.ndarray) -> np.ndarray | None:
    """Down to which row of each column something else than paper lies at the top: float (width,).

    Returns:
        None where that has no straight edge or is not even.
    """
    height, width = beyond.shape
    is_whole = beyond.all(axis=0)  # of what lies along another side
    columns = np.flatnonzero(~is_whole)
    depth = beyond.argmin(axis=0)[columns]
    there = depth > 0
    if not there.any() or there.sum() + is_whole.sum() < MIN_LENGTH * width:
        return None
    x, y = columns[there], depth[there]
    half = len(x) // 2
    if not half:
        return None
    slope = float(np.median((y[half:] - y[: len(y) - half]) / (x[half:] - x[: len(x) - half])))
    edge: np.ndarray = np.maximum(0, np.median(y - slope * x) + slope * np.arange(width))
    tolerance = max(1.5, FRINGE * max(beyond.shape))
    is_straight = np.mean(np.abs(edge[columns] - depth) <= tolerance) >= STRAIGHT
    if not is_straight or abs(slope) > MAX_SLOPE or edge.max() > MAX_DEPTH * height:
        return None
    band = picture[np.arange(height)[:, None] < edge - 2]
    if not band.size:
        return edge
    lid = float(np.median(band))
    step = abs(lid - float(np.median(picture[~beyond])))
    is_even = np.mean(np.abs(band - lid) < UNEVEN * step) >= EVEN
    return edge if is_even and step >= MIN_STEP else None


def _fill(picture: np.ndarray, edge: np.ndarray) -> None:
    """Continue, in place, the grey that the paper has below an edge up to the top."""
    height, width = picture.shape
    fringe = 2 + round(FRINGE * max(picture.shape))
    last = np.where(edge > 0, np.ceil(edge) + fringe, 0).astype(int)
    rows = np.minimum(last + np.arange(5)[:, None], height - 1)
    greys = np.median(picture[rows, np.arange(width)], axis=0).astype(np.uint8)
    window = min(255, width // 2) | 1  # wider than strokes that touch the edge
    greys = cv2.medianBlur(greys[None], window)[0]
    np.copyto(picture, greys, where=np.arange(height)[:, None] < last)
