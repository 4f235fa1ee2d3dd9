from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ml import cards
from ml.cards import ModelCard
from recognition import recognizers
from recognition.models import TrainedModel


class Command(BaseCommand):
    help = (
        "Register the models that come with the program, and activate the newest one of each "
        "script that has no active model, or one that came with an earlier program and is gone."
    )
    requires_system_checks = ()  # they may complain of the very model that is missing

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--activate",
            action="store_true",
            help="activate the newest one of each script even if another model is active",
        )

    def handle(self, *, activate: bool, verbosity: int, **options: Any) -> None:
        models = [self._register(directory) for directory in _shipped(settings.PRETRAINED_ROOT)]
        newest = {model.script: model for model in models}
        for script, model in newest.items():
            if activate or _is_needed(script):
                self._activate(model, verbosity)
        if verbosity >= 1:
            known = ", ".join(model.version for model in models)
            self.stdout.write(f"Registered: {known}.")

    def _register(self, directory: Path) -> TrainedModel:
        try:
            card = cards.verify(directory)
        except cards.CardError as error:
            raise CommandError(str(error)) from error
        model = TrainedModel.register(card, shipped=True)
        if not model.shipped or model.sha256 != card.files[cards.SERVED_FILE].sha256:
            raise CommandError(f"Another model is registered as {card.version} already.")
        return model

    def _activate(self, model: TrainedModel, verbosity: int) -> None:
        try:
            recognizers.verify(model)
        except recognizers.ModelUnavailable as error:
            raise CommandError(str(error)) from error
        if model.activate(why="install_pretrained") and verbosity >= 1:
            self.stdout.write(self.style.SUCCESS(f"Activated {model.version}."))


def _is_needed(script: str) -> bool:
    """Whether no model is active, or one that an earlier program shipped and this one does not."""
    active = TrainedModel.objects.active(script)
    return active is None or (active.shipped and not active.has_directory)


def _shipped(root: Path) -> list[Path]:
    """The model directories that ship, oldest first."""
    found = sorted(path.parent for path in root.glob("*/card.json"))
    if not found:
        raise CommandError(f"No model ships in {root}. Train one: python manage.py train_model")
    try:
        return sorted(found, key=lambda directory: _age(cards.read(directory)))
    except cards.CardError as error:
        raise CommandError(str(error)) from error


def _age(card: ModelCard) -> str:
    return card.created_at
