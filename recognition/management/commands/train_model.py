from __future__ import annotations

import argparse
import dataclasses
import errno
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from ml import architectures, cards, datasets, runs, training
from ml.architectures import ARCHITECTURES
from ml.cards import ModelCard
from ml.runs import Progress, TrainConfig, TrainingError
from ml.scripts import SCRIPTS
from recognition.management import arguments, endings, registered, reports
from recognition.models import TrainedModel


class Command(BaseCommand):
    help = "Train a digit network, test it, and register it as a new model."

    def add_arguments(self, parser: CommandParser) -> None:
        known = ", ".join(datasets.LOADERS)
        parser.add_argument(
            "--dataset", nargs="+", metavar="NAME", help=f"{known}, or folders (default: mnist)"
        )
        parser.add_argument(
            "--repeat",
            nargs="+",
            type=int,
            metavar="N",
            help="variants of each picture an epoch, one number a data set (default: 1 each)",
        )
        arguments.add_data_dir(parser, more="; without either, MNIST comes through Keras")
        parser.add_argument(
            "--architecture",
            help=f"{', '.join(ARCHITECTURES)} (default: compact, or what --start-from leads to)",
        )
        parser.add_argument(
            "--start-from",
            nargs="+",
            metavar="VERSION",
            help="begin with the weights of a registered model, or of two that become one: with "
            "--epochs 0 their answers are averaged as they are",
        )
        parser.add_argument(
            "--precision",
            choices=("float32", "bfloat16"),
            help="of the arithmetic of training; bfloat16 is faster where the processor has it "
            "(default: float32)",
        )
        parser.add_argument("--optimizer", choices=("adam", "sgd", "adamw"))
        parser.add_argument("--learning-rate", type=float)
        parser.add_argument(
            "--label-smoothing",
            type=float,
            metavar="SHARE",
            help="of each label that is spread over all answers (default: 0)",
        )
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--batch-size", type=int)
        parser.add_argument("--validation-split", type=float, help="share, above 0 and below 0.5")
        parser.add_argument("--augment", action=argparse.BooleanOptionalAction)
        parser.add_argument("--patience", type=int, help="epochs without gain before it stops")
        parser.add_argument(
            "--seed", type=int, help="of the weights to begin with, and of variants"
        )
        parser.add_argument(
            "--split-seed",
            type=int,
            metavar="SEED",
            help="of the pictures that are set aside to choose by (default: 1); models that share "
            "it can be compared and averaged",
        )
        parser.add_argument("--script", choices=tuple(SCRIPTS))
        parser.add_argument("--name", help="version of the new model (default: made from the date)")
        parser.add_argument(
            "--require-accuracy",
            type=float,
            metavar="SHARE",
            help="do not register a model that reads less of the first test set, e.g. 0.99",
        )
        parser.add_argument(
            "--if-missing", action="store_true", help="do nothing when the script has a model"
        )
        parser.add_argument("--activate", action=argparse.BooleanOptionalAction, default=False)
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with the newest interrupted training that has the options given; with "
            "another --name it is saved under that",
        )

    def handle(
        self,
        *,
        require_accuracy: float | None,
        if_missing: bool,
        activate: bool,
        resume: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        if require_accuracy is not None and not 0 <= require_accuracy <= 1:
            raise CommandError("--require-accuracy takes a share from 0 to 1, for example 0.99.")
        script = options["script"] or "latin"
        if if_missing and TrainedModel.objects.filter(script=script).exists():
            if verbosity >= 1:
                self.stdout.write(f"A model for {SCRIPTS[script].name} is registered already.")
            return

        root = Path(settings.MODEL_ROOT)
        try:
            given = _given(options)
            config = runs.unfinished(root, given) if resume else TrainConfig(**given)
        except TrainingError as error:
            raise CommandError(str(error)) from error
        start = [registered.find(version).directory for version in config.start_from]
        earlier = _cards(start)
        if earlier and options["architecture"] is None:
            config = _grown(config, earlier)
        if config.name and TrainedModel.objects.filter(version=config.name).exists():
            raise CommandError(f"There is a model {config.name} already. Choose another --name.")
        if verbosity >= 1:
            sets = ", ".join(config.datasets)
            self.stdout.write(f"Training {config.architecture} on {sets}.")
        try:
            with endings.sigterm_as_interrupt():
                card, directory = training.train(
                    config,
                    root,
                    command=_command_line(),
                    progress=self._progress(verbosity),
                    warn=lambda text: self.stderr.write(self.style.WARNING(text)),
                    resume=resume,
                    start=start,
                )
        except (TrainingError, datasets.DatasetError, cards.CardError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            room = " Make room first." if error.errno == errno.ENOSPC else ""
            how = _how_to_go_on(root, resumed=resume)
            raise CommandError(
                f"The training could not write its files: {error}.{room} {how}"
            ) from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Stopped. {_how_to_go_on(root, resumed=resume)}") from error

        if verbosity >= 1:
            for name, report in card.metrics["test"].items():
                self.stdout.writelines(reports.lines(name, report))
            seconds = card.training_seconds - sum(before.training_seconds for before in earlier)
            self.stdout.write(f"Trained in {reports.minutes(seconds)}: {directory}")
        if require_accuracy is not None and (card.accuracy or 0.0) < require_accuracy:
            raise CommandError(
                f"The model reads {card.accuracy or 0:.2%}, less than the {require_accuracy:.2%} "
                f"asked for. It is not registered; its files are in {directory}."
            )
        _register(card, activate=activate)
        done = f"{card.version} is {'registered and active' if activate else 'registered'}."
        data = Path(config.data_dir) if config.data_dir else None
        left = f"{done} To make its report: evaluate_model --model {card.version} --write"
        with endings.stoppable(lambda: left), endings.told_if_unwritten("The report", left):
            reports.keep_training(directory, card, data)
        if verbosity >= 1:
            self.stdout.write(self.style.SUCCESS(done))

    def _progress(self, verbosity: int) -> Callable[[Progress], None]:
        def show(progress: Progress) -> None:
            self.stdout.write(
                f"epoch {progress.epoch:>3}/{progress.epochs}  "
                f"loss {progress.loss:.4f}  accuracy {progress.accuracy:.2%}  "
                f"validation {progress.validation_accuracy:.2%}  "
                f"{reports.minutes(progress.elapsed)}, {reports.minutes(progress.left)} left"
            )
            self.stdout.flush()

        return show if verbosity >= 1 else lambda progress: None


def _how_to_go_on(root: Path, *, resumed: bool) -> str:
    """What can be done about a training that ended early."""
    if resumed or runs.left_here(root):
        return "To go on after the last epoch that ended, add --resume."
    return "The first epoch had not ended, so nothing is kept: begin again."


def _register(card: ModelCard, *, activate: bool) -> None:
    if not connection.in_atomic_block:
        connection.close()  # the server may have done so while the network learned; this opens anew
    try:
        model = TrainedModel.register(card, shipped=False)
        if activate:
            model.activate(why="trained with --activate")
    except DatabaseError as error:
        raise CommandError(
            f"The model is trained, but the database did not take it: {error}. Once it answers, "
            f"register and activate the model: python manage.py activate_model {card.version}"
        ) from error


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options of TrainConfig that were given; its own defaults serve for the others."""
    names = (
        "data_dir", "architecture", "precision", "optimizer", "learning_rate", "label_smoothing",
        "epochs", "batch_size", "validation_split", "augment", "patience", "seed", "split_seed",
        "script", "name",
    )  # fmt: skip
    given = {name: options[name] for name in names if options[name] is not None}
    for option, name in (
        ("dataset", "datasets"),
        ("repeat", "repeat"),
        ("start_from", "start_from"),
    ):
        if options[option]:
            given[name] = tuple(options[option])
    return given


def _cards(directories: Sequence[Path]) -> list[ModelCard]:
    try:
        return [cards.read(directory) for directory in directories]
    except cards.CardError as error:
        raise CommandError(str(error)) from error


def _grown(config: TrainConfig, start: Sequence[ModelCard]) -> TrainConfig:
    """The configuration with the architecture that the models to start from lead to."""
    kinds = [card.architecture for card in start]
    found = architectures.grown_from(kinds)
    if found is None:
        raise CommandError(
            f"No network begins with {', '.join(kinds)}. Start from one model, or from two of the "
            "architecture compact."
        )
    return dataclasses.replace(config, architecture=found)


def _command_line() -> str:
    """The command for the card, without the folders of this machine."""
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    kept: list[str] = []
    for word in words:
        if kept and kept[-1] == "--data-dir":
            word = "DATA"
        kept.append("--data-dir=DATA" if word.startswith("--data-dir=") else word)
    return "python " + shlex.join(kept)
