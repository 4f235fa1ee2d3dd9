"""The examination of the shipped model by its command, on a few drawn pictures."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from fixtures import drawing
from ml import cards, examination, reports
from recognition.management import card_pages
from recognition.management.commands import evaluate_model
from recognition.models import TrainedModel
from tests.conftest import ROOT, ClosedPipe

KINDS = ("dot", "minus", "plus", "slash", "w", "x", "y", "z")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with small data sets of every name."""
    folder = tmp_path / "data"
    (folder / "chars74k").mkdir(parents=True)
    for number in range(10):
        picture = Image.fromarray(drawing.draw(number, seed=number, size=(90, 70), width=3))
        picture.save(folder / "chars74k" / f"{number}_w{number + 1:02}.png")
    x = np.stack([small(number) for number in range(300)])
    y = np.arange(300) % 10
    for name in ("mnist", "usps"):
        np.savez(folder / f"{name}.npz", x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])
    for name in ("semeion", "bhmsds"):
        np.savez(folder / f"{name}.npz", x_train=x, y_train=y)
    write_cheques(folder / "cheque_amounts")
    nothing = np.full((2000, 28, 28), 240, np.uint8)
    np.savez(folder / "bhmsds_nondigits.npz", x=nothing, name=np.repeat(KINDS, 250))
    return folder


def write_cheques(folder: Path) -> None:
    """Ten amounts of two digits each."""
    (folder / "images").mkdir(parents=True)
    rows = ["file,digits,boxes_xywh"]
    for number in range(10):
        digits = f"{number}{9 - number}"
        halves = [
            drawing.draw(int(digit), seed=number, size=(50, 60), width=3, box=(12, 10, 26, 40))
            for digit in digits
        ]
        Image.fromarray(np.hstack(halves)).save(folder / "images" / f"{number}.png")
        rows.append(f'{number}.png,{digits},"[[10, 8, 30, 44], [60, 8, 30, 44]]"')
    (folder / "labels.csv").write_text("\n".join(rows))


def small(number: int) -> np.ndarray:
    return drawing.draw(
        number % 10, seed=number, size=(28, 28), width=2.2, box=(8, 4, 13, 19), ink=255, paper=0
    )


@pytest.fixture
def own_model(digit_model: TrainedModel, media: Path) -> TrainedModel:
    """A copy of the shipped model in the site's own folder, where a report may be written."""
    directory = media / "models" / digit_model.version
    shutil.copytree(digit_model.directory, directory, ignore=shutil.ignore_patterns(reports.FOLDER))
    digit_model.shipped = False
    digit_model.save()
    return digit_model


def evaluate(data: Path, **options: Any) -> str:
    output = io.StringIO()
    defaults: dict[str, Any] = {"data_dir": str(data), "workers": 1, "stdout": output}
    call_command("evaluate_model", **defaults | options)
    return output.getvalue()


def test_everything_is_measured_kept_and_told(
    own_model: TrainedModel, data: Path, tmp_path: Path
) -> None:
    page = tmp_path / "model-card.md"

    output = evaluate(data, full=True, sample=10, write=True, model_card=page)

    report = reports.read(own_model.directory)
    assert report is not None
    sets = {"mnist", "usps", "semeion", "bhmsds", "chars74k", "cheques", "drawn"}
    assert set(report["sets"]) >= sets
    assert report["sets"]["cheques"]["count"] == 4
    assert set(report["kinds"]) >= {"plus", "z", "blank", "pairs"}
    assert report["distribution"]["mnist"] == own_model.card["datasets"][0]["labels"]
    assert {"confusion", "reliability", "distribution"} <= set(
        reports.drawn_plots(own_model.directory)
    )
    assert "MNIST: read right" in output
    assert "turn 45" in output
    assert page.read_text().startswith(f"# Model card: {own_model.version}\n")


def test_at_verbosity_0_nothing_is_printed_and_without_write_nothing_is_kept(
    own_model: TrainedModel, data: Path
) -> None:
    output = evaluate(data, dataset=["usps"], verbosity=0)

    assert output == ""
    assert reports.read(own_model.directory) is None


def test_json_holds_the_report(own_model: TrainedModel, data: Path) -> None:
    report = json.loads(evaluate(data, dataset=["usps", "semeion"], format="json"))

    assert report["model"] == own_model.version
    assert list(report["test"]) == ["usps", "semeion"]
    assert report["together"]["count"] == 30 + 50


