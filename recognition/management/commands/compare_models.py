from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml import cards, comparison, datasets, variants
from ml.architectures import ARCHITECTURES
from ml.cards import ModelCard
from ml.comparison import Score
from ml.datasets import NOT_A_DIGIT
from ml.recognizer import Recognizer
from ml.runs import TrainConfig
from ml.validation import Validation
from recognition import model_facts
from recognition.models import TrainedModel


class Command(BaseCommand):
    help = (
        "Compare registered models on validation pictures: those that the training of the first "
        "set aside. To choose by test pictures would make their figures worthless."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("models", nargs="+", metavar="VERSION", help="registered models")
        parser.add_argument(
            "--dataset",
            nargs="+",
            metavar="NAME",
            help="data sets or folders (default: those that the first model was trained on)",
        )
        parser.add_argument(
            "--data-dir",
            type=Path,
            default=os.environ.get("DIGITS_DATA_DIR"),
            help="where the data sets lie (default: the environment variable DIGITS_DATA_DIR)",
        )

    def handle(
        self,
        *,
        models: list[str],
        dataset: list[str] | None,
        data_dir: Path | None,
        **options: Any,
    ) -> None:
        try:
            recognizers = [Recognizer.load(_directory(version)) for version in models]
            first = recognizers[0].card
            for later in recognizers[1:]:
                self._warn_of_another_split(first, later.card)
            names = dataset or first.config.get("datasets") or ["mnist"]
            sets = _validation(names, first, data_dir)
        except (cards.CardError, datasets.DatasetError) as error:
            raise CommandError(str(error)) from error
        scores = {}
        for recognizer in recognizers:
            scores[recognizer.card.version] = comparison.score(recognizer, sets)
        self.stdout.writelines(_lines(sets, scores))

    def _warn_of_another_split(self, first: ModelCard, other: ModelCard) -> None:
        if _split_of(first) != _split_of(other):
            self.stderr.write(
                self.style.WARNING(
                    f"{other.version} was trained with another seed or validation split than "
                    f"{first.version}: it may have learned from pictures that are read here."
                )
            )


def _directory(version: str) -> Path:
    model = TrainedModel.objects.filter(version=version).first()
    if model is None:
        raise CommandError(f"There is no model {version}.")
    return Path(model.directory)


def _split_of(card: ModelCard) -> tuple[float, int]:
    usual = TrainConfig()
    share = card.config.get("validation_split", usual.validation_split)
    return share, card.config.get("seed", usual.seed)


def _validation(names: list[str], card: ModelCard, data_dir: Path | None) -> dict[str, Validation]:
    """The validation pictures of the data sets that hold digits, and with them the others."""
    share, seed = _split_of(card)
    parts = [
        datasets.split(datasets.load(name, "train", data_dir), share, seed)[1] for name in names
    ]
    digits = [part for part in parts if (part.labels != NOT_A_DIGIT).any()]
    others = [part for part in parts if not (part.labels != NOT_A_DIGIT).any()]
    if not digits:
        raise datasets.DatasetError("Name a data set that holds digits too.")
    rejects = ARCHITECTURES[card.architecture].rejects
    with variants.workers() as workers:
        return {
            part.name: Validation.of(
                [part, *others] if part is digits[0] else [part],
                workers,
                seed=seed + 1,
                non_digits=rejects,
            )
            for part in digits
        }


def _lines(sets: Mapping[str, Validation], scores: Mapping[str, Score]) -> Iterator[str]:
    pictures = [
        f"{(part.labels != NOT_A_DIGIT).sum()}, {(part.varied_labels != NOT_A_DIGIT).sum()}"
        for part in sets.values()
    ]
    yield "Digits read wrong, as they are and varied:\n"
    yield from _table(
        ["", *map(model_facts.title, sets)],
        ["of pictures", *pictures],
        *(
            [version, *(f"{plain}, {varied}" for plain, varied in score.wrong.values())]
            for version, score in scores.items()
        ),
    )
    yield "\nDigits accepted, all sets together, when of the accepted so many are wrong:\n"
    yield from _table(
        ["", *(f"{share:.2%}" for share in comparison.WRONG_SHARES)],
        *(
            [version, *(f"{share:.2%}" for share in score.accepted.values())]
            for version, score in scores.items()
        ),
    )


def _table(*rows: list[str]) -> Iterator[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells]) + "\n"
