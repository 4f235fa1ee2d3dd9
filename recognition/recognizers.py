"""The one place on the request path that talks to `ml`: bytes in, an answer out."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path

from ml import cards, images
from ml.images import Kept
from ml.recognizer import Reading, Recognizer
from recognition.models import TrainedModel


class ModelUnavailable(Exception):
    """No model is active for a script, or its files cannot be used."""


@dataclass(frozen=True)
class Answer:
    """A reading with all that its record needs; `duration_ms` runs from bytes to reading."""

    reading: Reading
    kept: Kept
    model: TrainedModel
    duration_ms: float


def active(script: str) -> tuple[TrainedModel, Recognizer]:
    """The active model of a script, loaded once a process.

    Raises:
        ModelUnavailable: there is none, or its directory is damaged.
    """
    model = TrainedModel.objects.defer("card").active(script)
    if model is None:
        raise ModelUnavailable(
            f"No model is active for {script}. Run: python manage.py install_pretrained"
        )
    try:
        return model, _load(str(model.directory), model.sha256)
    except cards.CardError as error:
        raise ModelUnavailable(str(error)) from error


def verify(model: TrainedModel) -> None:
    """Look at a model's files anew and load them, as must be done before it is activated.

    Raises:
        ModelUnavailable: the directory is missing, damaged, or not what was registered.
    """
    try:
        _load.__wrapped__(str(model.directory), model.sha256)
    except cards.CardError as error:
        raise ModelUnavailable(str(error)) from error


def answer(data: bytes, script: str) -> Answer:
    """Read the bytes of an uploaded file.

    Raises:
        images.PictureError: the bytes are not a picture that can be read.
        ModelUnavailable: see `active`.
    """
    model, recognizer = active(script)
    start = time.perf_counter()
    picture = images.open_picture(data)
    reading = recognizer.read(picture.gray)
    duration_ms = (time.perf_counter() - start) * 1000
    return Answer(reading, images.keep(picture), model, duration_ms)


@functools.lru_cache(maxsize=8)
def _load(directory: str, sha256: str) -> Recognizer:
    recognizer = Recognizer.load(Path(directory))
    if recognizer.card.files[cards.SERVED_FILE].sha256 != sha256:
        raise cards.CardError(f"{directory} is not the model that was registered.")
    return recognizer
