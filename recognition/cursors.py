"""Where a list goes on: behind the last record that was shown, whatever came or went since."""

from __future__ import annotations

import base64
import re
from datetime import datetime

from django.db.models import Q

from recognition.models import Prediction, PredictionQuerySet

PATTERN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00) (\d{1,18})", re.ASCII)
Place = tuple[datetime, int]


def after(prediction: Prediction) -> str:
    """The place of a record in a list that begins with the newest, as text for a URL."""
    text = f"{prediction.created_at.isoformat()} {prediction.pk}"
    return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def parse(text: str) -> Place:
    """Raises ValueError for a text that `after` did not make."""
    padded = text + "=" * (-len(text) % 4)
    found = PATTERN.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    if found is None:
        raise ValueError("This is not a cursor of this list.")
    return datetime.fromisoformat(found[1]), int(found[2])


def page(
    predictions: PredictionQuerySet, *, limit: int, cursor: Place | None
) -> tuple[list[Prediction], str | None]:
    """The newest records, or those behind a place, and where the next page begins.

    Nothing is counted and nothing is skipped, so the thousandth page is as fast as the first.
    """
    if cursor:
        created_at, pk = cursor
        predictions = predictions.filter(
            Q(created_at__lt=created_at) | Q(pk__lt=pk), created_at__lte=created_at
        )
    found = list(predictions.order_by("-created_at", "-pk")[: limit + 1])
    more = after(found[limit - 1]) if len(found) > limit else None
    return found[:limit], more
