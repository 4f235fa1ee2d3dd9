from __future__ import annotations

import re
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recognition import wording
from recognition.management import endings
from recognition.models import Prediction, PredictionQuerySet, delete_pictures

OUR_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}[.\w]*")  # what `Prediction` calls a picture
STRAY_AFTER = 24 * 3600  # seconds; a younger file may be about to get its record
STRAYS = ("picture that no record names", "pictures that no record names")
PICTURES = ("picture", "pictures")
PREDICTIONS = ("prediction with its picture", "predictions with their pictures")
FOR_THE_REST = "Run it again for the rest, with --strays for pictures that lost their records."


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
            "--strays",
            action="store_true",
            help="remove, too, pictures in PICTURE_ROOT that are a day old and that no record of "
            "this database names: what is left when a file could not be deleted",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go, and change nothing"
        )
        parser.add_argument(
            "--no-input", action="store_false", dest="interactive", help="do not ask"
        )

    @endings.stoppable()
    def handle(
        self,
        *,
        older_than: int,
        pictures_only: bool,
        strays: bool,
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
        stray = _strays() if strays else []
        what = PICTURES if pictures_only else PREDICTIONS
        asked = wording.counted(count, *what)
        if dry_run:
            days = wording.counted(older_than, "day", "days")
            self.stdout.write(f"Would delete {asked} older than {days}.")
            if strays:
                self.stdout.write(f"Would delete {wording.counted(len(stray), *STRAYS)}.")
            return
        too = f" and {wording.counted(len(stray), *STRAYS)}" if strays else ""
        if interactive and (count or stray) and not self._is_agreed(f"Delete {asked}{too}?"):
            raise CommandError("Nothing was deleted.")
        done = 0
        with endings.stoppable(lambda: f"Deleted at least {done} of {asked}. {FOR_THE_REST}"):
            for done in _prune(old, pictures_only=pictures_only):
                if verbosity >= 2:
                    self.stdout.write(f"{done} of {count}")
            gone = delete_pictures(stray)
        if verbosity >= 1:
            self.stdout.write(self.style.SUCCESS(f"Deleted {wording.counted(done, *what)}."))
            if strays:
                self.stdout.write(self.style.SUCCESS(f"Deleted {wording.counted(gone, *STRAYS)}."))

    def _is_agreed(self, question: str) -> bool:
        try:
            return input(f"{question} Type 'yes' to go on: ").strip().lower() == "yes"
        except EOFError as error:
            raise CommandError("Nobody is there to ask. Add --no-input to go on.") from error


def _prune(old: PredictionQuerySet, *, pictures_only: bool) -> Iterator[int]:
    done = 0
    for batch in old.order_by("pk").batches():
        done += batch.purge_pictures() if pictures_only else batch.delete()[0]
        yield done


def _strays() -> list[str]:
    root, latest = Path(settings.PICTURE_ROOT), time.time() - STRAY_AFTER
    old = [path for path in root.glob("??/*") if path.is_file() and path.stat().st_mtime < latest]
    named = set(Prediction.objects.exclude(picture="").values_list("picture", flat=True))
    names = sorted(path.relative_to(root).as_posix() for path in old)
    return [name for name in names if OUR_NAME.fullmatch(name) and name not in named]
