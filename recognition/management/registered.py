"""Models that commands are told of by their version."""

from __future__ import annotations

from django.core.management.base import CommandError

from recognition.models import TrainedModel


def find(version: str) -> TrainedModel:
    """The registered model of a version.

    Raises:
        CommandError: there is none.
    """
    model = TrainedModel.objects.filter(version=version).first()
    if model is None:
        raise CommandError(f"There is no model {version} among those registered.")
    return model
