"""Training for real, on a few hundred drawn digits, through the command."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from PIL import Image
from pytest_django.fixtures import Settings

from fixtures import drawing
from ml import cards, datasets, reports, training
from ml.calibration import probabilities
from ml.datasets import Dataset
from ml.preprocessing import to_field
from ml.recognizer import Recognizer
from ml.runs import Run, TrainConfig
from ml.variants import Variants
from recognition.models import TrainedModel

pytestmark = [
    pytest.mark.training,
    pytest.mark.django_db,
    # TensorFlow's own imports and Keras' export warn; neither is ours to mend.
    pytest.mark.filterwarnings("ignore"),
]
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def drawn_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder 0/ ... 9/ with 60 drawn pictures each."""
    root = tmp_path_factory.mktemp("drawn")
    for digit in range(10):
        folder = root / str(digit)
        folder.mkdir()
        for seed in range(60):
            picture = drawing.draw(digit, seed=seed, size=(64, 64), width=4)
            Image.fromarray(picture).save(folder / f"{seed:03}.png")
    return root


def train(folder: Path, **options: Any) -> str:
    output = io.StringIO()
    defaults: dict[str, Any] = {
        "dataset": [str(folder)],
        "data_dir": None,
        "architecture": "r0",
        "augment": False,
        "epochs": 6,
        "batch_size": 32,
        "learning_rate": 0.002,
    }
    call_command("train_model", stdout=output, **defaults | options)
    return output.getvalue()


def test_a_training_ends_in_a_registered_model_that_reads(drawn_digits: Path) -> None:
    output = train(drawn_digits, name="drawn-1", activate=True)

    model = TrainedModel.objects.get(version="drawn-1")
    reading = Recognizer.load(model.directory).read(drawing.draw(3, seed=999))
    assert model.is_active
    assert model.test_accuracy is not None
    assert model.test_accuracy > 0.9
    assert reading.digits[0].label == "3"
    assert "epoch   6/6" in output
    assert "precision" in output
    assert "registered and active" in output
    assert {"curves", "distribution", "confusion"} <= set(reports.drawn_plots(model.directory))


