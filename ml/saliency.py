"""Which spots of the field an answer hangs on: each is covered with paper in turn.

Occlusion (Zeiler and Fergus 2014) needs nothing but answers, so it explains the network that is
served, whatever it is made of.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ml.preprocessing import FIELD

PATCH = 5  # px: about as wide as a stroke with its soft edges
STRIDE = 2  # px: some hundred answers, and a map without holes
ENLARGED = 12  # px of the picture for each of the field
COLDEST = 0.4  # where in the colour map the overlay begins: below, it is as dark as paper
LEGEND = (14, 224)  # px, height and width

Network = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Spot:
    """The patch that costs the answer most when it is covered.

    Attributes:
        left, top: px of the field.
        probabilities: what the network says then, float64 (classes,).
    """

    left: int
    top: int
    probabilities: np.ndarray

    @property
    def middle(self) -> tuple[int, int]:
        """x and y in px of the field."""
        return self.left + PATCH // 2, self.top + PATCH // 2


@dataclass(frozen=True)
class Saliency:
    """How much an answer leans on each point.

    Attributes:
        falls: float32 (28, 28): by how much the answer's log-odds fall when paper covers the
            point, the mean over all patches; below 0 where covering helps the answer.
        spot: the patch that matters most, None when covering costs the answer nowhere.
    """

    falls: np.ndarray
    spot: Spot | None


def occlude(field: np.ndarray, answer: int, network: Network) -> Saliency:
    """Cover patch after patch of a field and see how much less sure the answer gets.

    Log-odds and not probabilities, because 99.999 % hardly moves until much is lost.

    Args:
        field: float32 (28, 28), 0.0 paper to 1.0 ink.
        answer: index of the class in question.
        network: from a field to probabilities, float (classes,).
    """
    sure = _log_odds(network(field), answer)
    total = np.zeros(field.shape, np.float32)
    count = np.zeros(field.shape, np.float32)
    largest, spot = 0.0, None
    for left, top in itertools.product(range(-(PATCH // 2), FIELD, STRIDE), repeat=2):
        patch = np.s_[max(0, top) : top + PATCH, max(0, left) : left + PATCH]
        count[patch] += 1
        if not field[patch].any():
            continue  # paper over paper
        covered = field.copy()
        covered[patch] = 0.0
        probabilities = network(covered)
        fall = sure - _log_odds(probabilities, answer)
        total[patch] += fall
        if fall > largest:
            largest, spot = fall, Spot(left, top, probabilities)
    return Saliency(total / count, spot)


def overlay(field: np.ndarray, saliency: Saliency) -> np.ndarray:
    """Lay the map over the field: the lighter and warmer, the more the answer leans on it.

    Lightness alone tells the colours apart, so that nobody needs to tell red from green.

    Returns:
        uint8 (336, 336, 3), RGB.
    """
    side = FIELD * ENLARGED
    strength = cv2.GaussianBlur(np.clip(saliency.falls, 0.0, None), (3, 3), 0)
    strength = strength / max(float(strength.max()), 1e-9)
    strength = cv2.resize(strength, (side, side), interpolation=cv2.INTER_CUBIC)
    ink = cv2.resize(field, (side, side), interpolation=cv2.INTER_NEAREST)
    result = _warm(np.clip(strength, 0.0, 1.0), ink)
    if saliency.spot is not None:
        _frame(result, saliency.spot)
    return result


def legend() -> np.ndarray:
    """The overlay's colours from cold to warm: uint8 (height, width, 3), RGB."""
    strength = np.tile(np.linspace(0, 1, LEGEND[1], dtype=np.float32), (LEGEND[0], 1))
    return _warm(strength, np.zeros_like(strength))


def _warm(strength: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Colour each point by strength, and let the ink shine through where that is little."""
    levels = np.rint(255 * (COLDEST + (1 - COLDEST) * strength)).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    share = np.minimum(1.0, 2.5 * strength)[..., None]
    ground = (105 * ink)[..., None]  # grey, darker than any warm colour
    result: np.ndarray = np.rint(share * colours + (1 - share) * ground).astype(np.uint8)
    return result


def _frame(picture: np.ndarray, spot: Spot) -> None:
    top_left = (max(0, spot.left) * ENLARGED, max(0, spot.top) * ENLARGED)
    bottom_right = tuple(min(FIELD, edge + PATCH) * ENLARGED - 1 for edge in (spot.left, spot.top))
    cv2.rectangle(picture, top_left, bottom_right, (0, 0, 0), 5)
    cv2.rectangle(picture, top_left, bottom_right, (255, 255, 255), 2)


def _log_odds(probabilities: np.ndarray, answer: int) -> float:
    others = np.delete(probabilities, answer).sum()  # 1 - p would lose what little is left
    return float(np.log(max(probabilities[answer], 1e-12)) - np.log(max(others, 1e-12)))
