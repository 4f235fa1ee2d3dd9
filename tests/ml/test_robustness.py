from __future__ import annotations

import numpy as np
import pytest

from fixtures import drawing
from ml import robustness
from ml.robustness import CORRUPTIONS, Damaged

NAMED = [(name, strength) for name, c in CORRUPTIONS.items() for strength in c.strengths]


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return robustness.on_paper(drawing.draw(4, size=(28, 28), width=2.2, ink=255, paper=0))


@pytest.mark.parametrize(("name", "strength"), NAMED)
def test_a_corruption_changes_the_picture_and_is_repeated_by_its_seed(
    name: str, strength: float, page: np.ndarray
) -> None:
    once, again = (robustness.corrupt(page, name, strength, seed=5) for _ in range(2))

    assert np.array_equal(once, again)
    assert once.dtype == np.uint8
    assert once.shape != page.shape or not np.array_equal(once, page)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_leaves_the_picture_that_it_is_given_alone(
    name: str, page: np.ndarray
) -> None:
    before = page.copy()

    robustness.corrupt(page, name, CORRUPTIONS[name].strengths[-1], seed=1)

    assert np.array_equal(page, before)


def test_white_on_black_and_dark_on_light_come_to_the_same_page() -> None:
    picture = drawing.draw(7, size=(28, 28), width=2.2, ink=255, paper=0)

    page = robustness.on_paper(picture)

    assert np.array_equal(page, robustness.on_paper(255 - picture))
    assert page[0, 0] == robustness.PAPER
    assert page.min() == robustness.INK


def test_a_sample_makes_each_picture_by_its_number(page: np.ndarray) -> None:
    picture = drawing.draw(4, size=(28, 28), width=2.2, ink=255, paper=0)

    plain, turned = Damaged((picture,)), Damaged((picture,), "turn", 30)

    assert np.array_equal(plain(0), page)
    assert np.array_equal(turned(0), robustness.corrupt(page, "turn", 30, seed=0))
