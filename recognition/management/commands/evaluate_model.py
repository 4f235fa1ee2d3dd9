from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ml import cards, datasets, evaluation
from ml.recognizer import Recognizer
from ml.scripts import SCRIPTS
from recognition.management import reports
from recognition.models import TrainedModel


class Command(BaseCommand):
    help = "Test a registered model again, with the very file that it serves."

    def add_arguments(self, parser: CommandParser) -> None:
        known = ", ".join(datasets.LOADERS)
        parser.add_argument("--model", metavar="VERSION", help="default: the active model")
        parser.add_argument("--script", choices=tuple(SCRIPTS), default="latin")
        parser.add_argument(
            "--dataset",
            nargs="+",
            metavar="NAME",
            help=f"{known}, or folders; their test parts are read "
            "(default: those that the model was trained on)",
        )
        parser.add_argument(
            "--data-dir",
            default=os.environ.get("DIGITS_DATA_DIR"),
            help="where the data sets lie (default: the environment variable DIGITS_DATA_DIR)",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(
        self,
        *,
        model: str | None,
        script: str,
        dataset: list[str] | None,
        data_dir: str | None,
        format: str,
        verbosity: int,
        **options: Any,
    ) -> None:
        registered = _find(model, script)
        try:
            recognizer = Recognizer.load(registered.directory)
        except cards.CardError as error:
            raise CommandError(str(error)) from error

        names = dataset or recognizer.card.config.get("datasets") or ["mnist"]
        metrics: dict[str, Any] = {}
        for name in names:
            try:
                part = datasets.load(name, "test", Path(data_dir) if data_dir else None)
            except datasets.DatasetError as error:
                raise CommandError(str(error)) from error
            metrics[part.name] = evaluation.report(evaluation.read(recognizer, part))
            if format == "text" and verbosity >= 1:
                self.stdout.writelines(reports.lines(part.name, metrics[part.name]))
                self.stdout.flush()
        if format == "json":
            self.stdout.write(json.dumps({"model": registered.version, "test": metrics}, indent=2))


def _find(version: str | None, script: str) -> TrainedModel:
    if version is None:
        active = TrainedModel.objects.active(script)
        if active is None:
            raise CommandError(
                f"No model is active for {SCRIPTS[script].name}. "
                "Run: python manage.py install_pretrained"
            )
        return active
    try:
        return TrainedModel.objects.get(version=version)
    except TrainedModel.DoesNotExist:
        raise CommandError(f"No model {version!r} is registered.") from None
