"""What a model directory is worth: metrics of the exported file on labelled pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.datasets import NOT_A_DIGIT
from ml.recognizer import Reading, Verdict

BINS = 15
PER_CLASS_DIGITS = 4
MISTAKES = 24  # kept of each set


@dataclass(frozen=True)
class Readings:
    """The readings of a data set, one entry a picture.

    Attributes:
        labels: int (n,), the true digit, or `NOT_A_DIGIT`.
        probabilities: float (n, 10); zeros where preprocessing refused the picture.
        accepted, refused: bool (n,).
    """

    labels: np.ndarray
    probabilities: np.ndarray
    accepted: np.ndarray
    refused: np.ndarray

    @property
    def confidences(self) -> np.ndarray:
        result: np.ndarray = self.probabilities.max(axis=1)
        return result

    @property
    def predicted(self) -> np.ndarray:
        result: np.ndarray = self.probabilities.argmax(axis=1)
        return result

    @property
    def found(self) -> np.ndarray:
        result: np.ndarray = self.confidences > 0
        return result

    @property
    def right(self) -> np.ndarray:
        result: np.ndarray = (self.predicted == self.labels) & self.found
        return result


def collect(told: Iterable[Reading], labels: np.ndarray) -> Readings:
    """What a recogniser told of pictures, in arrays, beside what they show."""
    told = list(told)
    nothing = (0.0,) * 10
    probabilities = [r.digits[0].probabilities if r.digits else nothing for r in told]
    return Readings(
        labels=np.asarray(labels),
        probabilities=np.array(probabilities).reshape(-1, 10),
        accepted=np.array([r.verdict is Verdict.ACCEPTED for r in told], bool),
        refused=np.array([r.verdict is Verdict.REFUSED for r in told], bool),
    )


def together(parts: Iterable[Readings]) -> Readings:
    """The readings of several sets as those of one."""
    parts = list(parts)
    return Readings(
        labels=np.concatenate([part.labels for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        accepted=np.concatenate([part.accepted for part in parts]),
        refused=np.concatenate([part.refused for part in parts]),
    )


def report(readings: Readings) -> dict[str, Any]:
    """All metrics of one data set as plain JSON.

    Accuracy is over all digits: one that preprocessing refuses counts as wrong. Sets without
    digits get only the rates of refusal.
    """
    digits = readings.labels != NOT_A_DIGIT
    result: dict[str, Any] = {
        "count": len(readings.labels),
        "accepted_share": _share(readings.accepted),
        "refused_share": _share(readings.refused),
    }
    if not digits.any():
        return result
    right = readings.right
    matrix = confusion_matrix(readings.labels, readings.predicted, digits & readings.found)
    return {
        "accuracy": _share(right[digits]),
        "interval": list(wilson_interval(int(right[digits].sum()), int(digits.sum()))),
        **result,
        "accepted_error": _share(~right[readings.accepted]),
        "not_found": int((digits & ~readings.found).sum()),
        "expected_calibration_error": expected_calibration_error(
            readings.confidences[digits], right[digits]
        ),
        "per_class": per_class(matrix, readings.labels[digits]),
        "confusion": matrix.tolist(),
        "reliability": reliability(readings.confidences[digits], right[digits]),
        "mistakes": mistakes(readings),
    }


def mistakes(readings: Readings) -> list[dict[str, Any]]:
    """The wrong readings of digits, the most confident `MISTAKES` of them, surest first."""
    digits = readings.labels != NOT_A_DIGIT
    wrong = np.flatnonzero(digits & readings.found & ~readings.right)
    order = wrong[np.argsort(-readings.confidences[wrong], kind="stable")]
    return [
        {
            "index": int(index),
            "true": int(readings.labels[index]),
            "read": int(readings.predicted[index]),
            "confidence": round(float(readings.confidences[index]), 4),
        }
        for index in order[:MISTAKES]
    ]


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Counts, int (10, 10): rows are true digits, columns what was read."""
    matrix = np.zeros((10, 10), np.int64)
    np.add.at(matrix, (labels[which], predicted[which]), 1)
    return matrix


def per_class(matrix: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 for each digit, 0.0 where there is nothing to count."""
    support = np.bincount(labels, minlength=10)[:10]
    hits = np.diag(matrix)
    precision = hits / np.maximum(1, matrix.sum(axis=0))
    recall = hits / np.maximum(1, support)
    f1 = 2 * precision * recall / np.maximum(1e-12, precision + recall)
    return {
        str(digit): {
            "precision": round(float(precision[digit]), PER_CLASS_DIGITS),
            "recall": round(float(recall[digit]), PER_CLASS_DIGITS),
            "f1": round(float(f1[digit]), PER_CLASS_DIGITS),
            "support": int(support[digit]),
        }
        for digit in range(10)
    }


def expected_calibration_error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Mean distance between confidence and accuracy over `BINS` equal bins (Naeini et al. 2015)."""
    gaps = [
        abs(confidence - accuracy) * count
        for count, confidence, accuracy in _bins(confidences, right)
    ]
    return round(sum(gaps) / max(1, len(confidences)), 6)


def reliability(confidences: np.ndarray, right: np.ndarray) -> list[dict[str, float]]:
    """Each of the `BINS` bins that holds a reading: count, mean confidence, accuracy."""
    return [
        {"count": count, "confidence": round(confidence, 6), "accuracy": round(accuracy, 6)}
        for count, confidence, accuracy in _bins(confidences, right)
    ]


def _bins(confidences: np.ndarray, right: np.ndarray) -> Iterator[tuple[int, float, float]]:
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            mean, accuracy = float(confidences[inside].mean()), float(right[inside].mean())
            yield int(inside.sum()), mean, accuracy


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z = 1.96
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count**2)) ** 0.5
    return round(middle - half, 6), round(min(1.0, middle + half), 6)


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties counting half."""
    scores = np.concatenate([positive, negative])
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    above = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(above / (len(positive) * len(negative)))


def _share(which: np.ndarray) -> float:
    return round(float(which.mean()), 6) if which.size else 0.0
