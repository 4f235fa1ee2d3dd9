"""The one place on the request path that talks to `ml`: bytes in, an answer out."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path

from ml import cards, images
from ml.images import Kept, Picture
from ml.recognizer import Reading, Recognizer
from recognition.models import TrainedModel


class ModelUnavailable(Exception):
    """No model is active for a script, or its files cannot be used."""


@dataclass(frozen=True)
class Glance:
    """A reading that nobody keeps; `duration_ms` runs from bytes to reading."""

    reading: Reading
    model: TrainedModel
    duration_ms: float


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
    picture, seen = _read(data, script)
    return Answer(seen.reading, images.keep(picture), seen.model, seen.duration_ms)


def glance(data: bytes, script: str) -> Glance:
    """Read the bytes of a picture that is not going to be kept; raises as `answer` does."""
    return _read(data, script)[1]


def _read(data: bytes, script: str) -> tuple[Picture, Glance]:
    model, recognizer = active(script)
    start = time.perf_counter()
    picture = images.open_picture(data)
    reading = recognizer.read(picture.gray)
    return picture, Glance(reading, model, (time.perf_counter() - start) * 1000)


@functools.lru_cache(maxsize=8)
def _load(directory: str, sha256: str) -> Recognizer:
    recognizer = Recognizer.load(Path(directory))
    if recognizer.card.files[cards.SERVED_FILE].sha256 != sha256:
        raise cards.CardError(f"{directory} is not the model that was registered.")
    return recognizer
