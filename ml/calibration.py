"""Probabilities from logits, and the temperature and thresholds that make them honest."""

from __future__ import annotations

import numpy as np


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
