"""1s and 7s drawn by the program: flags and bars of every length and slope.

What tells a flagged 1 from a 7 is how steep its flag is. Few writers of the data sets flag
their 1s, and those who do flag them alike, so a network that learned from them alone takes a
long, flat flag for a bar. Slopes that people would not agree on are left out.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 160  # px, the height of a digit; its picture is twice as large
# Angles before a hand's slant and proportions, which take off or add up to 6 degrees.
FLAG = (np.deg2rad(31), np.deg2rad(72))  # below the level, of a 1
BAR = (np.deg2rad(-12), np.deg2rad(10))  # the same, of a 7
SHORT = 0.5  # of the height: shorter flags may sag; a longer one that did would look like a 2
SAGGING = 0.45  # of the short flags
SAG = (0.08, 0.45)  # of a flag's length: from a little to a hook
DEEPEST = 0.12  # of the height: a longer flag that sagged more would look like the bow of a 9
STEPS = 16  # points of a curve


def one_or_seven(seed: int) -> tuple[np.ndarray, int]:
    """Draw a 1 or a 7.

    Args:
        seed: the same seed draws the same.

    Returns:
        uint8 (height, width), dark on white, and its label, 1 or 7.
    """
    rng = np.random.default_rng((seed, 17))
    label = int(rng.choice((1, 7)))
    if label == 1:
        strokes = _one(rng.uniform(*FLAG), rng.uniform(0.12, 0.85), rng)
    else:
        strokes = _seven(rng.uniform(*BAR), rng.uniform(0.38, 0.85), rng)
    return _on_paper(strokes, rng), label


def _one(steepness: float, length: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Flag and stem in one stroke, some with a foot."""
    top = np.array([0.5, 0.0])
    foot = np.array([0.5 + rng.normal(0, 0.05), 1.0])
    start = top + length * np.array([-np.cos(steepness), np.sin(steepness)])
    flag = _curve(start, top, -_sag(length, rng))
    strokes = [np.vstack([flag, _curve(top, foot, rng.normal(0, 0.03))])]
    if rng.random() < 0.2:
        strokes.append(_across(foot, rng))
    return strokes


def _sag(length: float, rng: np.random.Generator) -> float:
    """How far a flag sags below a straight line, as a share of its length."""
    if length < SHORT and rng.random() < SAGGING:
        return rng.uniform(SAG[0], min(SAG[1], DEEPEST / length))
    return -rng.normal(0.04, 0.05)


def _seven(slope: float, length: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Bar and stem in one stroke, some with a hook before the bar or a bar across the stem."""
    corner = np.array([0.5 + length / 2, 0.0])
    start = corner + length * np.array([-np.cos(slope), np.sin(slope)])
    foot = np.array([corner[0] - length * rng.uniform(0.15, 1.0), 1.0])
    stem = _curve(corner, foot, rng.uniform(-0.04, 0.14))
    parts = [_curve(start, corner, rng.normal(0, 0.05)), stem]
    if rng.random() < 0.3:
        hook = start + rng.uniform((-0.05, 0.06), (0.03, 0.2))
        parts.insert(0, _curve(hook, start, 0.0))
    strokes = [np.vstack(parts)]
    if rng.random() < 0.35:
        strokes.append(_across(stem[int(STEPS * rng.uniform(0.35, 0.6))], rng))
    return strokes


def _across(middle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A short bar, nearly level."""
    reach = np.array([rng.uniform(0.12, 0.3), rng.normal(0, 0.035)])
    return _curve(middle - reach, middle + reach, 0.0)


def _curve(start: np.ndarray, end: np.ndarray, bulge: float) -> np.ndarray:
    """A bow from start to end, `bulge` of its length to its left: float (STEPS, 2)."""
    along = end - start
    middle = (start + end) / 2 + 2 * bulge * np.array([along[1], -along[0]])
    share = np.linspace(0, 1, STEPS)[:, None]
    bow: np.ndarray = (1 - share) ** 2 * start + 2 * share * (1 - share) * middle + share**2 * end
    return bow


def _on_paper(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    slant, width = rng.normal(0.08, 0.12), rng.uniform(0.75, 1.2)
    matrix = np.array([[width, 0.0], [-slant, 1.0]])
    canvas = np.full((2 * SIDE, 2 * SIDE), 255, np.uint8)
    pen = int(rng.integers(6, 24))
    for stroke in strokes:
        points = (stroke - 0.5) @ matrix * SIDE + SIDE
        cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, 0, pen, cv2.LINE_AA)
    return canvas
