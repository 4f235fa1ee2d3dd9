"""`manage.py check` says what is wrong with the model and the folders, and what to do."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from django.core.checks import ERROR, WARNING
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from ml.cards import CardError
from ml.recognizer import Recognizer
from recognition import checks
from recognition.models import TrainedModel


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])


def copy_of(model: TrainedModel, root: Path, settings: Settings) -> Path:
    shutil.copytree(model.directory, root / model.version)
    settings.PRETRAINED_ROOT = root
    return root / model.version


def test_a_sound_model_is_no_problem(digit_model: TrainedModel) -> None:
    assert checks.check_active_models() == []


def test_no_active_model_is_a_warning_that_says_what_to_run(db: None) -> None:
    [message] = checks.check_active_models()

    assert message.id == "recognition.W001"
    assert "install_pretrained" in str(message.hint)


def test_a_damaged_model_is_an_error(
    digit_model: TrainedModel, tmp_path: Path, settings: Settings, asked: None
) -> None:
    copy = copy_of(digit_model, tmp_path, settings)
    (copy / "model.tflite").write_bytes(b"damaged")

    [message] = checks.check_active_models()

    assert (message.id, message.level) == ("recognition.E001", ERROR)
    assert digit_model.version in message.msg
    assert "damaged" in message.msg
    assert "activate_model" in str(message.hint)


def test_a_missing_model_is_an_error(
    digit_model: TrainedModel, tmp_path: Path, settings: Settings, asked: None
) -> None:
    settings.PRETRAINED_ROOT = tmp_path

    [message] = checks.check_active_models()

    assert (message.id, message.level) == ("recognition.E001", ERROR)


@pytest.mark.parametrize("command", ["migrate", "runserver", "activate_model"])
def test_a_damaged_model_keeps_no_other_command_from_running(
    command: str,
    digit_model: TrainedModel,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PRETRAINED_ROOT = tmp_path
    monkeypatch.setattr(sys, "argv", ["manage.py", command])

    assert [message.level for message in checks.check_active_models()] == [WARNING]


@pytest.mark.parametrize("command", ["check", "runserver"])
def test_models_are_loaded_where_it_matters_and_say_nothing(
    command: str,
    digit_model: TrainedModel,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    loaded: list[Path] = []

    def load(directory: Path) -> Recognizer:
        loaded.append(directory)
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.")
        raise CardError("It has no network.")

    monkeypatch.setattr(Recognizer, "load", load)
    monkeypatch.setattr(sys, "argv", ["manage.py", command])

    [message] = checks.check_active_models()

    assert loaded == [digit_model.directory]
    assert "It has no network." in message.msg
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("command", ["clearsessions", "prune_predictions", "migrate"])
def test_other_commands_load_no_model(
    command: str, digit_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Recognizer, "load")
    monkeypatch.setattr(sys, "argv", ["manage.py", command])

    assert checks.check_active_models() == []


def test_files_of_another_model_are_noticed_without_loading_them(
    digit_model: TrainedModel,
) -> None:
    TrainedModel.objects.update(sha256=64 * "0")

    [message] = checks.check_active_models()

    assert "not those that were registered" in message.msg


def test_a_database_without_tables_is_not_the_business_of_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: QuerySet[TrainedModel]) -> None:
        raise DatabaseError("no such table")

    monkeypatch.setattr(QuerySet, "__iter__", fail)

    assert checks.check_active_models() == []


def test_folders_that_can_be_made_are_no_problem(media: Path) -> None:
    assert checks.check_folders() == []


@pytest.mark.parametrize(("name", "code"), [("PICTURE_ROOT", "E002"), ("MODEL_ROOT", "E003")])
def test_a_file_in_place_of_a_folder_is_an_error(
    name: str, code: str, settings: Settings, tmp_path: Path, asked: None
) -> None:
    file = tmp_path / "file"
    file.touch()
    setattr(settings, name, file / "folder")

    [message] = checks.check_folders()

    assert (message.id, message.level) == (f"recognition.{code}", ERROR)
    assert str(file / "folder") in message.msg
    assert name in str(message.hint)


def test_a_folder_of_somebody_else_is_an_error(
    media: Path, asked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert [message.level for message in checks.check_folders()] == 3 * [ERROR]


def test_models_need_only_be_read(
    media: Path, settings: Settings, asked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(settings.MODEL_ROOT).mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)

    assert [message.id for message in checks.check_folders()] == [
        "recognition.E002",
        "recognition.E004",
    ]


def test_the_database_of_the_tests_keeps_scripts_apart(db: None) -> None:
    assert checks.check_collations(databases=["default"]) == []


@pytest.mark.skipif(connection.vendor != "mysql", reason="collations are of MySQL and MariaDB")
@pytest.mark.parametrize(
    ("collation", "apart"),
    [
        ("utf8mb4_general_ci", True),
        ("utf8mb4_bin", True),
        ("utf8mb4_unicode_ci", False),
        ("latin1_swedish_ci", False),
    ],
)
def test_a_collation_that_mixes_scripts_is_a_warning(
    collation: str, apart: bool, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_collation", lambda alias: collation)

    messages = checks.check_collations(databases=["default"])

    assert [message.id for message in messages] == ([] if apart else ["recognition.W002"])
    assert all(collation in message.msg for message in messages)
