from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ml import cards
from ml.cards import CardError, ModelCard, Thresholds


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        version="latin-test",
        script="latin",
        labels=tuple("0123456789"),
        rejects=True,
        architecture="compact",
        preprocessing=1,
        temperature=1.2,
        thresholds=Thresholds(accept=0.9, refuse=0.2),
        config={"seed": 1},
        datasets=[],
        metrics={"test": {"mnist": {"accuracy": 0.995}}},
        command="python manage.py train_model",
        keras_version="3.15.1",
        python_version="3.11.7",
        training_seconds=1.5,
        created_at="2026-01-01T00:00:00+00:00",
    )


@pytest.fixture
def directory(card: ModelCard, tmp_path: Path) -> Path:
    source = tmp_path / "export"
    source.write_bytes(b"a network")
    return cards.write(card, tmp_path / "models", {cards.SERVED_FILE: source})


def test_a_written_card_is_read_back(card: ModelCard, directory: Path) -> None:
    read = cards.verify(directory)

    assert dataclasses.replace(read, files={}) == card
    assert read.accuracy == 0.995
    assert read.files[cards.SERVED_FILE].bytes == len(b"a network")


def test_writing_leaves_only_the_model_directory(directory: Path) -> None:
    assert [path.name for path in directory.parent.iterdir()] == ["latin-test"]


def test_a_model_is_never_overwritten(card: ModelCard, directory: Path) -> None:
    other = directory.parent.parent / "other"
    other.write_bytes(b"another network")

    with pytest.raises(CardError, match="exists already"):
        cards.write(card, directory.parent, {cards.SERVED_FILE: other})

    assert (directory / cards.SERVED_FILE).read_bytes() == b"a network"


def test_a_failed_write_leaves_nothing(card: ModelCard, tmp_path: Path) -> None:
    root = tmp_path / "models"

    with pytest.raises(FileNotFoundError):
        cards.write(card, root, {cards.SERVED_FILE: tmp_path / "missing"})

    assert list(root.iterdir()) == []


def test_a_changed_file_is_noticed(directory: Path) -> None:
    (directory / cards.SERVED_FILE).write_bytes(b"A network")

    with pytest.raises(CardError, match="damaged"):
        cards.verify(directory)


def test_a_missing_file_is_noticed(directory: Path) -> None:
    (directory / cards.SERVED_FILE).unlink()

    with pytest.raises(CardError, match="missing"):
        cards.verify(directory)


def test_a_missing_directory_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="cannot be read"):
        cards.verify(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 99"),
        ({"version": "../../etc"}, "not a plain name"),
        ({"labels": ["0", "1"]}, "2 labels"),
        ({"labels": list("abcdefghij")}, "numerals of latin"),
        ({"labels": ["0"] * 10}, "numerals of latin"),
        ({"script": "klingon"}, "'klingon' is none of latin"),
        ({"script": ["latin"]}, "not valid"),
        ({"temperature": 0.0}, "not positive"),
        ({"thresholds": {"accept": 1.0}}, "not valid"),
        ({"thresholds": {"accept": "0.9", "refuse": 0.1}}, "accept '0.9' is no number"),
        ({"thresholds": {"accept": 0.9, "refuse": float("nan")}}, "refuse nan is no number"),
        ({"thresholds": {"accept": 90, "refuse": 0.1}}, "accept 90 is no number"),
        ({"created_at": "yesterday"}, "yesterday"),
        ({"created_at": "2026-01-01"}, "no time zone"),
        ({"created_at": 2026}, "not valid"),
        ({"surprise": 1}, "not valid"),
    ],
)
def test_a_card_with_a_wrong_field_is_refused(
    directory: Path, change: dict[str, object], message: str
) -> None:
    path = directory / cards.CARD_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(CardError, match=message):
        cards.read(directory)


def test_a_renamed_directory_is_not_the_model_of_its_card(directory: Path) -> None:
    copy = directory.rename(directory.with_name("my-model"))

    with pytest.raises(CardError, match="the card of latin-test"):
        cards.read(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"card"'])
def test_a_file_that_is_no_card_is_refused(directory: Path, text: str) -> None:
    (directory / cards.CARD_FILE).write_text(text)

    with pytest.raises(CardError):
        cards.read(directory)


def test_a_card_cannot_point_outside_its_directory(directory: Path) -> None:
    path = directory / cards.CARD_FILE
    data = json.loads(path.read_text())
    data["files"]["../../export"] = data["files"][cards.SERVED_FILE]
    path.write_text(json.dumps(data))

    with pytest.raises(CardError, match="missing"):
        cards.verify(directory)
