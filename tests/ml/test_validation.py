"""Validation pictures, and how models compare on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import Executor

import numpy as np
import pytest

from fixtures import drawing
from ml import calibration, comparison, variants
from ml.datasets import NOT_A_DIGIT, Dataset, DatasetError
from ml.recognizer import Recognizer
from ml.validation import Answers, Validation


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    with variants.workers() as started:
        yield started


def drawn(label: int | None = None) -> Dataset:
    pictures = [drawing.draw(digit, seed=seed) for seed in range(2) for digit in range(10)]
    labels = np.arange(20) % 10 if label is None else np.full(20, label)
    return Dataset("drawn", pictures, labels, np.arange(20), "", "train")


def test_there_are_several_variants_of_each_picture(workers: Executor) -> None:
    found = Validation.of([drawn()], workers, seed=1, non_digits=True, times=3)

    assert len(found.fields) == len(found.labels) == 20
    assert np.array_equal(found.varied_labels[:60], np.tile(found.labels, 3))
    assert set(found.varied_labels[60:]) == {NOT_A_DIGIT}


def test_pictures_of_no_digit_alone_validate_nothing(workers: Executor) -> None:
    with pytest.raises(DatasetError, match="holds digits too"):
        Validation.of([drawn(NOT_A_DIGIT)], workers, seed=1, non_digits=True)


def test_a_picture_as_it_is_counts_as_much_as_all_its_variants() -> None:
    plain, varied = np.zeros((2, 11)), np.ones((7, 11))  # three variants each, and a non-digit
    labels, varied_labels = np.array([4, 5]), np.array([4, 5, 4, 5, 4, 5, NOT_A_DIGIT])

    logits, weighted = Answers(plain, labels, varied, varied_labels, times=3).weighted()

    assert (logits == 0).all(axis=1).sum() == 6
    assert weighted.tolist() == [4, 5] * 6 + [NOT_A_DIGIT]


def test_a_score_counts_what_is_read_wrong_and_what_can_be_accepted(
    latin: Recognizer, workers: Executor
) -> None:
    right = Validation.of([drawn()], workers, seed=1, non_digits=False)
    mistaken = dataclasses.replace(right, labels=(right.labels + 1) % 10)

    score = comparison.score(latin, {"right": right, "mistaken": mistaken})

    assert score.wrong["right"].plain == 0
    assert score.wrong["mistaken"].plain == 20
    assert list(score.accepted) == list(comparison.WRONG_SHARES)
    assert max(score.accepted.values()) < 0.5
    assert comparison.score(latin, {"right": right}).accepted[0.003] > 0.8


def test_a_model_that_cannot_refuse_is_scored_on_pictures_of_no_digit_too(
    latin: Recognizer, workers: Executor
) -> None:
    """It has no output that could be their label."""
    pictures = Validation.of([drawn()], workers, seed=1, non_digits=True)

    class Bold(Recognizer):
        def logits(self, field: np.ndarray) -> np.ndarray:
            return latin.logits(field)[:10]

    bold = Bold.__new__(Bold)

    assert comparison.score(bold, {"drawn": pictures}).wrong["drawn"].plain == 0


@pytest.mark.parametrize(
    ("right", "threshold"),
    [([True, True, True], 0.9), ([True, True, False], 0.95), ([False, True, True], np.inf)],
)
def test_accepting_begins_where_no_more_are_wrong_than_may_be(
    right: list[bool], threshold: float
) -> None:
    confidences = np.array([0.95, 0.95, 0.9])

    assert calibration.accept_from(confidences, np.array(right), 0.1) == threshold
