"""Probabilities from logits, and the temperature and thresholds that make them honest."""

from __future__ import annotations

import numpy as np

from ml.cards import Thresholds

WRONG_AMONG_ACCEPTED = 0.0015  # half of what is promised: validation flatters a little
DIGITS_REFUSED = 0.001  # share of real digits that may be refused as no digit


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax over the last axis of logits divided by the temperature.

    Args:
        logits: float array (..., classes).
        temperature: above 0; 1.0 leaves the logits as they are.
    """
    scaled = np.asarray(logits, np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    result: np.ndarray = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature under which the labels are most probable (Guo et al. 2017).

    Args:
        logits: float (n, classes), of validation pictures, from the exported file.
        labels: int (n,).
    """

    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        chosen = probabilities(logits, float(np.exp(log_temperature)))[rows, labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    low, high = np.log(0.2), np.log(10.0)
    for _ in range(60):  # the loss has one valley; each step leaves two thirds of the range
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def accept_from(confidences: np.ndarray, right: np.ndarray, wrong_share: float) -> float:
    """The smallest confidence from which on no more than `wrong_share` of the readings are wrong.

    Args:
        confidences: float (n,), 0.0 to 1.0.
        right: bool (n,).
        wrong_share: 0.0 to 1.0.

    Returns:
        The confidence, or infinity when even the surest readings are wrong more often.
    """
    order = np.argsort(-confidences)
    falling = confidences[order]
    shares = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    last = np.append(falling[1:] < falling[:-1], True)  # of those that are equally confident
    fine = np.flatnonzero((shares <= wrong_share) & last)
    return float(falling[fine[-1]]) if fine.size else np.inf


def choose_thresholds(confidences: np.ndarray, right: np.ndarray, digits: np.ndarray) -> Thresholds:
    """Where to accept and where to refuse, on validation readings.

    Args:
        confidences: float (n,), the probability of the best digit.
        right: bool (n,), whether it is the true one; False for what is no digit.
        digits: bool (n,), whether the picture shows a digit at all.
    """
    accept = accept_from(confidences, right, WRONG_AMONG_ACCEPTED)
    refuse = float(np.quantile(confidences[digits], DIGITS_REFUSED)) if digits.any() else 0.0
    # Rounded up: a lower one than was found would accept what is wrong more often.
    accept = float(np.ceil(np.clip(accept, 0.5, 1.0) * 10_000) / 10_000)
    return Thresholds(accept=accept, refuse=round(min(refuse, accept), 4))
