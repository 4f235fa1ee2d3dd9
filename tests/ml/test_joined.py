from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from ml.joined import Joints, find_joints

DARK, PALE = 230, 120
SIZE = 200, 160
BOX = 60, 40, 60, 100  # x, y, width, height of the digit


def _stroke(*ends: tuple[int, int]) -> np.ndarray:
    """A stroke through points of the digit's box: uint8 like the box, 0 and 1."""
    own = np.zeros((BOX[3], BOX[2]), np.uint8)
    for start, end in pairwise(ends):
        cv2.line(own, start, end, 1, 6)
    return own


def _joints(
    own: np.ndarray, line: tuple[int, int], *, level: int = DARK, upright: bool = False
) -> Joints:
    """How a digit meets a line from border to border that was taken away.

    Args:
        line: its first row and the one after its last.
    """
    lines = np.zeros(SIZE, np.uint8)
    (lines.T if upright else lines)[slice(*line)] = 1
    x, y, width, height = BOX
    lines[y : y + height, x : x + width][own > 0] = 0  # what crosses it was kept
    return find_joints(own, BOX, lines, np.where(lines > 0, level, 0).astype(np.uint8))


STEM = _stroke((30, 4), (30, 96))


@pytest.mark.parametrize("slant", [-20, 0, 20])
def test_a_stroke_across_a_line_is_whole(slant: int) -> None:
    across = _stroke((30 - slant, 4), (30 + slant, 96))

    assert _joints(across, (88, 93)) == Joints(False, ())


def test_a_stroke_that_ends_at_a_line_within_the_digit_is_unclear() -> None:
    short = _stroke((10, 4), (10, 96)) | _stroke((40, 4), (40, 50))

    assert _joints(short, (92, 97)).are_unclear


def test_a_line_along_the_lower_edge_may_hide_a_bar() -> None:
    joints = _joints(STEM, (139, 144))

    assert not joints.are_unclear
    (completed,) = joints.completed
    bar = completed[completed.any(axis=1)][-1]
    assert bar.sum() > 0.9 * BOX[2]


def test_a_line_along_the_right_edge_may_hide_a_stem() -> None:
    bar = _stroke((4, 50), (59, 50))

    (completed,) = _joints(bar, (119, 123), upright=True).completed

    assert completed[:, completed.any(axis=0)][:, -1].sum() > 0.9 * BOX[3]


def test_a_stroke_between_two_lines_may_be_a_line() -> None:
    lines = np.zeros(SIZE, np.uint8)
    lines[36:41], lines[139:144] = 1, 1
    thin = np.ones((100, 5), np.uint8)

    joints = find_joints(thin, (80, 40, 5, 100), lines, lines * np.uint8(DARK))

    assert joints.are_unclear


def test_lines_that_are_paler_than_the_pen_hide_nothing() -> None:
    assert _joints(STEM, (139, 144), level=PALE) == Joints(False, ())


def test_a_line_that_is_not_touched_hides_nothing() -> None:
    assert _joints(STEM, (148, 153)) == Joints(False, ())
