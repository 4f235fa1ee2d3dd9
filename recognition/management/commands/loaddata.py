from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management.base import CommandError
from django.core.management.commands import loaddata
from django.core.serializers.base import DeserializedObject
from django.db import IntegrityError

from recognition import wording
from recognition.models import Prediction


class Command(loaddata.Command):
    help = (
        f"{loaddata.Command.help} Pictures that lie beside a fixture come along. A prediction "
        "whose public id is there already stays as it is."
    )

    def handle(self, *fixture_labels: str, **options: Any) -> None:
        try:
            super().handle(*fixture_labels, **options)
        except IntegrityError as error:
            if f"{Prediction._meta.label}(" not in str(error):
                raise
            raise CommandError(
                f"{error}. Is the model registered that made these records? "
                "Run: python manage.py install_pretrained"
            ) from error
        brought = 0
        for folder in settings.FIXTURE_DIRS:
            brought += _bring_pictures(Path(folder, "pictures"), options["database"])
        if brought and options["verbosity"] >= 1:
            self.stdout.write(f"Brought {wording.counted(brought, 'picture', 'pictures')}.")

    def save_obj(self, obj: DeserializedObject) -> bool:
        record = obj.object
        if isinstance(record, Prediction) and _is_there(record, self.using):
            return False  # it may have been corrected meanwhile
        return super().save_obj(obj)


def _is_there(prediction: Prediction, database: str) -> bool:
    known = Prediction.objects.using(database).filter(public_id=prediction.public_id)
    return known.exists()


def _bring_pictures(folder: Path, database: str) -> int:
    """Copy the pictures that a record names and that are not there yet; returns how many."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*")}
    named = Prediction.objects.using(database).filter(picture__in=files)
    storage = storages["pictures"]
    missing = [name for name in named.values_list("picture", flat=True) if not storage.exists(name)]
    for name in missing:
        storage.save(name, ContentFile(files[name].read_bytes()))
    return len(missing)
