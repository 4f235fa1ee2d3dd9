"""Models side by side on validation pictures."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from PIL import Image

from fixtures import drawing
from ml import comparison, datasets
from ml.scripts import DEVANAGARI
from recognition.models import TrainedModel
from tests.conftest import ClosedPipe, FullDisk

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def drawn_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder 0/ ... 9/ with 20 drawn pictures each."""
    root = tmp_path_factory.mktemp("drawn")
    for digit in range(10):
        (root / str(digit)).mkdir()
        for seed in range(20):
            picture = drawing.draw(digit, seed=seed, size=(64, 64), width=4)
            Image.fromarray(picture).save(root / str(digit) / f"{seed:03}.png")
    return root


def pictures_told(folder: Path) -> str:
    """The line that says how many pictures there are, as they are and varied."""
    aside = datasets.split(datasets.load(str(folder), "train"), 0.1, seed=1)[1]
    return rf"^of pictures +{len(aside)}, {4 * len(aside)}$"


def compare(*arguments: str) -> tuple[str, str]:
    output, errors = io.StringIO(), io.StringIO()
    call_command("compare_models", *arguments, stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


def test_models_are_told_beside_each_other(
    digit_model: TrainedModel, second_model: TrainedModel, drawn_digits: Path
) -> None:
    output, errors = compare(
        digit_model.version, second_model.version, "--dataset", str(drawn_digits)
    )

    assert errors == ""
    assert re.search(pictures_told(drawn_digits), output, re.MULTILINE)
    told = [
        re.findall(rf"^{re.escape(model.version)} +(.+)$", output, re.MULTILINE)
        for model in (digit_model, second_model)
    ]
    assert re.fullmatch(r"\d+, \d+", told[0][0])
    assert re.fullmatch(r"(\d+\.\d\d% *){4}", told[0][1])
    assert told[0] == told[1]  # the second is a copy of the first


def test_pictures_of_no_digit_count_among_the_accepted(
    digit_model: TrainedModel, drawn_digits: Path, tmp_path: Path
) -> None:
    """Digits that are said to be none are wrong as soon as they are accepted."""
    pictures = np.stack([drawing.draw(7, seed=seed, size=(40, 40), width=4) for seed in range(800)])
    np.savez(tmp_path / "bhmsds_nondigits.npz", x=pictures, name=np.full(800, "plus"))

    alone, _ = compare(digit_model.version, "--dataset", str(drawn_digits))
    both, _ = compare(
        digit_model.version, "--dataset", str(drawn_digits), "bhmsds_nondigits",
        "--data-dir", str(tmp_path),
    )  # fmt: skip

    accepted = [float(text.split()[-1].rstrip("%")) for text in (alone, both)]
    assert accepted[1] < accepted[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("latin-0",), "no model latin-0"),
        (("--dataset", "nothing"), "no data set or folder"),
        (("--dataset", "bhmsds_nondigits"), "Say where"),
    ],
)
def test_what_cannot_be_compared_is_said(
    digit_model: TrainedModel,
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DIGITS_DATA_DIR", raising=False)
    models = () if arguments[0].startswith("latin") else (digit_model.version,)

    with pytest.raises(CommandError, match=message):
        compare(*models, *arguments)


def test_a_model_of_another_split_may_have_learned_from_what_is_read(
    digit_model: TrainedModel, second_model: TrainedModel, drawn_digits: Path
) -> None:
    path = Path(second_model.directory) / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["config"]["split_seed"] = 99
    path.write_text(json.dumps(card), encoding="utf-8")

    _, errors = compare(digit_model.version, second_model.version, "--dataset", str(drawn_digits))

    assert f"{second_model.version} was trained with other validation pictures" in errors


def test_a_model_of_another_division_may_have_learned_from_what_is_read(
    digit_model: TrainedModel, second_model: TrainedModel, drawn_digits: Path
) -> None:
    path = Path(second_model.directory) / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["datasets"] = [
        {"name": str(drawn_digits), "sha256": ""}
    ]  # as when it had to stay as it was
    path.write_text(json.dumps(card), encoding="utf-8")

    _, errors = compare(digit_model.version, second_model.version, "--dataset", str(drawn_digits))

    assert errors.count("may have learned from") == 1
    assert f"when {second_model.version} was trained" in errors


def test_models_of_different_scripts_are_not_compared(
    digit_model: TrainedModel, second_model: TrainedModel, drawn_digits: Path
) -> None:
    path = Path(second_model.directory) / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card |= {"script": DEVANAGARI.code, "labels": DEVANAGARI.numerals}
    path.write_text(json.dumps(card), encoding="utf-8")

    with pytest.raises(CommandError, match="Compare models of one script"):
        compare(digit_model.version, second_model.version, "--dataset", str(drawn_digits))


def test_who_stops_it_hears_so(
    digit_model: TrainedModel, drawn_digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "score", stop)

    with pytest.raises(CommandError, match=r"^Stopped\.$") as caught:
        compare(digit_model.version, "--dataset", str(drawn_digits))

    assert caught.value.returncode == 130


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(
    digit_model: TrainedModel, drawn_digits: Path, closed: list[bool]
) -> None:
    call_command(
        "compare_models", digit_model.version, dataset=[str(drawn_digits)], stdout=ClosedPipe()
    )

    assert closed == [True]


def test_a_full_disk_is_told_in_words(
    digit_model: TrainedModel, drawn_digits: Path, closed: list[bool]
) -> None:
    with pytest.raises(CommandError, match="could not be written: No space left"):
        call_command(
            "compare_models", digit_model.version, dataset=[str(drawn_digits)], stdout=FullDisk()
        )

    assert closed == [True]


def test_the_same_data_set_twice_counts_once_and_quiet_prints_nothing(
    digit_model: TrainedModel, drawn_digits: Path
) -> None:
    output, _ = compare(digit_model.version, "--dataset", str(drawn_digits), str(drawn_digits))
    quiet, _ = compare(digit_model.version, "--dataset", str(drawn_digits), "--verbosity", "0")

    assert re.search(pictures_told(drawn_digits), output, re.MULTILINE)
    assert quiet == ""
