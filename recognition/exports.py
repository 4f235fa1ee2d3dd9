"""Tables that leave the site."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from recognition.models import Prediction, PredictionQuerySet

COLUMNS = (
    "id",
    "created_at",
    "source",
    "script",
    "text",
    "confidence",
    "verdict",
    "reason",
    "true_text",
    "reviewed_at",
    "reviewed_by",
    "model",
    "duration_ms",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: str) -> str:
    """Keep a spreadsheet from running a text as a formula: an apostrophe goes before it."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def csv_line(values: Iterable[object], *, end: str = "\r\n") -> str:
    echo = _Echo()
    csv.writer(echo, lineterminator=end).writerow(
        [cell(value) if isinstance(value, str) else value for value in values]
    )
    return echo.line


def predictions_csv(predictions: PredictionQuerySet) -> Iterator[str]:
    """Lines of a CSV file, read from the database as they are sent."""
    yield csv_line(COLUMNS)
    rows = predictions.select_related("model", "reviewed_by").defer("model__card", "digits")
    for prediction in rows.iterator(chunk_size=2000):
        yield csv_line(_values(prediction))


def _values(prediction: Prediction) -> tuple[object, ...]:
    return (
        str(prediction.public_id),
        prediction.created_at.isoformat(timespec="seconds"),
        prediction.source,
        prediction.script,
        prediction.text,
        round(prediction.confidence, 4),
        prediction.verdict,
        prediction.reason,
        prediction.true_text,
        prediction.reviewed_at.isoformat(timespec="seconds") if prediction.reviewed_at else "",
        prediction.reviewed_by.get_username() if prediction.reviewed_by else "",
        prediction.model.version,
        round(prediction.duration_ms, 2),
    )


class _Echo:
    """The file that a csv.writer wants; it keeps the line."""

    line = ""

    def write(self, line: str) -> None:
        self.line = line
