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
class Wrong:
    """How many digits are read wrong, as they are and varied."""

    plain: int
    varied: int


@dataclass(frozen=True)
class Score:
    """What one model reads of the same validation pictures as others.

    Attributes:
        wrong: by data set.
        accepted: of all data sets, by the share of wrong ones among the accepted: the share of
            digits that may be accepted, 0.0 to 1.0. Variants weigh as much as pictures as they are.
    """

    wrong: dict[str, Wrong]
    accepted: dict[float, float]


def score(recognizer: Recognizer, sets: Mapping[str, Validation]) -> Score:
    """Read the validation pictures of some data sets with a model.

    Args:
        sets: by the name of the data set; at least one.
    """
    answers = {name: pictures.answers(recognizer) for name, pictures in sets.items()}
    wrong = {
        name: Wrong(_wrong(said.plain, said.labels), _wrong(said.varied, said.varied_labels))
        for name, said in answers.items()
    }
    weighted = [said.weighted() for said in answers.values()]
    logits, labels = (np.concatenate(parts) for parts in zip(*weighted, strict=True))
    probabilities = calibration.probabilities(logits, _temperature(logits, labels))[:, :10]
    confidences = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    digits = labels != NOT_A_DIGIT
    accepted = {
        share: float(
            (confidences >= calibration.accept_from(confidences, right, share))[digits].mean()
        )
        for share in WRONG_SHARES
    }
    return Score(wrong, accepted)


def _temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """As a training fits it: a network without an output for "no digit" knows digits only."""
    known = labels < logits.shape[1]
    return calibration.fit_temperature(logits[known], labels[known])


def _wrong(logits: np.ndarray, labels: np.ndarray) -> int:
    digits = labels != NOT_A_DIGIT
    return int((logits[digits, :10].argmax(axis=1) != labels[digits]).sum())
