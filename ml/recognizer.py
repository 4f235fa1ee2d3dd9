"""Serving: one picture in, one reading out, without Keras or TensorFlow."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ml import calibration, cards, images, preprocessing
from ml.pieces import Box
from ml.refusals import Reason, Refused

# OpenCV's threads cost more than they bring on pictures this small, and take the cores that
# other requests are on.
cv2.setNumThreads(1)

LIKELY = 0.5  # confidence from which what was found first is rather a digit than none
CONTRADICTED = 0.5  # how likely another digit must be, with a bar that a line may hide, for doubt


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    UNSURE = "unsure"
    REFUSED = "refused"


@dataclass(frozen=True)
class Digit:
    """One digit of a reading.

    Attributes:
        label: the most probable numeral.
        probabilities: ten numbers in the order of the card's labels, sum at most 1.0;
            what is missing from 1.0 is the probability that this is no digit.
        box: where the digit stands, px of the picture that was read.
        field: uint8 (28, 28), 0 paper to 255 ink: what the network saw.
    """

    label: str
    probabilities: tuple[float, ...]
    box: Box
    field: np.ndarray

    @property
    def rounded(self) -> list[float]:
        """The probabilities as answers and records give them."""
        return [round(probability, 6) for probability in self.probabilities]

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON, the field as a PNG in base64."""
        return {
            "label": self.label,
            "probabilities": self.rounded,
            "box": list(self.box),
            "field": base64.b64encode(images.to_png(self.field)).decode("ascii"),
        }


@dataclass(frozen=True)
class Reading:
    """What the recogniser says of one picture.

    `text` is empty when the verdict is refused; `confidence` is 0.0 to 1.0; `reason` says why
    the verdict is not accepted. `digits` is empty when no digit was found to look at.
    """

    text: str
    confidence: float
    verdict: Verdict
    reason: Reason | None
    digits: tuple[Digit, ...]


