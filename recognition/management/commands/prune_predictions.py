from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recognition.models import Prediction, PredictionQuerySet

BATCH = 500  # records a transaction: other writers need not wait long


class Command(BaseCommand):
    help = "Delete old predictions with their pictures, or their pictures alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=int, required=True, metavar="DAYS", help="age in days"
        )
        parser.add_argument(
            "--pictures-only",
            action="store_true",
            help="remove the pictures and keep the records",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go, and change nothing"
        )
        parser.add_argument(
            "--no-input", action="store_false", dest="interactive", help="do not ask"
        )

    def handle(
        self,
        *,
        older_than: int,
        pictures_only: bool,
        dry_run: bool,
        interactive: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        if not 0 <= older_than <= 36500:
            raise CommandError("--older-than takes a number of days from 0 to 36500.")
        old = Prediction.objects.filter(created_at__lt=timezone.now() - timedelta(days=older_than))
        if pictures_only:
            old = old.exclude(picture="")
        count = old.count()
        what = "pictures" if pictures_only else "predictions with their pictures"
        if dry_run:
            self.stdout.write(f"Would delete {count} {what} older than {older_than} days.")
            return
        if interactive and count and not self._is_agreed(f"Delete {count} {what}?"):
            raise CommandError("Nothing was deleted.")
        done = self._prune(old, pictures_only=pictures_only, count=count, verbosity=verbosity)
        if verbosity >= 1:
            self.stdout.write(self.style.SUCCESS(f"Deleted {done} {what}."))

    def _is_agreed(self, question: str) -> bool:
        try:
            return input(f"{question} Type 'yes' to go on: ").strip().lower() == "yes"
        except EOFError as error:
            raise CommandError("Nobody is there to ask. Add --no-input to go on.") from error

    def _prune(
        self, old: PredictionQuerySet, *, pictures_only: bool, count: int, verbosity: int
    ) -> int:
        done = 0
        while keys := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            batch = Prediction.objects.filter(pk__in=keys)
            batch.purge_pictures() if pictures_only else batch.delete()
            done += len(keys)
            if verbosity >= 2:
                self.stdout.write(f"{done} of {count}")
        return done
