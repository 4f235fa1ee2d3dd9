"""Without a usable model the site stays up, says so in plain words, and logs why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django.fixtures import Settings

from recognition import recognizers
from recognition.models import Prediction, TrainedModel
from tests.conftest import Upload

pytestmark = pytest.mark.django_db
Drawn = Callable[..., bytes]


@pytest.fixture
def copied_model(digit_model: TrainedModel, settings: Settings, tmp_path: Path) -> TrainedModel:
    """The active model in a directory of this test, to be damaged."""
    root = tmp_path / "pretrained"
    shutil.copytree(digit_model.directory, root / digit_model.version)
    settings.PRETRAINED_ROOT = root
    return digit_model


def flip_a_bit(model: TrainedModel) -> None:
    path = model.directory / "model.tflite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose_the_file(model: TrainedModel) -> None:
    (model.directory / "model.tflite").unlink()


def lose_the_card(model: TrainedModel) -> None:
    (model.directory / "card.json").unlink()


def replace_it(model: TrainedModel) -> None:
    TrainedModel.objects.filter(pk=model.pk).update(sha256=64 * "0")


def deactivate(model: TrainedModel) -> None:
    TrainedModel.objects.update(active_for=None)


DAMAGES = [flip_a_bit, lose_the_file, lose_the_card, replace_it, deactivate]
Damage = Callable[[TrainedModel], None]


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_upload_is_answered_503_and_nothing_is_stored(
    damage: Damage,
    client: Client,
    upload: Upload,
    drawn: Drawn,
    copied_model: TrainedModel,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(copied_model)

    response = upload(client, drawn())

    assert response.status_code == 503
    assert "No picture can be read just now" in response.text
    assert "No usable model" in caplog.text
    assert not Prediction.objects.exists()
    assert not Path(settings.PICTURE_ROOT).exists()


@pytest.mark.parametrize("page", ["/", "/history/", "/model/", "/admin/login/"])
def test_other_pages_work_with_a_damaged_model(
    page: str, client: Client, copied_model: TrainedModel
) -> None:
    flip_a_bit(copied_model)

    assert client.get(page).status_code == 200


def test_a_repaired_model_works_without_a_restart(
    client: Client, upload: Upload, drawn: Drawn, copied_model: TrainedModel
) -> None:
    flip_a_bit(copied_model)
    assert upload(client, drawn()).status_code == 503
    flip_a_bit(copied_model)

    assert upload(client, drawn()).status_code == 302


def test_it_is_healthy_with_database_and_model(client: Client, digit_model: TrainedModel) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_not_healthy_without_a_usable_model(
    damage: Damage, client: Client, copied_model: TrainedModel
) -> None:
    damage(copied_model)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "no model"}


def test_it_is_not_healthy_without_a_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(script: str) -> None:
        raise DatabaseError("The server has gone away.")

    monkeypatch.setattr(recognizers, "active", fail)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "no database"}
