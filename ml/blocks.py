"""Small pictures that were enlarged so that each of their pixels is seen as a block."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

MOST = 64  # blocks along a side; strokes of finer pictures are smooth enough
MIN_PITCH = 2  # px
MIN_EDGES = 4  # along each side; fewer, of a few straight lines, may lie anywhere
MIN_BOTH = 10  # along both sides
WEAK = 0.3  # of the strongest edge; less is a JPEG's, or within a block
MIN_EDGE = 12  # grey levels
SINGLE = 1.5  # times the smallest distance between edges: further apart are several blocks
OFF = 0.2  # of a block, at most `ROUNDING`, how far an edge may lie off the grid
ROUNDING = 0.75  # px
EXACT = 1e-6  # of a block
SQUARE = 1.1  # a block's longer side to its shorter one, at most


@dataclass(frozen=True)
class Blocks:
    """A picture with one pixel for each block.

    Attributes:
        picture: uint8 (rows, columns).
        pitch: px of the enlarged picture, how wide and how high a block is.
        corner: px, left and top of the first block there.
    """

    picture: np.ndarray
    pitch: tuple[float, float]
    corner: tuple[float, float]


@dataclass(frozen=True)
class _Grid:
    """Columns of blocks: how wide they are and where the first begins, 0 or less, px.

    `edges` is how many of their edges are seen.
    """

    pitch: float
    first: float
    edges: int

    def middles(self, length: int) -> np.ndarray:
        """The pixels, of so many, in the middle of blocks."""
        middles = np.arange(self.first + self.pitch / 2, length, self.pitch)
        inside: np.ndarray = middles[middles >= 0].astype(int)
        return inside


def find_blocks(picture: np.ndarray) -> Blocks | None:
    """Give each block of an enlarged picture one pixel again; None when there are no blocks.

    Args:
        picture: uint8 array (height, width), 0 black to 255 white.
    """
    across = _grid(picture)
    down = _grid(picture.T) if across else None
    if across is None or down is None or across.edges + down.edges < MIN_BOTH:
        return None
    if max(across.pitch, down.pitch) > SQUARE * min(across.pitch, down.pitch):
        return None
    rows, columns = down.middles(picture.shape[0]), across.middles(picture.shape[1])
    return Blocks(
        picture[np.ix_(rows, columns)], (across.pitch, down.pitch), (across.first, down.first)
    )


def _grid(picture: np.ndarray) -> _Grid | None:
    """The columns of blocks in a picture, None when it has others or too fine ones."""
    if min(picture.shape) < MIN_PITCH * MIN_EDGES:
        return None
    rows = np.ascontiguousarray(picture[:: max(1, len(picture) // MOST)])
    steps = cv2.absdiff(rows[:, 1:], rows[:, :-1]).max(axis=0)
    edges = 1 + np.flatnonzero(steps >= max(MIN_EDGE, WEAK * int(steps.max())))
    if not MIN_EDGES <= edges.size < MOST:
        return None
    gaps = np.diff(edges)
    if gaps.min() < MIN_PITCH:
        return None
    single = gaps[gaps < SINGLE * gaps.min()].mean()
    count = np.concatenate([[0], np.cumsum(np.rint(gaps / single))])
    pitch, first = np.polyfit(count, edges, 1).tolist()
    off = np.abs(first + pitch * count - edges).max()
    if off > min(ROUNDING, OFF * pitch) or picture.shape[1] > MOST * pitch:
        return None
    return _Grid(pitch, first - math.ceil(first / pitch - EXACT) * pitch, edges.size)
