from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml import cards, comparison, datasets, runs, variants
from ml.cards import ModelCard
from ml.comparison import Score
from ml.datasets import NOT_A_DIGIT, Dataset
from ml.recognizer import Recognizer
from ml.scripts import SCRIPTS
from ml.validation import Validation
from recognition import model_facts
from recognition.management import arguments, endings, registered


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
        arguments.add_data_dir(parser)

    @endings.stoppable()
    @endings.reader_may_leave()
    def handle(
        self,
        *,
        models: list[str],
        dataset: list[str] | None,
        data_dir: str | None,
        verbosity: int,
        **options: Any,
    ) -> None:
        data = Path(data_dir) if data_dir else None
        try:
            recognizers = [
                Recognizer.load(registered.find(version).directory) for version in models
            ]
            known = [recognizer.card for recognizer in recognizers]
            self._check(known)
            names = dataset or known[0].config.get("datasets") or ["mnist"]
            rejects = any(card.rejects for card in known)
            parts = _aside(dict.fromkeys(names), known[0], data)
            for card in known:
                for sentence in datasets.divided_otherwise(card.version, card.datasets, parts):
                    self.stderr.write(self.style.WARNING(sentence))
            sets = _validation(parts, known[0], rejects)
        except (cards.CardError, datasets.DatasetError) as error:
            raise CommandError(str(error)) from error
        scores = {
            recognizer.card.version: comparison.score(recognizer, sets)
            for recognizer in recognizers
        }
        if verbosity >= 1:
            endings.write(self.stdout, "".join(_lines(sets, scores)))

    def _check(self, known: list[ModelCard]) -> None:
        first, *others = known
        for card in others:
            if card.script != first.script:
                raise CommandError(
                    f"{card.version} reads {SCRIPTS[card.script].name}, {first.version} "
                    f"{SCRIPTS[first.script].name}. Compare models of one script."
                )
            if runs.set_aside(card.config) != runs.set_aside(first.config):
                self.stderr.write(
                    self.style.WARNING(
                        f"{card.version} was trained with other validation pictures than "
                        f"{first.version}: it may have learned from some that are read here."
                    )
                )


def _aside(names: Iterable[str], card: ModelCard, data_dir: Path | None) -> list[Dataset]:
    """What the training of a model set aside of each data set."""
    share, seed = runs.set_aside(card.config)
    return [
        datasets.split(datasets.load(name, "train", data_dir), share, seed)[1] for name in names
    ]


def _validation(parts: Sequence[Dataset], card: ModelCard, rejects: bool) -> dict[str, Validation]:
    """The validation pictures of the data sets that hold digits; the first has the others too."""
    _, seed = runs.set_aside(card.config)
    digits = [part for part in parts if (part.labels != NOT_A_DIGIT).any()]
    others = [part for part in parts if not (part.labels != NOT_A_DIGIT).any()]
    if not digits:
        raise datasets.DatasetError("Name a data set that holds digits too.")
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
            [version, *(f"{wrong.plain}, {wrong.varied}" for wrong in score.wrong.values())]
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
