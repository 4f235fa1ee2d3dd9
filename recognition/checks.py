"""What `manage.py check` says of the model and the folders that the site needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.db import DatabaseError, connections

from ml import quiet

LOADING = {"check", "runserver"}  # commands for which models are loaded, not only compared


@checks.register()
def check_active_models(**kwargs: Any) -> list[CheckMessage]:
    """There is an active model, and every one has its files; where it matters, they are loaded."""
    from recognition.models import TrainedModel

    try:
        active = list(TrainedModel.objects.exclude(active_for=None).order_by("pk"))
    except DatabaseError:
        return []  # before the first `migrate`; or Django itself says what is wrong
    if not active:
        hint = "Run: python manage.py install_pretrained"
        return [checks.Warning("No model is active.", hint=hint, id="recognition.W001")]
    return list(_unusable(active))


def _unusable(models: Sequence[Any]) -> Iterator[CheckMessage]:
    from recognition import recognizers

    for model in models:
        try:
            if _command() not in LOADING:
                recognizers.compare(model)
                continue
            with quiet.native_libraries():
                recognizers.verify(model)
        except recognizers.ModelUnavailable as error:
            yield _problem(
                f"The active model {model.version} cannot be used. {error}",
                hint="Copy its directory back from where it came, or activate another model: "
                "python manage.py activate_model",
                id="recognition.E001",
            )


@checks.register()
def check_folders(**kwargs: Any) -> list[CheckMessage]:
    """Pictures and the counts of requests and wrong passwords can be written, models be read."""
    writing, reading = "no file can be written there", "no file can be read there"
    wanted = (
        ("PICTURE_ROOT", "E002", _can_be_written, writing),
        ("MODEL_ROOT", "E003", _can_be_read, reading),  # only a training writes there
        ("CACHE_ROOT", "E004", _can_be_written, writing),
    )
    return [
        _problem(
            f"{name} is {folder}, and {what}.",
            hint="Make the folder and give it to the user that the site runs as, or set "
            f"{name} to another.",
            id=f"recognition.{code}",
        )
        for name, code, is_usable, what in wanted
        for folder in [Path(getattr(settings, name))]
        if not is_usable(folder)
    ]


@checks.register(checks.Tags.database)
def check_collations(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A database keeps the digits of one script apart from those of another."""
    return [
        checks.Warning(
            f"The collation {collation} does not tell 1, \u0967 and \u0be7 apart: a search for a "
            "digit of one script finds those of others.",
            hint="docs/mysql.md tells how to change it, under The database.",
            id="recognition.W002",
        )
        for alias in databases or ()
        if connections[alias].vendor == "mysql"
        for collation in [_collation(alias)]
        if not _keeps_scripts_apart(alias, collation)
    ]


def _keeps_scripts_apart(alias: str, collation: str) -> bool:
    if not collation.startswith("utf8mb4_"):
        return False
    with connections[alias].cursor() as cursor:
        quoted = connections[alias].ops.quote_name(collation)
        cursor.execute(f"SELECT _utf8mb4 %s = _utf8mb4 %s COLLATE {quoted}", ["1", "\u0967"])
        return not cursor.fetchone()[0]


def _collation(alias: str) -> str:
    """That of the texts that are read; before the first `migrate` the database's."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE((SELECT collation_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = 'recognition_prediction' "
            "AND column_name = 'true_text'), @@collation_database)"
        )
        return str(cursor.fetchone()[0])


def _can_be_written(folder: Path) -> bool:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _can_be_read(folder: Path) -> bool:
    """One that is missing can be made: nothing was trained yet."""
    if not folder.exists():
        return _can_be_written(folder)
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _problem(message: str, *, hint: str, id: str) -> CheckMessage:
    """An error for whoever asks for it, a warning else.

    An error would keep the site's other pages from starting, and with them the very commands
    that repair the model.
    """
    kind = checks.Error if _command() == "check" else checks.Warning
    return kind(message, hint=hint, id=id)


def _command() -> str:
    return next(iter(sys.argv[1:2]), "")
