from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from ml import cards
from ml.scripts import SCRIPTS
from recognition import recognizers
from recognition.management import endings
from recognition.models import Prediction, TrainedModel

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

ROOT = Path(__file__).resolve().parent.parent


class FullDisk(io.StringIO):
    """What a command writes to when there is no room."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class ClosedPipe(io.StringIO):
    """What a command writes to when its reader has gone."""

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One more each time that a command closes standard output, which stays open."""
    closed: list[bool] = []
    monkeypatch.setattr(endings, "close_standard_output", lambda: closed.append(True))
    return closed


class Upload(Protocol):
    def __call__(self, client: Client, data: bytes, name: str = "digit.png") -> Response: ...


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures and trained models of a test go to a folder of its own."""
    settings.PICTURE_ROOT = tmp_path / "pictures"
    settings.MODEL_ROOT = tmp_path / "models"
    pictures = {**settings.STORAGES["pictures"]}
    pictures["OPTIONS"] = {**pictures["OPTIONS"], "location": settings.PICTURE_ROOT}
    settings.STORAGES = {**settings.STORAGES, "pictures": pictures}
    field = Prediction._meta.get_field("picture")  # it has asked for its storage long ago
    monkeypatch.setattr(field, "storage", storages["pictures"])
    return tmp_path


@pytest.fixture(autouse=True)
def always_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the model that it activates at once."""
    monkeypatch.setattr(recognizers, "FRESH", 0.0)
    recognizers.forget()


@pytest.fixture
def digit_model(db: None) -> TrainedModel:
    """The newest shipped model for English, registered and active."""
    from django.conf import settings

    found = [cards.read(path.parent) for path in settings.PRETRAINED_ROOT.glob("*/card.json")]
    latin = [card for card in found if card.script == "latin"]
    assert latin, "No model for English is shipped in ml/pretrained."
    model = TrainedModel.register(max(latin, key=lambda card: card.created_at), shipped=True)
    model.activate(why="for a test")
    return model


@pytest.fixture
def make_model(db: None) -> Callable[..., TrainedModel]:
    """A registered model that has a card and no files."""

    def make(**overrides: Any) -> TrainedModel:
        script = overrides.pop("script", "latin")
        version = overrides.pop("version", f"{script}-test-{uuid.uuid4().hex[:8]}")
        card = cards.ModelCard(
            version=version,
            script=script,
            labels=SCRIPTS[script].numerals,
            rejects=False,
            architecture="r3",
            preprocessing=1,
            temperature=1.0,
            thresholds=cards.Thresholds(accept=0.9, refuse=0.3),
            config={},
            datasets=[],
            metrics={},
            command="",
            keras_version="3",
            python_version="3.11",
            training_seconds=1.0,
            created_at="2026-01-01T00:00:00+00:00",
        )
        fields: dict[str, Any] = {
            "version": version,
            "script": script,
            "shipped": False,
            "card": json.loads(json.dumps(card.to_json())),
            "sha256": hashlib.sha256(version.encode()).hexdigest(),
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        return TrainedModel.objects.create(**fields | overrides)

    return make


@pytest.fixture
def make_prediction(make_model: Callable[..., TrainedModel]) -> Callable[..., Prediction]:
    """A record with a picture, as if a model had read a 7; `picture=""` leaves the file out."""

    def make(**overrides: Any) -> Prediction:
        label = overrides.get("text") or "7"
        fields: dict[str, Any] = {
            "picture_width": 40,
            "picture_height": 60,
            "source": "upload",
            "script": "latin",
            "text": "7",
            "confidence": 0.98,
            "verdict": "accepted",
            "digits": [
                {
                    "label": label,
                    "probabilities": [0.98 if str(n) == label else 0.002 for n in range(10)],
                    "box": [5, 10, 30, 40],
                    "field": "",
                }
            ],
            "duration_ms": 2.5,
        } | overrides
        fields.setdefault("model", TrainedModel.objects.first() or make_model())
        picture = fields.pop("picture", None)
        prediction = Prediction(**fields)
        if picture is None:
            data = _png(Image.new("L", (40, 60), 240))
            prediction.picture_sha256 = hashlib.sha256(data).hexdigest()
            prediction.picture.save("picture.png", ContentFile(data), save=False)
        prediction.save()
        return prediction

    return make


@pytest.fixture
def drawn() -> Callable[..., bytes]:
    """A digit drawn with a pen, as the bytes of a PNG file; see `fixtures.drawing.draw`."""
    from fixtures import drawing

    def draw(digit: int = 7, **kwargs: Any) -> bytes:
        return _png(Image.fromarray(drawing.draw(digit, **kwargs)))

    return draw


@pytest.fixture
def upload() -> Upload:
    """Send the form of the first page."""

    def send(client: Client, data: bytes, name: str = "digit.png") -> Response:
        return client.post("/", {"picture": SimpleUploadedFile(name, data)})

    return send


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
