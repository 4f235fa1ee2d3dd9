"""How models compare on validation pictures, by which one may be chosen; by test pictures never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ml import calibration
from ml.datasets import NOT_A_DIGIT
from ml.recognizer import Recognizer
from ml.validation import Validation

WRONG_SHARES = (0.0005, 0.001, calibration.WRONG_AMONG_ACCEPTED, 0.003)


@dataclass(frozen=True)
class Score:
    """What one model reads.

    Attributes:
        wrong: by data set, the digits read wrong as they are, and varied.
        accepted: by the share of wrong ones among the accepted, the share of digits that can be
            accepted, of all data sets and of variants as much as of pictures as they are.
    """

    wrong: dict[str, tuple[int, int]]
    accepted: dict[float, float]


def score(recognizer: Recognizer, sets: Mapping[str, Validation]) -> Score:
    """Read the validation pictures of some data sets with a model."""
    answers = {name: pictures.answers(recognizer) for name, pictures in sets.items()}
    wrong = {
        name: (_wrong(said.plain, said.labels), _wrong(said.varied, said.varied_labels))
        for name, said in answers.items()
    }
    weighed = [said.weighed() for said in answers.values()]
    logits, labels = (np.concatenate(parts) for parts in zip(*weighed, strict=True))
    probabilities = calibration.probabilities(logits, calibration.fit_temperature(logits, labels))
    confidences = probabilities[:, :10].max(axis=1)
    right = probabilities[:, :10].argmax(axis=1) == labels
    digits = labels != NOT_A_DIGIT
    accepted = {
        share: float(
            (confidences >= calibration.accept_from(confidences, right, share))[digits].mean()
        )
        for share in WRONG_SHARES
    }
    return Score(wrong, accepted)


def _wrong(logits: np.ndarray, labels: np.ndarray) -> int:
    digits = labels != NOT_A_DIGIT
    return int((logits[digits, :10].argmax(axis=1) != labels[digits]).sum())