def test_what_an_older_model_learned_from_is_counted_before_anything_is_read(
    own_model: TrainedModel, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card does not say how many pictures of each digit there were."""
    path = Path(own_model.directory) / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    for entry in card["datasets"]:
        del entry["labels"]
    card["config"]["datasets"] = ["mnist", "semeion"]
    path.write_text(json.dumps(card), encoding="utf-8")
    evaluate(data, dataset=["usps"], write=True)
    report = reports.read(own_model.directory)
    assert report is not None
    assert report["distribution"]["mnist"][:10] == [30] * 10
    (data / "semeion.npz").unlink()
    monkeypatch.setattr(examination, "examine", pytest.fail)

    with pytest.raises(CommandError, match=r"semeion.npz does not exist"):
        evaluate(data, dataset=["usps"], write=True)


def test_a_missing_data_set_is_a_clear_error_and_leaves_no_report(
    own_model: TrainedModel, data: Path
) -> None:
    (data / "bhmsds_nondigits.npz").unlink()

    with pytest.raises(CommandError, match=r"bhmsds_nondigits.npz does not exist"):
        evaluate(data, full=True, sample=10, write=True)

    assert reports.read(own_model.directory) is None


def test_pictures_that_may_have_been_learned_from_are_warned_of(
    own_model: TrainedModel, data: Path
) -> None:
    errors = io.StringIO()

    evaluate(data, dataset=["usps", "semeion"], stderr=errors)

    assert errors.getvalue().count("may have learned from") == 1
    assert "Of semeion other pictures are held out now" in errors.getvalue()


def test_a_report_is_kept_though_its_reader_has_seen_enough(
    own_model: TrainedModel, data: Path, closed: list[bool]
) -> None:
    evaluate(data, dataset=["usps"], write=True, stdout=ClosedPipe())

    assert closed
    assert reports.read(own_model.directory) is not None


def test_a_report_that_cannot_be_written_is_told_in_words(
    own_model: TrainedModel, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)

    with pytest.raises(CommandError, match=r"report cannot be written: .* Read-only"):
        evaluate(data, dataset=["usps"], write=True)


def test_a_model_card_that_cannot_be_written_is_told_in_words(
    own_model: TrainedModel, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(evaluate_model, "_examine_all", lambda *args: {"sets": {}})
    monkeypatch.setattr(card_pages, "page", lambda *args: "a page")
    monkeypatch.setattr(Path, "write_text", refuse)

    with pytest.raises(CommandError, match=r"model card cannot be written: .* No space left"):
        evaluate(data, full=True, model_card=tmp_path / "card.md")


def test_a_wrong_data_folder_is_a_clear_error(own_model: TrainedModel, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"mnist.npz does not exist"):
        evaluate(tmp_path / "nowhere", full=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample": 3}, "--sample"),
        ({"workers": 0}, "--workers"),
        ({"model_card": Path("card.md")}, "--full"),
        ({"model_card": Path("card.md"), "full": True, "dataset": ["mnist"]}, "without --dataset"),
        ({"model_card": Path("no/such/card.md"), "full": True}, "no folder"),
        ({"model_card": Path("/"), "full": True}, "/ is a folder"),
        ({"script": "tamil"}, "None comes with the program"),
        ({"model": "unknown"}, "registered"),
    ],
)
def test_a_wrong_option_is_a_clear_error(
    own_model: TrainedModel, data: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        evaluate(data, **options)


def test_the_model_card_for_people_says_what_card_and_report_of_the_shipped_model_say(
    digit_model: TrainedModel,
) -> None:
    card, report = cards.read(digit_model.directory), reports.read(digit_model.directory)
    assert report is not None, "Run: make evaluate"
    plots = f"../ml/pretrained/{digit_model.version}/evaluation"

    page = card_pages.page(card, report, plots)

    assert (ROOT / "docs" / "model-card.md").read_text(encoding="utf-8") == page
    assert report["sha256"] == card.files[cards.SERVED_FILE].sha256


def test_the_shipped_report_is_complete_and_small(digit_model: TrainedModel) -> None:
    folder = digit_model.directory / reports.FOLDER

    assert reports.drawn_plots(digit_model.directory) == list(reports.PLOTS)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
