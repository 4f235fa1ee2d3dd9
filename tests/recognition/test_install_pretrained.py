from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from recognition.models import ModelActivation, TrainedModel

pytestmark = pytest.mark.django_db


def install(*args: str, verbosity: int = 1) -> str:
    out = io.StringIO()
    call_command("install_pretrained", *args, stdout=out, verbosity=verbosity)
    return out.getvalue()


def test_a_fresh_site_gets_an_active_model() -> None:
    out = install()

    model = TrainedModel.objects.active("latin")
    assert model is not None
    assert model.shipped
    assert f"Activated {model.version}." in out


def test_a_second_run_changes_nothing() -> None:
    install()

    out = install()

    assert "Activated" not in out
    assert ModelActivation.objects.count() == 1


def test_a_model_of_ones_own_stays_active(make_model: Callable[..., TrainedModel]) -> None:
    own = make_model()
    own.activate(why="better")

    install()

    assert TrainedModel.objects.active("latin") == own


def test_activate_forces_the_shipped_model(make_model: Callable[..., TrainedModel]) -> None:
    make_model().activate(why="better")

    install("--activate")

    active = TrainedModel.objects.active("latin")
    assert active is not None
    assert active.shipped


def test_a_model_that_no_longer_ships_gives_way_to_the_newest_one(
    client: Client, make_model: Callable[..., TrainedModel]
) -> None:
    make_model(shipped=True).activate(why="install_pretrained")

    out = install()

    active = TrainedModel.objects.active("latin")
    assert active is not None
    assert f"Activated {active.version}." in out
    assert client.get("/healthz").status_code == 200


def test_nothing_is_said_at_verbosity_0() -> None:
    assert install(verbosity=0) == ""


def test_a_damaged_model_is_not_registered(tmp_path: Path, settings: Settings) -> None:
    shipped = next(path.parent for path in settings.PRETRAINED_ROOT.glob("*/card.json"))
    copy = tmp_path / "shipped" / shipped.name
    shutil.copytree(shipped, copy)
    (copy / "model.tflite").write_bytes(b"damaged")
    settings.PRETRAINED_ROOT = tmp_path / "shipped"

    with pytest.raises(CommandError, match="is damaged"):
        install()

    assert not TrainedModel.objects.exists()


def test_a_program_without_models_says_what_to_do(tmp_path: Path, settings: Settings) -> None:
    settings.PRETRAINED_ROOT = tmp_path

    with pytest.raises(CommandError, match="train_model"):
        install()
