from __future__ import annotations

import itertools
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from ml import batch, cards
from ml.batch import FileReading
from ml.scripts import SCRIPTS
from recognition import recognizers, wording
from recognition.exports import plain_csv_line
from recognition.management import endings
from recognition.models import NotStored, Prediction, TrainedModel
from recognition.recognizers import Answer
from recognition.templatetags.reading import percent

COLUMNS = ("file", "text", "confidence", "verdict", "reason")
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"}
TABLE = "{:<44} {:<5} {:>10}  {:<9} {}"


class Command(BaseCommand):
    help = (
        "Read the digit in each picture and tell it on one line. A folder stands for all the "
        "pictures in it and in its folders, by name, but links to folders are not followed; '-' "
        "stands for paths on standard input, one a line. A file or folder that cannot be read has "
        "the verdict 'error' and the reason on its line, and the next one follows; the exit "
        "status is 1 only when no file could be read. After Ctrl-C what has its line stays stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, or -")
        parser.add_argument("--script", default="latin", choices=sorted(SCRIPTS))
        parser.add_argument(
            "--format",
            default="table",
            choices=("table", "csv", "json"),
            help="json is one object a line",
        )
        parser.add_argument(
            "--no-save", action="store_false", dest="save", help="keep no record and no picture"
        )
        parser.add_argument(
            "--workers",
            type=int,
            help="processes that read; by default one a core, and 1 for '-', which answers "
            "each path before it reads the next",
        )

    @endings.stoppable()
    @endings.reader_may_leave()
    def handle(
        self,
        *,
        paths: list[str],
        script: str,
        format: str,
        save: bool,
        workers: int | None,
        verbosity: int,
        **options: Any,
    ) -> None:
        if workers is not None and workers < 1:
            raise CommandError("--workers takes a number from 1.")
        if "" in paths:
            raise CommandError("A path is empty: is a variable not set? This folder is '.'.")
        model = _active(script)
        try:
            results = batch.read_files(
                model.directory,
                _files(paths),
                workers=workers or (1 if "-" in paths else os.cpu_count() or 1),
                keep=save,
            )
            read, failed = self._tell_all(results, format, model if save else None)
        except (cards.CardError, NotStored) as error:
            raise CommandError(str(error)) from error
        except BrokenProcessPool as error:
            raise CommandError("A process that reads was killed: is memory short?") from error
        except DatabaseError as error:
            raise CommandError(
                f"The database did not take a record: {error}. What has its line above is stored."
            ) from error
        if not read:
            raise CommandError(
                "No file could be read." if failed else f"No pictures in {' '.join(paths)}."
            )
        if failed and verbosity >= 1:
            self.stderr.write(f"{failed} of {read + failed} files could not be read.")

    def _tell_all(
        self, results: Iterator[list[FileReading]], format: str, model: TrainedModel | None
    ) -> tuple[int, int]:
        """Write a line for each result, after its record is kept; count the read and the failed."""
        read = failed = 0
        endings.write(self.stdout, _header(format))
        for chunk in results:
            if model is not None:
                _keep(chunk, model)
            endings.write(self.stdout, "".join(_line(result, format) for result in chunk))
            failed += sum(bool(result.error) for result in chunk)
            read += sum(not result.error for result in chunk)
        return read, failed


def _active(script: str) -> TrainedModel:
    try:
        return recognizers.active(script)[0]
    except recognizers.ModelUnavailable as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(
            f"The database does not say which model reads: {error}. Does it answer, and has "
            "'python manage.py migrate' made its tables?"
        ) from error


def _files(paths: list[str]) -> Iterator[str]:
    for path in paths:
        if path == "-":  # bytes: a name need not be text in any encoding
            names = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
            yield from itertools.chain.from_iterable(map(_expand, filter(None, names)))
        else:
            yield from _expand(path)


def _expand(name: str) -> Iterator[str]:
    """The pictures of a folder; what cannot be entered stands for itself, to get its line.

    A `Path` would forget how the name was written: what is told of `./3.png` is told of `./3.png`.
    """
    if not _is_folder(Path(name)):
        yield name
        return
    closed: list[str] = []
    for folder, folders, files in os.walk(
        name, onerror=lambda error: closed.append(error.filename)
    ):
        folders.sort()
        for file in sorted(files):
            if Path(file).suffix.lower() in SUFFIXES and not file.startswith("."):
                yield _within(folder, file)
        yield from (_within(folder, name) for name in folders if Path(folder, name).is_symlink())
    yield from closed


def _within(folder: str, name: str) -> str:
    return f"{folder}{name}" if folder.endswith(("/", os.sep)) else f"{folder}{os.sep}{name}"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # the name is too long, or a folder on the way may not be entered
        return False


def _keep(chunk: list[FileReading], model: TrainedModel) -> None:
    if not connection.in_atomic_block:  # hours may have passed: a dead one is opened anew
        connection.close_if_unusable_or_obsolete()
    Prediction.record_many(
        [
            Answer(result.reading, result.kept, model, result.duration_ms)
            for result in chunk
            if result.reading and result.kept
        ],
        source=Prediction.Source.COMMAND,
    )


def _header(format: str) -> str:
    if format == "csv":
        return plain_csv_line(COLUMNS)
    return TABLE.format(*COLUMNS).rstrip() + "\n" if format == "table" else ""


def _line(result: FileReading, format: str) -> str:
    values = _values(result)
    if format == "json":
        return json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False) + "\n"
    file, text, confidence, verdict, reason = values
    if format == "csv":
        shown = "" if confidence is None else f"{confidence:.4f}"
        return plain_csv_line((file, text, shown, verdict, reason))
    shown = "" if confidence is None else percent(confidence)
    return TABLE.format(_on_one_line(file), text or "-", shown, verdict, reason).rstrip() + "\n"


def _values(result: FileReading) -> tuple[str, str, float | None, str, str]:
    file = os.fsencode(result.path).decode("utf-8", "backslashreplace")
    reading = result.reading
    if reading is None:
        return file, "", None, "error", result.error
    reason = reading.reason.value if reading.reason else ""
    return file, reading.text, wording.rounded(reading.confidence), reading.verdict.value, reason


def _on_one_line(name: str) -> str:
    """A name whose line breaks and control characters cannot disturb a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in name
    )
