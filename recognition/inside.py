"""What the page for learners shows of one prediction: the way from its picture to its answer."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml import images
from ml.pieces import Box
from ml.stages import Stages, Step
from recognition import recognizers, wording
from recognition.models import Prediction, TrainedModel

logger = logging.getLogger(__name__)

MOST_OTHERS = 10  # models; each takes some milliseconds

STEPS = {
    Step.GREY: (
        "Shades of grey",
        "Light and dark count, and a colour only where nothing else shows the ink. White chalk on "
        "a dark board is turned into dark on light. Of a note on a desk, only the note is kept. "
        "Squares of an enlarged picture become points again.",
        "The picture in shades of grey",
    ),
    Step.INK: (
        "The ink",
        "The paper is taken away, with its shadows. What is darker than its surroundings is ink.",
        "The ink without its paper",
    ),
    Step.DIGIT: (
        "The digit",
        "Strokes that belong together make the digit. Lines, boxes, a circle or brackets around "
        "it, specks and other writing are left out.",
        "The strokes of the digit in a frame",
    ),
    Step.REDRAWN: (
        "The usual pen",
        "The strokes are drawn again with a pen of the usual width, so that pencil and felt pen "
        "look alike. If only their outline was drawn, it is filled.",
        "The digit with strokes of the usual width",
    ),
    Step.FIELD: (
        "What the network gets",
        "The digit is centred on 28 by 28 points, light on dark. The network sees nothing else.",
        "The digit on 28 by 28 points, light on dark",
    ),
}

PLACES = (
    ("the upper left", "the top", "the upper right"),
    ("the left side", "the middle", "the right side"),
    ("the lower left", "the bottom", "the lower right"),
)

DAMAGED = "Its files are damaged or missing, so it cannot read."
OUTDATED = "It learned from pictures prepared in another way, so it cannot read this one."


@dataclass(frozen=True)
class Stage:
    """One step as it is shown; `source` is a data address, which a page may hold."""

    step: Step
    title: str
    sentence: str
    description: str
    source: str
    width: int
    height: int


@dataclass(frozen=True)
class Steps:
    """The steps as far as they went; `what` and `what_to_do` say why no further, or are empty."""

    stages: list[Stage]
    what: str
    what_to_do: str


@dataclass(frozen=True)
class Covered:
    """What the network would say with the spot covered that matters most.

    `label` is empty when it would see no digit; `share` is how likely it would find that.
    """

    place: str
    label: str
    share: float


@dataclass(frozen=True)
class Leaning:
    """The picture of what an answer leans on, or the `problem` why there is none."""

    source: str = ""
    legend: str = ""
    covered: Covered | None = None
    problem: str = ""


@dataclass(frozen=True)
class Opinion:
    """What another model says of the same digit, or the `problem` why it says nothing."""

    version: str
    text: str = ""
    confidence: float = 0.0
    verdict: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Inside:
    """All of the page. `steps` is None without a picture, `leaning` without a field."""

    steps: Steps | None
    is_prepared_anew: bool  # otherwise than when it was read
    leaning: Leaning | None = None
    others: Sequence[Opinion] = ()
    has_more_others: bool = False


def gather(prediction: Prediction) -> Inside:
    """Take the way from picture to answer again, as far as the record still has what it takes."""
    steps, model = _steps(prediction), prediction.model
    is_prepared_anew = recognizers.is_outdated(model)
    digit = prediction.digits[0] if prediction.digits else {}
    if not digit.get("field"):
        return Inside(steps, is_prepared_anew)

    field = images.open_picture(base64.b64decode(digit["field"])).gray
    others = list(TrainedModel.objects.beside(model)[: MOST_OTHERS + 1])
    return Inside(
        steps,
        is_prepared_anew,
        leaning=_lean(model, digit, field),
        others=[_ask(other, field, digit["box"]) for other in others[:MOST_OTHERS]],
        has_more_others=len(others) > MOST_OTHERS,
    )


def _steps(prediction: Prediction) -> Steps | None:
    if not prediction.picture:
        return None
    box = tuple(prediction.digits[0]["box"]) if prediction.digits else None
    try:
        with prediction.picture.open() as file:
            found = recognizers.show_stages(file.read(), box)
    except (OSError, images.PictureError):
        public_id = prediction.public_id
        logger.exception("The picture of prediction %s is missing or damaged", public_id)
        return None
    what, what_to_do = wording.explain(found.reason) if found.reason else ("", "")
    return Steps(_stages(found), what, what_to_do)


def _stages(found: Stages) -> list[Stage]:
    return [
        Stage(step, *STEPS[step], _address(picture), picture.shape[1], picture.shape[0])
        for step, picture in found.pictures.items()
    ]


def _lean(model: TrainedModel, digit: dict[str, Any], field: np.ndarray) -> Leaning:
    answer = int(np.argmax(digit["probabilities"]))
    try:
        found, picture = recognizers.explain(model, field, answer)
    except recognizers.ModelUnavailable as error:
        return Leaning(problem=_problem(model, error))
    covered = None
    if found.spot is not None:
        labels = [*model.card["labels"], ""]  # behind the last digit: none
        likeliest = int(found.spot.probabilities.argmax())
        share = float(found.spot.probabilities[likeliest])
        covered = Covered(_place(found.spot.middle, field), labels[likeliest], share)
    return Leaning(_address(picture), _address(recognizers.legend()), covered)


def _place(point: tuple[int, int], field: np.ndarray) -> str:
    """Where on the digit a point of the field lies, in words."""
    rows, columns = np.nonzero(field)
    row = _third(point[1], rows)
    return PLACES[row][_third(point[0], columns)]


def _third(value: int, where: np.ndarray) -> int:
    first, last = int(where.min()), int(where.max())
    return min(2, max(0, 3 * (value - first) // (last - first + 1)))


def _ask(model: TrainedModel, field: np.ndarray, box: Box) -> Opinion:
    try:
        reading = recognizers.read_field(model, field, box)
    except recognizers.ModelUnavailable as error:
        return Opinion(model.version, problem=_problem(model, error))
    return Opinion(model.version, reading.text, reading.confidence, reading.verdict.value)


def _problem(model: TrainedModel, error: recognizers.ModelUnavailable) -> str:
    if isinstance(error, recognizers.ModelOutdated):
        return OUTDATED
    logger.warning("The model %s cannot be used: %s", model.version, error)
    return DAMAGED


def _address(picture: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(images.to_png(picture)).decode('ascii')}"
