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
        fields, varied: uint8 (n, 28, 28); drawn non-digits are among the varied.
        labels, varied_labels: int (n,), 0 to 9 or `NOT_A_DIGIT`.
    """

    fields: np.ndarray
    labels: np.ndarray
    varied: np.ndarray
    varied_labels: np.ndarray

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
            return cls(fields, traced.labels, *fresh.take(0))

    def answers(self, recognizer: Recognizer) -> Answers:
        """What the served file says of all of them."""
        plain, varied = (
            np.stack([recognizer.logits(field.astype(np.float32) / 255) for field in fields])
            for fields in (self.fields, self.varied)
        )
        return Answers(plain, self.labels, varied, self.varied_labels)


@dataclass(frozen=True)
class Answers:
    """Logits (n, classes) of the pictures as they are and varied, with their labels (n,)."""

    plain: np.ndarray
    labels: np.ndarray
    varied: np.ndarray
    varied_labels: np.ndarray

    def weighed(self) -> tuple[np.ndarray, np.ndarray]:
        """All logits and labels, where a picture as it is counts as much as all its variants."""
        times = len(self.varied) // len(self.plain)
        logits = np.concatenate([*[self.plain] * times, self.varied])
        return logits, np.concatenate([*[self.labels] * times, self.varied_labels])