def test_the_card_holds_what_the_training_was(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-2", epochs=1, seed=7)

    card = cards.verify(TrainedModel.objects.get(version="drawn-2").directory)
    assert card.config["seed"] == 7
    assert card.config["architecture"] == "r0"
    learned = datasets.load(str(drawn_digits), "train")
    assert card.datasets[0]["training"] + card.datasets[0]["validation"] == len(learned)
    assert card.datasets[0]["labels"] == np.bincount(learned.labels, minlength=11).tolist()
    assert len(card.datasets[0]["sha256"]) == 64
    assert card.temperature > 0
    assert card.training_seconds > 0
    assert len(card.metrics["history"]) == 1
    assert not TrainedModel.objects.get(version="drawn-2").is_active


def test_the_served_file_answers_like_the_trained_one(drawn_digits: Path) -> None:
    import keras

    train(drawn_digits, name="drawn-3", epochs=2)
    directory = TrainedModel.objects.get(version="drawn-3").directory
    fields = np.stack([to_field(drawing.draw(digit, seed=999)).pixels for digit in range(10)])

    served = Recognizer.load(directory)
    trained = keras.saving.load_model(directory / cards.TRAINED_FILE)

    logits = np.asarray(trained(fields[..., None]))
    answers = np.stack([served.logits(field) for field in fields])
    difference = probabilities(answers, 1.0) - probabilities(logits, 1.0)
    assert np.abs(difference).max() < 0.05  # the served weights have 8 bits
    assert (directory / cards.SERVED_FILE).stat().st_size < 1.3 * trained.count_params()


def test_a_training_in_half_precision_leaves_a_network_in_full(drawn_digits: Path) -> None:
    import keras

    train(drawn_digits, name="drawn-6", architecture="quick", epochs=30, precision="bfloat16")

    model = TrainedModel.objects.get(version="drawn-6")
    trained = keras.saving.load_model(model.directory / cards.TRAINED_FILE)
    assert {layer.compute_dtype for layer in trained.layers} == {"float32"}
    assert cards.read(model.directory).config["precision"] == "bfloat16"
    assert model.test_accuracy is not None
    assert model.test_accuracy > 0.9


def test_the_compact_network_trains_with_variants_and_refuses(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-4", architecture="compact", augment=True, epochs=2)

    card = cards.verify(TrainedModel.objects.get(version="drawn-4").directory)
    assert card.rejects
    assert 0 < card.thresholds.refuse <= card.thresholds.accept < 1


def test_a_training_can_start_from_a_model(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-7", epochs=6)

    output = train(
        drawn_digits, name="drawn-8", epochs=1, learning_rate=1e-6, start_from=["drawn-7"]
    )

    card = cards.read(TrainedModel.objects.get(version="drawn-8").directory)
    assert card.accuracy is not None
    assert card.accuracy > 0.9
    assert card.config["start_from"] == ["drawn-7"]
    assert [record["epoch"] for record in card.metrics["history"]] == [1, 2, 3, 4, 5, 6, 7]
    assert " && " in card.command
    assert "epoch   1/1" in output


def test_a_start_from_a_model_of_another_division_is_warned_of(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-20", epochs=1)
    errors = io.StringIO()
    train(drawn_digits, name="drawn-21", epochs=1, start_from=["drawn-20"], stderr=errors)
    before = errors.getvalue()
    path = TrainedModel.objects.get(version="drawn-20").directory / cards.CARD_FILE
    path.write_text(path.read_text().replace('"may_grow": true', '"may_grow": false'))

    train(drawn_digits, name="drawn-22", epochs=1, start_from=["drawn-20"], stderr=errors)

    assert "may have learned" not in before
    assert "when drawn-20 was trained: it may have learned" in errors.getvalue()


def test_the_time_told_is_that_of_the_last_training(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-18", epochs=1)
    path = TrainedModel.objects.get(version="drawn-18").directory / cards.CARD_FILE
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(card | {"training_seconds": 36000.0}), encoding="utf-8")

    output = train(drawn_digits, name="drawn-19", epochs=1, start_from=["drawn-18"])

    assert re.search(r"^Trained in \d:\d\d: ", output, re.MULTILINE)
    assert cards.read(path.parent.with_name("drawn-19")).training_seconds > 36000


def test_a_training_that_goes_on_makes_variants_that_were_not_seen_before(
    drawn_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = []

    class Noted(Variants):
        def __init__(self, *args: Any, **options: Any) -> None:
            before.append(options["before"])
            super().__init__(*args, **options)

    monkeypatch.setattr(training, "Variants", Noted)
    train(drawn_digits, name="seen-1", epochs=3, augment=True)
    train(drawn_digits, name="seen-2", epochs=1, augment=True, start_from=["seen-1"])

    assert before == [0, 3]


def test_a_training_starts_from_a_model_of_its_own_kind_only(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-9", epochs=1)

    with pytest.raises(CommandError, match="drawn-9 would be r0"):
        train(drawn_digits, name="drawn-10", architecture="r4", start_from=["drawn-9"])
    with pytest.raises(CommandError, match="no model drawn-0"):
        train(drawn_digits, name="drawn-10", start_from=["drawn-0"])


def test_a_pair_answers_by_two_models_without_training(drawn_digits: Path) -> None:
    from ml import networks

    for number in (1, 2):
        train(drawn_digits, name=f"member-{number}", architecture="compact", epochs=1 + number)

    output = train(
        drawn_digits, name="both", architecture=None, epochs=0, start_from=["member-1", "member-2"]
    )

    models = [TrainedModel.objects.get(version=name) for name in ("both", "member-1", "member-2")]
    both, *members = [Recognizer.load(model.directory) for model in models]
    card = both.card
    assert (card.architecture, card.rejects) == ("pair", True)
    assert [record["epoch"] for record in card.metrics["history"]] == [1, 2, 3, 4, 5]
    assert card.command.count(" && ") == 2
    assert "epoch " not in output
    for seed in range(900, 910):
        field = to_field(drawing.draw(seed % 10, seed=seed)).pixels
        first, second = (member.logits(field) for member in members)
        *_, next_best, best = sorted(first)
        wanted = first if best - next_best >= networks.CLEAR else (first + second) / 2
        assert np.allclose(both.logits(field), wanted, atol=1e-3)


def test_a_pair_takes_two_of_its_members_and_nothing_else(drawn_digits: Path) -> None:
    for name in ("plain-1", "plain-2"):
        train(drawn_digits, name=name, epochs=1)

    with pytest.raises(CommandError, match=r"No network begins with r0, r0\. Start from one"):
        train(drawn_digits, architecture=None, epochs=0, start_from=["plain-1", "plain-2"])
    with pytest.raises(CommandError, match="from 2 of compact"):
        train(drawn_digits, architecture="pair", epochs=0, start_from=["plain-1"])


def test_a_pair_wants_two_models_that_set_the_same_pictures_aside(drawn_digits: Path) -> None:
    for name, seed in (("aside-1", 1), ("aside-2", 2)):
        train(drawn_digits, name=name, architecture="compact", epochs=1, split_seed=seed)

    with pytest.raises(CommandError, match=r"aside-2 has learned from .* --split-seed 2"):
        train(drawn_digits, architecture=None, epochs=0, start_from=["aside-1", "aside-2"])
    with pytest.raises(CommandError, match="two different models"):
        train(drawn_digits, architecture=None, epochs=0, start_from=["aside-1", "aside-1"])


def test_trainings_with_other_seeds_set_the_same_pictures_aside(
    drawn_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, aside = datasets.split, []

    def noted(*args: Any) -> tuple[Dataset, Dataset]:
        parts = split(*args)
        aside.append(parts[1])
        return parts

    monkeypatch.setattr(datasets, "split", noted)
    for name, seed in (("seed-1", 1), ("seed-2", 2)):
        train(drawn_digits, name=name, architecture="compact", epochs=1, seed=seed)

    train(drawn_digits, name="seeds", architecture=None, epochs=0, start_from=["seed-1", "seed-2"])

    found = [
        cards.read(TrainedModel.objects.get(version=v).directory) for v in ("seed-1", "seed-2")
    ]
    assert len(aside) == 3
    assert all(np.array_equal(aside[0].pictures, other.pictures) for other in aside[1:])
    assert found[0].metrics["history"] != found[1].metrics["history"]


def test_a_network_of_several_members_goes_on_learning(drawn_digits: Path) -> None:
    train(drawn_digits, name="pair-1", architecture="pair", epochs=3)

    train(drawn_digits, name="pair-2", architecture=None, epochs=1, start_from=["pair-1"])

    card = cards.read(TrainedModel.objects.get(version="pair-2").directory)
    assert card.architecture == "pair"
    assert len(card.metrics["history"]) == 4


def test_training_stops_when_nothing_is_gained(drawn_digits: Path) -> None:
    output = train(drawn_digits, name="drawn-5", epochs=60, learning_rate=0.05, patience=2)

    assert "epoch  60/60" not in output


def test_a_model_below_the_required_accuracy_is_not_registered(drawn_digits: Path) -> None:
    with pytest.raises(CommandError, match="less than"):
        train(drawn_digits, name="drawn-6", epochs=1, learning_rate=1e-6, require_accuracy=0.99)

    assert not TrainedModel.objects.filter(version="drawn-6").exists()


def test_if_missing_trains_nothing_when_there_is_a_model(
    drawn_digits: Path, digit_model: TrainedModel, settings: Settings
) -> None:
    output = train(drawn_digits, if_missing=True)

    assert "already" in output
    assert not Path(settings.MODEL_ROOT).exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "r9"}, "no architecture"),
        ({"epochs": 0}, "Only a model that starts from others"),
        ({"learning_rate": float("nan")}, "above 0"),
        ({"label_smoothing": 1.0}, "Label smoothing"),
        ({"seed": -1}, "Seeds"),
        ({"split_seed": 2**32}, "Seeds"),
        ({"patience": -1}, "Patience"),
        ({"require_accuracy": 99.0}, "share"),
        ({"validation_split": 0.9}, "validation split"),
        ({"name": "No Good"}, "small letters"),
        ({"repeat": [2, 2]}, "one number"),
        ({"resume": True}, "no interrupted training"),
        ({"dataset": ["usps"]}, "--data-dir"),
    ],
)
def test_a_wrong_option_is_a_clear_error(
    drawn_digits: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        train(drawn_digits, **options)


def test_a_loss_that_grows_beyond_all_numbers_ends_the_training(drawn_digits: Path) -> None:
    with pytest.raises(CommandError, match="smaller --learning-rate"):
        train(drawn_digits, learning_rate=1e30, optimizer="sgd")


def test_pictures_without_a_digit_are_nothing_to_train_on(tmp_path: Path) -> None:
    names = np.repeat(np.array(["w", "plus"]), 600)
    pictures = np.random.default_rng(5).integers(0, 255, (1200, 28, 28), np.uint8)
    np.savez(tmp_path / "bhmsds_nondigits.npz", x=pictures, name=names)

    with pytest.raises(CommandError, match="holds digits too"):
        train(
            tmp_path, dataset=["bhmsds_nondigits"], data_dir=str(tmp_path), architecture="compact"
        )


def test_a_digit_that_nobody_shows_is_named(drawn_digits: Path, tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    shutil.copytree(drawn_digits, folder)
    shutil.rmtree(folder / "7")
    (folder / "7").mkdir()

    with pytest.raises(CommandError, match="No picture of 7 is left to learn from"):
        train(folder, name="drawn-11")

    assert not TrainedModel.objects.filter(version="drawn-11").exists()


def test_another_backend_trains_and_tensorflow_exports_what_it_left(
    drawn_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    with monkeypatch.context() as patched:
        patched.setattr(keras.backend, "backend", lambda: "jax")
        with pytest.raises(CommandError, match="KERAS_BACKEND=tensorflow and --resume"):
            train(drawn_digits, name="drawn-11", epochs=1)

    output = train(drawn_digits, name="drawn-11", epochs=1, resume=True)

    assert "epoch" not in output
    assert TrainedModel.objects.filter(version="drawn-11").exists()


def test_a_name_whose_folder_exists_is_refused_before_the_training(
    drawn_digits: Path, settings: Settings
) -> None:
    (Path(settings.MODEL_ROOT) / "drawn-10").mkdir(parents=True)

    with pytest.raises(CommandError, match="exists already"):
        train(drawn_digits, name="drawn-10")


def test_a_training_whose_name_is_taken_at_its_end_is_saved_under_another(
    drawn_digits: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = training._tested

    def take_the_name(*args: Any) -> cards.ModelCard:
        (Path(settings.MODEL_ROOT) / "drawn-15").mkdir()
        return tested(*args)

    with monkeypatch.context() as patched:
        patched.setattr(training, "_tested", take_the_name)
        with pytest.raises(CommandError, match=r"exists already.* --resume --name NEW"):
            train(drawn_digits, name="drawn-15", epochs=1)
    with pytest.raises(CommandError, match="Choose another --name"):
        train(drawn_digits, name="drawn-15", epochs=1, resume=True)

    output = train(drawn_digits, name="drawn-16", epochs=1, resume=True)

    assert "epoch" not in output
    assert TrainedModel.objects.get(version="drawn-16").directory.is_dir()


def test_at_verbosity_0_nothing_is_printed(drawn_digits: Path) -> None:
    assert train(drawn_digits, name="drawn-7", epochs=1, verbosity=0) == ""


def test_evaluate_model_repeats_the_figures_of_the_card(drawn_digits: Path) -> None:
    train(drawn_digits, name="drawn-8", epochs=2)
    output = io.StringIO()

    call_command("evaluate_model", model="drawn-8", format="json", stdout=output)

    again = json.loads(output.getvalue())
    card = cards.read(TrainedModel.objects.get(version="drawn-8").directory)
    assert again["model"] == "drawn-8"
    assert again["test"] == card.metrics["test"]


def test_a_model_that_the_database_does_not_take_is_not_lost(
    drawn_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(TrainedModel, "register", fail)
        with pytest.raises(CommandError, match="activate_model drawn-13"):
            train(drawn_digits, name="drawn-13", epochs=1)

    call_command("activate_model", "drawn-13")

    assert TrainedModel.objects.get(version="drawn-13").is_active


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), r"left on device\. Make room first\."),
        (OSError(2, "No such file"), r"No such file\. The first epoch"),
        (cards.CardError("There is a model of this name."), "of this name"),
    ],
)
def test_a_training_that_cannot_be_written_says_why(
    error: Exception, said: str, drawn_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(training, "train", fail)

    with pytest.raises(CommandError, match=said):
        train(drawn_digits, name="drawn-14")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "The report cannot be written: "),
        (KeyboardInterrupt(), r"Stopped\. "),
    ],
    ids=["full disk", "Ctrl-C"],
)
def test_a_model_whose_report_is_not_made_is_registered_all_the_same(
    drawn_digits: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(reports, "write", fail)

    with pytest.raises(
        CommandError,
        match=rf"^{said}.*bare-1 is registered.* evaluate_model --model bare-1 --write$",
    ):
        train(drawn_digits, name="bare-1", epochs=1)

    assert TrainedModel.objects.filter(version="bare-1").exists()


def test_an_interrupted_training_says_how_to_go_on(
    drawn_digits: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(config: TrainConfig, root: Path, **options: object) -> None:
        run = Run.open(root, config, False, "")
        (run.folder / "state.json").write_text(json.dumps({**run.state, "epoch": 1}))
        run.release()
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupt)

    with pytest.raises(CommandError, match="add --resume"):
        train(drawn_digits, name="drawn-12")


def test_a_training_interrupted_in_its_first_epoch_offers_nothing_to_go_on_with(
    drawn_digits: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ml.fitting._pass", interrupt)
    earlier = media / "models" / ".training" / "20250101-000000-1"
    earlier.mkdir(parents=True)
    config = dataclasses.asdict(TrainConfig(datasets=(str(drawn_digits),)))
    (earlier / "state.json").write_text(json.dumps({"config": config, "epoch": 1}))

    with pytest.raises(CommandError, match="nothing is kept: begin again"):
        train(drawn_digits, name="drawn-12")

    assert list((media / "models" / ".training").iterdir()) == [earlier]


def test_a_training_that_is_told_to_end_clears_up_as_after_ctrl_c(
    drawn_digits: Path, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminate(*args: object, **options: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setattr("ml.fitting._pass", terminate)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with pytest.raises(CommandError, match=r"Stopped\. .* begin again"):
            train(drawn_digits, name="drawn-17")
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)

    assert not list((tmp_path / "scratch").iterdir())
    assert not list((media / "models" / ".training").iterdir())


def test_a_killed_training_is_resumed(drawn_digits: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "MODEL_ROOT": str(tmp_path / "trained"),
        "PICTURE_ROOT": str(tmp_path / "kept"),
        "DJANGO_SETTINGS_MODULE": "digitsite.settings",
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    command = [
        *manage, "train_model", "--dataset", str(drawn_digits), "--architecture", "r0",
        "--no-augment", "--epochs", "8", "--batch-size", "8", "--name", "drawn-9",
    ]  # fmt: skip
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True, **quiet)
    states = (tmp_path / "trained" / ".training").glob

    process = subprocess.Popen(command, env=environment, **quiet)
    while not any(json.loads(path.read_text())["epoch"] >= 2 for path in states("*/state.json")):
        assert process.poll() is None, "The training ended before it could be killed."
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "trained" / "drawn-9").exists()
    resumed = subprocess.run(
        [*manage, "train_model", "--resume"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "epoch   1/8" not in resumed.stdout
    assert "epoch   8/8" in resumed.stdout
    card = cards.verify(tmp_path / "trained" / "drawn-9")
    assert len(card.metrics["history"]) == 8
    assert "--name drawn-9" in card.command  # of the command that began it
    assert not list(states("*"))
