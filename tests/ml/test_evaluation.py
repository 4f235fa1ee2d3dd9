from __future__ import annotations

import numpy as np
import pytest

from ml import calibration, evaluation
from ml.datasets import NOT_A_DIGIT
from ml.evaluation import Readings


def readings(labels: list[int], predicted: list[int], confidence: float = 0.9) -> Readings:
    probabilities = np.full((len(labels), 10), (1 - confidence) / 9)
    probabilities[np.arange(len(labels)), predicted] = confidence
    accepted = np.ones(len(labels), bool)
    return Readings(np.array(labels), probabilities, accepted, ~accepted)


def test_accuracy_counts_right_readings() -> None:
    report = evaluation.report(readings([1, 2, 3, 4], [1, 2, 3, 9]))

    assert report["accuracy"] == 0.75
    assert report["accepted_error"] == 0.25
    assert report["confusion"][4][9] == 1
    assert report["per_class"]["4"]["recall"] == 0.0
    assert report["per_class"]["1"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}


def test_a_picture_in_which_nothing_is_found_counts_as_wrong() -> None:
    found = readings([5, 5], [5, 5])
    found.probabilities[1] = 0

    report = evaluation.report(found)

    assert report["accuracy"] == 0.5
    assert report["not_found"] == 1


def test_a_set_without_digits_has_only_rates_of_refusal() -> None:
    report = evaluation.report(readings([NOT_A_DIGIT] * 3, [1, 2, 3]))

    assert report == {"count": 3, "accepted_share": 1.0, "refused_share": 0.0}


def test_calibration_error_is_the_gap_between_promise_and_truth() -> None:
    confidences = np.full(100, 0.9)

    assert evaluation.expected_calibration_error(confidences, np.arange(100) < 90) == 0.0
    assert evaluation.expected_calibration_error(confidences, np.arange(100) < 60) == 0.3


def test_the_calibration_error_weighs_each_bin_by_its_readings() -> None:
    confidences = np.array([0.98] * 30 + [0.5] * 10)
    right = np.array([True] * 30 + [True] * 2 + [False] * 8)

    error = evaluation.expected_calibration_error(confidences, right)

    assert error == pytest.approx((30 * 0.02 + 10 * 0.3) / 40)


def test_reliability_lists_the_bins_that_hold_readings() -> None:
    confidences = np.array([1.0, 0.99, 0.5, 0.5])

    bins = evaluation.reliability(confidences, np.array([True, True, True, False]))

    assert bins == [
        {"count": 2, "confidence": 0.5, "accuracy": 0.5},
        {"count": 2, "confidence": 0.995, "accuracy": 1.0},
    ]


def test_mistakes_are_told_surest_first() -> None:
    read = readings([1, 2, 3, NOT_A_DIGIT], [7, 2, 8, 5])
    read.probabilities[2, 8] = 0.95

    assert [(m["index"], m["true"], m["read"]) for m in evaluation.mistakes(read)] == [
        (2, 3, 8),
        (0, 1, 7),
    ]


def test_sets_are_joined() -> None:
    joined = evaluation.together([readings([1, 2], [1, 2]), readings([3], [4])])

    assert joined.labels.tolist() == [1, 2, 3]
    assert joined.right.tolist() == [True, True, False]


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = evaluation.wilson_interval(90, 100)

    assert low == pytest.approx(0.8256, abs=1e-3)
    assert high == pytest.approx(0.9448, abs=1e-3)


def test_auroc_counts_pairs_in_order() -> None:
    assert evaluation.auroc(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1.0
    assert evaluation.auroc(np.array([0.5]), np.array([0.5])) == 0.5
    assert evaluation.auroc(np.array([0.9, 0.3]), np.array([0.5])) == 0.5


def test_temperature_softens_logits_that_promise_too_much() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 4000)
    logits = rng.normal(0, 1, (4000, 10))
    logits[np.arange(4000), labels] += 2.0
    true_loss_is_at = calibration.fit_temperature(logits, labels)

    assert calibration.fit_temperature(logits * 3, labels) == pytest.approx(
        3 * true_loss_is_at, rel=0.02
    )


def test_probabilities_sum_to_one_and_bear_large_logits() -> None:
    result = calibration.probabilities(np.array([[1e4, 0.0, -1e4]]), 1.5)

    assert result.sum() == pytest.approx(1.0)
    assert np.isfinite(result).all()


def test_a_threshold_is_never_lower_than_what_was_found() -> None:
    sure = np.full(1000, 0.9999)
    digits = np.ones(1000, bool)
    half = np.arange(1000) % 2 == 0

    assert calibration.choose_thresholds(sure, half, digits).accept == 1.0

    rising = np.linspace(0.99992, 0.99998, 1000)
    thresholds = calibration.choose_thresholds(rising, rising > 0.99995, digits)

    assert thresholds.accept >= 0.99995


def test_the_threshold_keeps_wrong_readings_out() -> None:
    confidences = np.linspace(0, 1, 10_000)
    right = confidences > 0.7
    digits = np.ones(10_000, bool)

    thresholds = calibration.choose_thresholds(confidences, right, digits)

    wrong = (~right[confidences >= thresholds.accept]).mean()
    assert wrong <= calibration.WRONG_AMONG_ACCEPTED
    assert 0.69 < thresholds.accept < 0.71
    assert thresholds.refuse == pytest.approx(0.001, abs=1e-4)
