"""Tables that leave the site, and the pictures with them."""

from __future__ import annotations

import csv
import json
import logging
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from recognition import wording
from recognition.models import Prediction

logger = logging.getLogger(__name__)

COLUMNS: dict[str, Callable[[Prediction], object]] = {
    "id": lambda prediction: str(prediction.public_id),
    "created_at": lambda prediction: prediction.created_at.isoformat(timespec="seconds"),
    "source": lambda prediction: prediction.source,
    "script": lambda prediction: prediction.script,
    "text": lambda prediction: prediction.text,
    "confidence": lambda prediction: wording.rounded(prediction.confidence),
    "verdict": lambda prediction: prediction.verdict,
    "reason": lambda prediction: prediction.reason,
    "true_text": lambda prediction: prediction.true_text,
    "reviewed_at": lambda prediction: (
        prediction.reviewed_at.isoformat(timespec="seconds") if prediction.reviewed_at else ""
    ),
    "reviewed_by": lambda prediction: (
        prediction.reviewed_by.get_username() if prediction.reviewed_by else ""
    ),
    "model": lambda prediction: prediction.model.version,
    "duration_ms": lambda prediction: round(prediction.duration_ms, 2),
}
OWN_COLUMNS = [name for name in COLUMNS if name != "reviewed_by"]  # staff keep their names
REVIEW = ("true_text", "reviewed_at")
BYTE_ORDER_MARK = "\ufeff"  # by which Excel knows that the letters are UTF-8
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: str) -> str:
    """Keep a spreadsheet from running a text as a formula: an apostrophe goes before it."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def csv_line(values: Iterable[object]) -> str:
    """A line for spreadsheets."""
    guarded = [cell(value) if isinstance(value, str) else value for value in values]
    return plain_csv_line(guarded, end="\r\n")


def plain_csv_line(values: Iterable[object], *, end: str = "\n") -> str:
    """A line for programs, with every text as it is."""
    echo = _Echo()
    csv.writer(echo, lineterminator=end).writerow(values)
    return echo.line


def csv_head(columns: Iterable[str]) -> str:
    """The first line of a file that browsers download, for spreadsheets."""
    return BYTE_ORDER_MARK + csv_line(columns)


def predictions_csv(predictions: Iterable[Prediction]) -> Iterator[str]:
    """Lines of a CSV file."""
    yield csv_head(COLUMNS)
    for prediction in predictions:
        yield csv_line(_values(prediction, COLUMNS))


def own_csv(predictions: Iterable[Prediction]) -> Iterator[str]:
    """The same for the person whom the records belong to."""
    yield csv_head(OWN_COLUMNS)
    for prediction in predictions:
        yield csv_line(_values(prediction, OWN_COLUMNS))


def own_json(predictions: Iterable[Prediction]) -> Iterator[str]:
    """The parts of one JSON list, an object a line."""
    start = "[\n"
    for prediction in predictions:
        entry = dict(zip(OWN_COLUMNS, _values(prediction, OWN_COLUMNS), strict=True))
        yield start + json.dumps(entry)
        start = ",\n"
    yield "[]\n" if start == "[\n" else "\n]\n"


def own_zip(walk: Callable[[], Iterable[Prediction]]) -> Iterator[bytes]:
    """The parts of a ZIP file: the records as JSON, and each picture under its record's id.

    `walk` goes through the records; it is asked twice, so that no more than one is in memory.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("digits.json", "w") as table:
            for part in own_json(walk()):
                table.write(part.encode())
                yield sink.take()
        for prediction in walk():
            _add_picture(archive, prediction)
            yield sink.take()
    yield sink.take()


def _add_picture(archive: zipfile.ZipFile, prediction: Prediction) -> None:
    kept = prediction.picture
    if not kept:
        return
    try:
        with kept.open() as file:
            data = file.read()
    except OSError:
        logger.exception("The picture of prediction %s is missing or damaged", prediction.public_id)
        return
    archive.writestr(f"pictures/{prediction.public_id}{Path(str(kept.name)).suffix}", data)


def _values(prediction: Prediction, columns: Iterable[str]) -> list[object]:
    return [COLUMNS[name](prediction) for name in columns]


class _Echo:
    """The file that a csv.writer wants; it keeps the line."""

    line = ""

    def write(self, line: str) -> None:
        self.line = line


class _Sink:
    """The file that a ZipFile writes to; it gives away what has come so far."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
