"""1s and 7s that the program draws to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from ml import datasets, drawn, preprocessing


def test_a_seed_always_draws_the_same() -> None:
    one, two, other = (drawn.one_or_seven(seed) for seed in (4, 4, 5))

    assert np.array_equal(one[0], two[0])
    assert one[1] == two[1]
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("seed", range(20))
def test_what_is_drawn_can_be_found_and_keeps_clear_of_the_edge(seed: int) -> None:
    picture, label = drawn.one_or_seven(seed)

    field = preprocessing.to_field(picture)

    assert label in {1, 7}
    assert not field.is_cut_off


def test_the_bar_of_a_7_is_level_and_the_flag_of_a_1_is_not() -> None:
    """Seen by where the ink of the topmost fifth lies: the bar's all along, the flag's end not."""
    spreads: dict[int, list[float]] = {1: [], 7: []}
    for seed in range(200):
        picture, label = drawn.one_or_seven(seed)
        rows, columns = np.nonzero(picture < 128)
        top = rows < rows.min() + 0.2 * np.ptp(rows)
        spreads[label].append(np.ptp(columns[top]) / np.ptp(rows))

    assert np.median(spreads[7]) > 1.5 * np.median(spreads[1])


def test_short_flags_of_1s_sag_more_often_than_long_ones() -> None:
    """A flag sags when its middle lies well below the straight line between its ends."""

    def sags(length: float, seed: int) -> bool:
        flag = drawn._one(0.9, length, np.random.default_rng(seed))[0][: drawn.STEPS]
        middle, ends = flag[drawn.STEPS // 2, 1], (flag[0, 1] + flag[-1, 1]) / 2
        return bool(middle - ends > 0.04 * length)

    assert 20 < sum(sags(0.3, seed) for seed in range(100)) < 60
    assert sum(sags(0.8, seed) for seed in range(100)) < 10


@pytest.mark.parametrize(("length", "deepest"), [(0.2, 0.09), (0.45, 0.12)])
def test_the_shorter_a_flag_the_more_it_may_sag(length: float, deepest: float) -> None:
    """By how much of the height its middle lies below the straight line, at right angles to it."""

    def depth(seed: int) -> float:
        flag = drawn._one(0.9, length, np.random.default_rng(seed))[0][: drawn.STEPS]
        along = (flag[-1] - flag[0]) / np.linalg.norm(flag[-1] - flag[0])
        away = flag - flag[0]
        return float((along[0] * away[:, 1] - along[1] * away[:, 0]).max())

    depths = [depth(seed) for seed in range(200)]

    assert max(depths) <= deepest
    assert max(depths) > 0.75 * deepest


def test_what_is_learned_from_is_not_what_is_tested_on() -> None:
    training, testing = (datasets.load("drawn_ones", part) for part in ("train", "test"))

    assert (len(training), len(testing)) == (2000, 400)
    assert set(testing.labels) == {1, 7}
    learned = {picture.tobytes() for picture in training.pictures}
    assert not learned & {picture.tobytes() for picture in testing.pictures}
