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

from fixtures import drawing
from ml import datasets
from ml.scripts import DEVANAGARI
from recognition.models import TrainedModel

pytestmark = pytest.mark.django_db


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


def test_the_same_data_set_twice_counts_once_and_quiet_prints_nothing(
    digit_model: TrainedModel, drawn_digits: Path
) -> None:
    output, _ = compare(digit_model.version, "--dataset", str(drawn_digits), str(drawn_digits))
    quiet, _ = compare(digit_model.version, "--dataset", str(drawn_digits), "--verbosity", "0")

    assert re.search(pictures_told(drawn_digits), output, re.MULTILINE)
    assert quiet == ""
