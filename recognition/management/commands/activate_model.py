from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ml import cards
from ml.recognizer import Recognizer
from ml.scripts import SCRIPTS
from recognition import recognizers
from recognition.models import ModelActivation, TrainedModel


class Command(BaseCommand):
    help = "Let a model read its script's new pictures, or go back to the one before."
    requires_system_checks = ()  # they may complain of the very model that is to be replaced

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("version", nargs="?", help="the model's version")
        which.add_argument(
            "--previous", action="store_true", help="the model that was active before"
        )
        parser.add_argument(
            "--script", default="latin", choices=sorted(SCRIPTS), help="for --previous"
        )
        parser.add_argument("--why", default="", help="kept in the history of activations")

    def handle(
        self,
        *,
        version: str | None,
        previous: bool,
        script: str,
        why: str,
        verbosity: int,
        **options: Any,
    ) -> None:
        most = ModelActivation._meta.get_field("why").max_length or 0
        if len(why) > most:
            raise CommandError(f"--why has {len(why)} characters; at most {most} are kept.")
        model = _previous(script) if previous else _named(version or "")
        try:
            recognizers.verify(model)
        except recognizers.ModelUnavailable as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        done = model.activate(why=why or ("roll back" if previous else "activate_model"))
        if verbosity >= 1:
            said = "Activated" if done else "Already active:"
            self.stdout.write(self.style.SUCCESS(f"{said} {model.version} ({model.script})."))


def _previous(script: str) -> TrainedModel:
    model = TrainedModel.objects.previous(script)
    if model is None:
        raise CommandError(f"No other model has been active for {script} before.")
    return model


def _named(version: str) -> TrainedModel:
    model = TrainedModel.objects.filter(version=version).first() or _trained(version)
    if model is None:
        versions = TrainedModel.objects.order_by("version").values_list("version", flat=True)
        known = ", ".join(versions) or "none; run: python manage.py install_pretrained"
        raise CommandError(f"No model is registered as {version!r}. Registered: {known}.")
    return model


def _trained(version: str) -> TrainedModel | None:
    """Register a model that was trained here while the database did not answer."""
    directory = Path(settings.MODEL_ROOT) / version
    if not cards.VERSION_PATTERN.fullmatch(version) or not directory.is_dir():
        return None
    try:
        return TrainedModel.register(Recognizer.load(directory).card, shipped=False)
    except cards.CardError as error:
        raise CommandError(f"{error} Nothing was changed.") from error
