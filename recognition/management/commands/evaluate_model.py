from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml import cards, datasets, examination, figures
from ml.datasets import Dataset
from ml.readers import Readers
from ml.reports import FOLDER
from ml.scripts import LATIN, SCRIPTS
from recognition import model_facts, recognizers
from recognition.management import arguments, card_pages, endings, registered, reports
from recognition.models import TrainedModel

FULL = ("mnist", "usps", "semeion", "bhmsds", "chars74k", "cheques")
SAMPLE = 300


class Command(BaseCommand):
    help = "Test a registered model again, with the very file that it serves."

    def add_arguments(self, parser: CommandParser) -> None:
        known = ", ".join(datasets.LOADERS)
        parser.add_argument("--model", metavar="VERSION", help="default: the active model")
        parser.add_argument("--script", choices=tuple(SCRIPTS), default=LATIN.code)
        parser.add_argument(
            "--dataset",
            nargs="+",
            metavar="NAME",
            help=f"{known}, or folders; their test parts are read "
            "(default: those that the model was trained on)",
        )
        arguments.add_data_dir(parser)
        parser.add_argument(
            "--full",
            action="store_true",
            help="examine everything: all data sets of English digits, drawn and photographed "
            "digits, pictures of no digit, damaged pictures; compare with the figures asked for",
        )
        parser.add_argument(
            "--sample",
            type=int,
            default=SAMPLE,
            metavar="COUNT",
            help="with --full: pictures that are drawn of each collection, and that are damaged "
            f"in each way (default: {SAMPLE})",
        )
        parser.add_argument("--workers", type=int, help="processes (default: one a processor)")
        parser.add_argument(
            "--write",
            action="store_true",
            help="keep report and plots in the model's directory, for the page about the model",
        )
        parser.add_argument(
            "--model-card",
            type=Path,
            metavar="FILE",
            help="with --full: write the model card for people, as Markdown",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    @endings.stoppable()
    @endings.reader_may_leave()
    def handle(
        self,
        *,
        model: str | None,
        script: str,
        dataset: list[str] | None,
        data_dir: str | None,
        full: bool,
        sample: int,
        workers: int | None,
        write: bool,
        model_card: Path | None,
        format: str,
        verbosity: int,
        **options: Any,
    ) -> None:
        chosen = _find(model, script)
        _check(chosen, full=full, sample=sample, workers=workers)
        if model_card is not None:
            _check_model_card(model_card, is_complete=full and not dataset)
        data = Path(data_dir) if data_dir else None
        text: list[str] = []
        tell = self._teller(
            text,
            quiet=format == "json" or verbosity < 1,
            keeps=write or model_card is not None,
        )
        try:
            with Readers(chosen.directory, workers=workers or os.cpu_count() or 1) as readers:
                card = readers.recognizer.card
                names = dataset or (FULL if full else card.config.get("datasets")) or ["mnist"]
                counts = reports.distribution(card, data) if write else {}
                sets = [datasets.load(name, "test", data) for name in names]
                for sentence in datasets.divided_otherwise(card.version, card.datasets, sets):
                    self.stderr.write(self.style.WARNING(sentence))
                report = (
                    _examine_all(readers, sets, tell, data, sample)
                    if full
                    else examination.examine(readers, sets, tell)
                )
            tell("".join(reports.summary(report)))
            if write:
                with endings.told_if_unwritten("The report"):
                    folder = reports.keep(
                        chosen.directory, card, report, sets, counts, "".join(text)
                    )
                tell(f"\nKept in {folder}\n")
        except (cards.CardError, datasets.DatasetError) as error:
            raise CommandError(str(error)) from error
        if model_card is not None:
            plots = os.path.relpath(chosen.directory / FOLDER, model_card.parent)
            page = card_pages.page(card, report, Path(plots).as_posix())
            with endings.told_if_unwritten("The model card"):
                model_card.write_text(page, encoding="utf-8")
            tell(f"Written to {model_card}\n")
        if format == "json":
            endings.write(self.stdout, json.dumps(_shown(report), indent=2) + "\n")

    def _teller(self, text: list[str], *, quiet: bool, keeps: bool) -> Callable[..., None]:
        def tell(what: str, part: dict[str, Any] | None = None) -> None:
            lines = [what] if part is None else list(reports.told(what, part))
            text.extend(lines)
            if quiet:
                return
            try:
                endings.write(self.stdout, "".join(lines))
            except BrokenPipeError:
                if not keeps:
                    raise
                endings.close_standard_output()  # who does not read on may want the report

        return tell


def _examine_all(
    readers: Readers,
    sets: list[Dataset],
    tell: Callable[..., None],
    data: Path | None,
    sample: int,
) -> dict[str, Any]:
    from fixtures import collections

    sets.extend(collections.digits(sample))
    report = examination.examine(
        readers,
        sets,
        tell,
        kinds=datasets.held_out_kinds(data),
        drawn_kinds=collections.non_digits(sample),
        sample=sample,
    )
    compared = figures.compare(report, model_facts.TITLES)
    return {**report, "figures": [dataclasses.asdict(figure) for figure in compared]}


def _check(
    chosen: TrainedModel,
    *,
    full: bool,
    sample: int,
    workers: int | None,
) -> None:
    if full and chosen.script != LATIN.code:
        raise CommandError("--full is for models of English digits.")
    if sample < 10:
        raise CommandError("--sample takes a number from 10.")
    if workers is not None and workers < 1:
        raise CommandError("--workers takes a number from 1.")


def _check_model_card(path: Path, *, is_complete: bool) -> None:
    if not is_complete:
        raise CommandError("--model-card needs the figures of --full, without --dataset.")
    if not path.parent.is_dir():
        raise CommandError(f"{path.parent} is no folder that a model card could be written to.")
    if path.is_dir():
        raise CommandError(f"{path} is a folder. Name the file in it that the card goes to.")


def _shown(report: dict[str, Any]) -> dict[str, Any]:
    others = {name: part for name, part in report.items() if name not in {"model", "sets"}}
    return {"model": report["model"], "test": report["sets"], **others}


def _find(version: str | None, script: str) -> TrainedModel:
    if version is None:
        active = TrainedModel.objects.active(script)
        if active is None:
            raise CommandError(recognizers.no_model(script))
        return active
    return registered.find(version)