class Recognizer:
    """A loaded model. Safe to share between threads: an interpreter serves one run at a time."""

    def __init__(self, card: cards.ModelCard, model: bytes) -> None:
        self.card = card
        self._model = model
        # As many as ever ran at once. The last one comes first: its memory is warm.
        self._idle = [self._interpreter()]

    @classmethod
    def load(cls, directory: Path) -> Recognizer:
        """Verify a model directory against its card and load what it serves.

        Raises:
            cards.CardError: the directory is incomplete, damaged, or made for other preprocessing.
        """
        card = cards.verify(directory)
        if card.preprocessing != preprocessing.VERSION:
            raise cards.CardError(
                f"{directory} was trained with preprocessing {card.preprocessing}; "
                f"this program has {preprocessing.VERSION}. Train the model again."
            )
        try:
            return cls(card, (directory / cards.SERVED_FILE).read_bytes())
        except (ValueError, RuntimeError, OSError) as error:
            raise cards.CardError(f"{directory} cannot be loaded: {error}") from error

    def read(self, picture: np.ndarray) -> Reading:
        """Read the one digit in a picture.

        Args:
            picture: uint8 array (height, width), 0 black to 255 white, upright.
        """
        first: Box | None = None
        steps = preprocessing.Steps()
        try:
            field = preprocessing.to_field(picture, steps)
            reading = self.read_field(field)
            if field.is_cut_off or reading.confidence > LIKELY:
                first = field.box
        except Refused as refusal:
            reading = Reading("", 0.0, Verdict.REFUSED, refusal.reason, ())
        if self._is_sure(reading):
            return reading
        return self._read_another(preprocessing.other_fields(picture, steps), first) or reading

    def read_field(self, field: preprocessing.Field) -> Reading:
        """Read a digit that `preprocessing.to_field` has centred already."""
        return self._judge(field, self.probabilities(field.pixels))

    def _read_another(
        self, others: Iterable[list[preprocessing.Field]], first: Box | None
    ) -> Reading | None:
        """Read the only thing in a picture that is surely like a digit, beside others; or None.

        Args:
            others: as `preprocessing.other_fields` finds them.
            first: where something is that may be a digit as well, so that another one is never
                accepted; what is within is a part of it.
        """
        likely: list[Reading] = []
        for fields in others:
            beside = (field for field in fields if not (first and _is_within(field.box, first)))
            likely += [r for r in map(self.read_field, beside) if r.confidence > LIKELY]
            sure = next((reading for reading in likely if self._is_sure(reading)), None)
            if sure:
                if not all(_is_of(other, sure) for other in likely):
                    return None
                return _doubted(sure) if first else sure
        return None

    def _is_sure(self, reading: Reading) -> bool:
        """Whether it is surely like a digit and, as far as can be seen, a whole one."""
        is_whole = reading.reason != Reason.CUT_OFF
        return is_whole and reading.confidence >= self.card.thresholds.accept

    def logits(self, field: np.ndarray) -> np.ndarray:
        """Run the network on one field.

        Args:
            field: float32 (28, 28), 0.0 paper to 1.0 ink.

        Returns:
            float32 (10,), or (11,) when the card says `rejects`.
        """
        try:
            interpreter, source, target = self._idle.pop()
        except IndexError:
            interpreter, source, target = self._interpreter()
        interpreter.set_tensor(source, field[None, :, :, None])
        interpreter.invoke()
        result: np.ndarray = interpreter.get_tensor(target)[0]
        self._idle.append((interpreter, source, target))
        return result

    def probabilities(self, field: np.ndarray) -> np.ndarray:
        """How likely each numeral is, in the order of the card's labels.

        Args:
            field: float32 (28, 28), 0.0 paper to 1.0 ink.

        Returns:
            float64 (10,), or (11,) when the card says `rejects`: the last is "no digit".
        """
        return calibration.probabilities(self.logits(field), self.card.temperature)

    def _judge(self, field: preprocessing.Field, probabilities: np.ndarray) -> Reading:
        probabilities = probabilities[:10]
        best = int(probabilities.argmax())
        label, confidence = self.card.labels[best], float(probabilities[best])
        digit = Digit(
            label=label,
            probabilities=tuple(float(p) for p in probabilities),
            box=field.box,
            field=np.rint(field.pixels * 255).astype(np.uint8),
        )
        thresholds = self.card.thresholds
        if confidence < thresholds.refuse:
            return Reading("", confidence, Verdict.REFUSED, Reason.NOT_A_DIGIT, (digit,))
        if field.is_doubtful or any(self._contradicts(pixels, best) for pixels in field.completed):
            return Reading(label, confidence, Verdict.UNSURE, Reason.DOUBTFUL, (digit,))
        if confidence < thresholds.accept:
            return Reading(label, confidence, Verdict.UNSURE, Reason.UNSURE, (digit,))
        if field.is_cut_off:
            return Reading(label, confidence, Verdict.UNSURE, Reason.CUT_OFF, (digit,))
        return Reading(label, confidence, Verdict.ACCEPTED, None, (digit,))

    def _contradicts(self, field: np.ndarray, digit: int) -> bool:
        """Whether a field is more likely another digit than not."""
        probabilities = self.probabilities(field)[:10]
        best = int(probabilities.argmax())
        return best != digit and bool(probabilities[best] > CONTRADICTED)

    def _interpreter(self) -> tuple[Interpreter, int, int]:
        interpreter = Interpreter(model_content=self._model, num_threads=1)
        interpreter.allocate_tensors()
        source = interpreter.get_input_details()[0]
        target = interpreter.get_output_details()[0]
        outputs = 11 if self.card.rejects else 10
        if tuple(source["shape"]) != (1, 28, 28, 1) or target["shape"][-1] != outputs:
            raise ValueError("the network does not have the shape that its card says")
        return interpreter, source["index"], target["index"]


def _doubted(reading: Reading) -> Reading:
    """The same, for a person to look at."""
    return replace(reading, verdict=Verdict.UNSURE, reason=Reason.DOUBTFUL)


def _is_of(part: Reading, whole: Reading) -> bool:
    """Whether one reading says the same as another, of the same strokes or some of them."""
    return part.text == whole.text and _is_within(part.digits[0].box, whole.digits[0].box)


def _is_within(inner: Box, outer: Box) -> bool:
    """Whether the middle of one box lies in the other."""
    x, y = inner[0] + inner[2] / 2, inner[1] + inner[3] / 2
    return outer[0] <= x <= outer[0] + outer[2] and outer[1] <= y <= outer[1] + outer[3]
