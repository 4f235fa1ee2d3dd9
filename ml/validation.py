"""Validation pictures: what models are chosen and calibrated by, and never learn from."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from ml import variants
from ml.datasets import NOT_A_DIGIT, Dataset, DatasetError
from ml.recognizer import Recognizer
from ml.variants import Variants

VARIED = 4  # variants of each picture: several, so that no single one moves a threshold


@dataclass(frozen=True)
class Validation:
    """Fields of pictures as they are, and of variants of each: pictures alone are too easy to
    teach doubt.

    Attributes:
        fields: uint8 (n, 28, 28).
        labels: int (n,), 0 to 9 or `NOT_A_DIGIT`.
        varied: uint8 (m, 28, 28), `times` variants of each, then drawn non-digits if any.
        varied_labels: int (m,).
        times: variants of each picture.
    """

    fields: np.ndarray
    labels: np.ndarray
    varied: np.ndarray
    varied_labels: np.ndarray
    times: int

    @classmethod
    def of(
        cls,
        parts: Sequence[Dataset],
        workers: Executor,
        *,
        seed: int,
        non_digits: bool,
        times: int = VARIED,
    ) -> Validation:
        """Trace and vary pictures; those that the site would refuse are left out.

        Args:
            seed: of the variants.
            non_digits: whether pictures of no digit are there, drawn ones too.
            times: variants of each picture.

        Raises:
            DatasetError: no digit is left.
        """
        traced = variants.trace(parts, workers, non_digits=non_digits)
        if not (traced.labels != NOT_A_DIGIT).any():
            raise DatasetError(
                "No digit can be read in these pictures. Name a data set that holds digits too."
            )
        fields = variants.plain(traced, workers)
        several = traced.repeated(times)
        with Variants(several, workers, seed=seed, epochs=1, non_digits=non_digits) as fresh:
            return cls(fields, traced.labels, *fresh.take(0), times)

    def answers(self, recognizer: Recognizer) -> Answers:
        """What the file that a recogniser serves says of all of them."""
        plain, varied = (
            np.stack([recognizer.logits(field.astype(np.float32) / 255) for field in fields])
            for fields in (self.fields, self.varied)
        )
        return Answers(plain, self.labels, varied, self.varied_labels, self.times)


@dataclass(frozen=True)
class Answers:
    """What a model says of validation pictures.

    Attributes:
        plain, varied: float32 (n, classes) and (m, classes), logits.
        labels, varied_labels, times: as in `Validation`.
    """

    plain: np.ndarray
    labels: np.ndarray
    varied: np.ndarray
    varied_labels: np.ndarray
    times: int

    def weighted(self) -> tuple[np.ndarray, np.ndarray]:
        """All logits and labels, where a picture as it is counts as much as all its variants.

        Returns:
            float32 (k, classes) and int (k,).
        """
        logits = np.concatenate([*[self.plain] * self.times, self.varied])
        return logits, np.concatenate([*[self.labels] * self.times, self.varied_labels])
