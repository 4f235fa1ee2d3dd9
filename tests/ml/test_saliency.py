"""Covering a spot tells how much the answer leans on it."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures import drawing
from ml import preprocessing, saliency
from ml.recognizer import Recognizer


def field_of(digit: int, seed: int = 0) -> np.ndarray:
    return preprocessing.to_field(drawing.draw(digit, seed=seed)).pixels


def sees_ink_at(row: int, column: int) -> saliency.Network:
    """A network that is sure of its first class while there is ink at one point."""

    def network(field: np.ndarray) -> np.ndarray:
        share = 0.5 + 0.4 * float(field[row, column])
        return np.array([share, 1 - share])

    return network


@pytest.mark.parametrize("seed", range(4))
def test_an_eight_leans_on_the_strokes_that_a_three_lacks(latin: Recognizer, seed: int) -> None:
    field = field_of(8, seed)

    falls = saliency.occlude(field, 8, latin.probabilities).falls

    left = falls[6:22, 7:13][field[6:22, 7:13] > 0.5]
    corner = falls[:4, :4]
    assert left.max() > 1.0
    assert np.abs(corner).max() < 0.1 * left.max()


@pytest.mark.parametrize("digit", range(10))
def test_covering_the_spot_makes_the_answer_less_sure(latin: Recognizer, digit: int) -> None:
    field = field_of(digit, seed=3)
    sure = latin.probabilities(field)
    answer = int(sure[:10].argmax())

    spot = saliency.occlude(field, answer, latin.probabilities).spot

    assert spot is not None
    covered = field.copy()
    covered[max(0, spot.top) : spot.top + 5, max(0, spot.left) : spot.left + 5] = 0
    assert latin.probabilities(covered)[answer] == spot.probabilities[answer]
    assert spot.probabilities[answer] < sure[answer]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (13, 9), (27, 27)])
def test_the_map_is_warmest_where_the_network_looks(row: int, column: int) -> None:
    field = np.ones((28, 28), np.float32)

    found = saliency.occlude(field, 0, sees_ink_at(row, column))

    hottest = np.argwhere(found.falls == found.falls.max())
    assert [row, column] in hottest.tolist()
    assert np.abs(hottest - [row, column]).max() < saliency.PATCH
    assert found.spot is not None
    assert 0 <= row - found.spot.top < saliency.PATCH
    assert 0 <= column - found.spot.left < saliency.PATCH


def test_a_network_that_looks_nowhere_has_no_spot() -> None:
    field = field_of(3)

    found = saliency.occlude(field, 0, lambda field: np.array([0.7, 0.3]))

    assert found.spot is None
    assert not found.falls.any()
    assert saliency.overlay(field, found).shape == (336, 336, 3)


def test_being_certain_beyond_all_digits_gives_finite_numbers() -> None:
    found = saliency.occlude(field_of(1), 0, lambda field: np.array([1.0, 0.0]))

    assert np.isfinite(found.falls).all()


def test_the_warmer_a_colour_the_lighter_it_is() -> None:
    light = saliency.legend() @ np.array([0.2126, 0.7152, 0.0722])

    steps = np.diff(light[0])
    assert (steps > -2).all()
    assert light[0, -1] - light[0, 0] > 200


def test_what_the_answer_does_not_lean_on_stays_grey() -> None:
    field = np.zeros((28, 28), np.float32)
    field[4:9, 4:9] = field[20:25, 20:25] = 1

    picture = saliency.overlay(field, saliency.occlude(field, 0, sees_ink_at(22, 22)))

    cold, warm = picture[6 * 12, 6 * 12].astype(int), picture[22 * 12, 22 * 12].astype(int)
    assert np.ptp(cold) == 0
    assert np.ptp(warm) > 50
