from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ml.scripts import SCRIPTS
from recognition import wording
from recognition.management import endings
from recognition.models import Prediction, TrainedModel

BATCH = 2000
YEARS = 2
REVIEWED = 0.4  # share


class Command(BaseCommand):
    help = (
        "Invent predictions, without pictures, to see the site with a large table. Not for a "
        "site in use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *, count: int, seed: int, verbosity: int, **options: Any) -> None:
        if count < 0:
            raise CommandError("The count is a number from 0.")
        model = TrainedModel.objects.order_by("-pk").first()
        if model is None:
            raise CommandError("No model is registered. Run: python manage.py install_pretrained")
        all_of_them = wording.counted(count, "prediction", "predictions")
        done = 0
        with endings.stoppable(lambda: f"Invented {done} of {all_of_them}."):
            for done in _fill(model, count, random.Random(seed)):
                if verbosity >= 2:
                    self.stdout.write(f"{done} of {count}")
        if verbosity >= 1:
            self.stdout.write(self.style.SUCCESS(f"Invented {all_of_them}."))


def _fill(model: TrainedModel, count: int, rng: random.Random) -> Iterator[int]:
    now = timezone.now()
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        Prediction.objects.bulk_create([_invent(model, now, rng) for _ in range(size)])
        yield start + size


def _invent(model: TrainedModel, now: datetime, rng: random.Random) -> Prediction:
    numerals = SCRIPTS[model.script].numerals
    label = rng.choice(numerals)
    confidence = 1 - rng.random() ** 4
    verdict, reason = _judge(confidence, rng)
    text = "" if verdict == "refused" else label
    created_at = now - timedelta(days=rng.random() * 365 * YEARS)
    is_reviewed = rng.random() < REVIEWED
    rest = (1 - confidence) / 9
    return Prediction(
        picture_width=280,
        picture_height=280,
        source=rng.choice(Prediction.Source.values),
        script=model.script,
        text=text,
        confidence=confidence,
        verdict=verdict,
        reason=reason,
        digits=[
            {
                "label": label,
                "probabilities": [confidence if n == label else rest for n in numerals],
                "box": [70, 56, 140, 168],
                "field": "",
            }
        ],
        model=model,
        duration_ms=rng.uniform(1, 4),
        created_at=created_at,
        true_text=(text if rng.random() < 0.97 else numerals[0]) if is_reviewed else "",
        reviewed_at=created_at + timedelta(hours=3) if is_reviewed else None,
    )


def _judge(confidence: float, rng: random.Random) -> tuple[str, str]:
    if confidence > 0.9:
        return "accepted", ""
    if confidence > 0.3:
        return "unsure", "unsure"
    return "refused", rng.choice(["not_a_digit", "blank", "several_digits", "too_faint"])
