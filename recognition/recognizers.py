"""The one place on the request path that talks to `ml`: bytes in, an answer out."""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import Error

from ml import cards, images, preprocessing, saliency, stages
from ml.images import Kept, Picture
from ml.pieces import Box
from ml.preprocessing import Field
from ml.recognizer import Reading, Recognizer
from ml.saliency import Saliency
from ml.scripts import SCRIPTS
from ml.stages import Stages
from recognition.models import TrainedModel

logger = logging.getLogger(__name__)

FRESH = 1.0  # seconds that a process goes without asking which model is active


class ModelUnavailable(Exception):
    """No model is active for a script, or its files cannot be used."""


class ModelOutdated(ModelUnavailable):
    """The model was trained on digits prepared in another way than today."""


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
        raise ModelUnavailable(no_model(script))
    try:
        return model, _load(str(model.directory), model.sha256)
    except cards.CardError as error:
        raise ModelUnavailable(str(error)) from error


def no_model(script: str) -> str:
    """What to say where no model is active for a script, with what helps."""
    said = f"No model is active for {SCRIPTS[script].name}."
    known = TrainedModel.objects.filter(script=script).order_by("-created_at", "-pk").first()
    if known is not None:
        return f"{said} Run: python manage.py activate_model {known.version}"
    if list(settings.PRETRAINED_ROOT.glob(f"{script}-*/card.json")):
        return f"{said} Run: python manage.py install_pretrained"
    return (
        f"{said} None comes with the program. Train one: python manage.py train_model "
        f"--script {script} --dataset FOLDER"
    )


def current(script: str) -> tuple[TrainedModel, Recognizer]:
    """As `active`, asked of the database at most once in `FRESH` seconds.

    Raises:
        ModelUnavailable: see `active`.
    """
    found = _current.get(script)
    now = time.monotonic()
    if found is None or now - found[0] >= FRESH:
        found = _current[script] = (now, active(script))
    return found[1]


def warm(script: str) -> None:
    """Read a picture, for which model and decoders are loaded.

    A site that has no model, or no database, has to start all the same.
    """
    page = np.full((240, 240), 255, np.uint8)
    page[60:180, 110:130] = 0  # a stroke, as of a 1
    try:
        glance(images.to_png(page), script)
    except (ModelUnavailable, Error) as error:
        logger.warning("Nothing can be read yet: %s", error)


def forget() -> None:
    """Let `current` ask the database again."""
    _current.clear()


def verify(model: TrainedModel) -> None:
    """Look at a model's files anew and load them, as must be done before it is activated.

    Raises:
        ModelUnavailable: the directory is missing, damaged, or not what was registered.
    """
    try:
        _load.__wrapped__(str(model.directory), model.sha256)
    except cards.CardError as error:
        raise ModelUnavailable(str(error)) from error


def compare(model: TrainedModel) -> None:
    """Look at a model's files anew without loading them.

    Raises:
        ModelUnavailable: the directory is missing, damaged, or not what was registered.
    """
    try:
        _check_registered(cards.verify(model.directory), model.sha256)
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
    model, recognizer = current(script)
    start = time.perf_counter()
    picture = images.open_picture(data)
    reading = recognizer.read(picture.gray)
    return picture, Glance(reading, model, (time.perf_counter() - start) * 1000)


def show_stages(data: bytes, box: Box | None = None) -> Stages:
    """What a reading makes of the bytes of a kept picture, step by step.

    Args:
        box: where the digit stands that was read, px.

    Raises:
        images.PictureError: the bytes are not a picture that can be read.
    """
    return stages.show(images.open_picture(data).gray, box)


def read_field(model: TrainedModel, field: np.ndarray, box: Box) -> Reading:
    """Let a model, active or not, read a digit that was centred for another one.

    Args:
        field: uint8 (28, 28), 0 paper to 255 ink, as a record keeps it.
        box: where it stands in its picture.

    Raises:
        ModelUnavailable: its directory is damaged, or it needs another kind of field.
    """
    return _ready(model).read_field(Field(_to_shares(field), box))


def explain(model: TrainedModel, field: np.ndarray, answer: int) -> tuple[Saliency, np.ndarray]:
    """What a model's answer leans on, and that as a picture: uint8 (h, w, 3), RGB.

    Args:
        field: uint8 (28, 28), 0 paper to 255 ink, as a record keeps it.
        answer: which of the model's labels it gave.

    Raises:
        ModelUnavailable: see `read_field`.
    """
    shares = _to_shares(field)
    found = saliency.occlude(shares, answer, _ready(model).probabilities)
    return found, saliency.overlay(shares, found)


def legend() -> np.ndarray:
    """The colours of `explain`, from cold to warm: uint8 (h, w, 3), RGB."""
    return saliency.legend()


def is_outdated(model: TrainedModel) -> bool:
    return bool(model.card.get("preprocessing") != preprocessing.VERSION)


def _to_shares(field: np.ndarray) -> np.ndarray:
    """From grey levels to what networks take: float32, 0.0 paper to 1.0 ink."""
    return field.astype(np.float32) / 255


def _ready(model: TrainedModel) -> Recognizer:
    """A model of any kind. Only active ones stay loaded; the others take milliseconds."""
    if is_outdated(model):
        raise ModelOutdated(f"{model} was trained with other preprocessing.")
    load = _load if model.is_active else _load.__wrapped__
    try:
        return load(str(model.directory), model.sha256)
    except cards.CardError as error:
        raise ModelUnavailable(str(error)) from error


_current: dict[str, tuple[float, tuple[TrainedModel, Recognizer]]] = {}


@functools.lru_cache(maxsize=8)
def _load(directory: str, sha256: str) -> Recognizer:
    recognizer = Recognizer.load(Path(directory))
    _check_registered(recognizer.card, sha256)
    return recognizer


def _check_registered(card: cards.ModelCard, sha256: str) -> None:
    if card.files[cards.SERVED_FILE].sha256 != sha256:
        raise cards.CardError(f"The files of {card.version} are not those that were registered.")
