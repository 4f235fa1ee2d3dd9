"""Where a list goes on: behind the last record that was shown, whatever came or went since."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from recognition.models import Prediction, PredictionQuerySet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PATTERN = re.compile(r"(\d{1,16})-(\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """A place between two records of a list that is sorted by time, then by key."""

    created_at: datetime
    pk: int

    @classmethod
    def at(cls, prediction: Prediction) -> Cursor:
        return cls(prediction.created_at, prediction.pk)

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises ValueError for a text that no cursor gives."""
        found = PATTERN.fullmatch(text)
        if not found:
            raise ValueError("This is not a cursor of a list.")
        microseconds, pk = map(int, found.groups())
        return cls(EPOCH + timedelta(microseconds=microseconds), pk)

    def __str__(self) -> str:
        return f"{(self.created_at - EPOCH) // timedelta(microseconds=1)}-{self.pk}"

    def including(self) -> Cursor:
        """The place from which the newer list starts with the record that stood here."""
        return Cursor(self.created_at, max(self.pk - 1, 0))

    def older(self, predictions: PredictionQuerySet) -> PredictionQuerySet:
        same_or_less = Q(created_at__lt=self.created_at) | Q(pk__lt=self.pk)
        return predictions.filter(same_or_less, created_at__lte=self.created_at)

    def newer(self, predictions: PredictionQuerySet) -> PredictionQuerySet:
        same_or_more = Q(created_at__gt=self.created_at) | Q(pk__gt=self.pk)
        return predictions.filter(same_or_more, created_at__gte=self.created_at)


def newest_first(predictions: PredictionQuerySet) -> PredictionQuerySet:
    return predictions.order_by("-created_at", "-pk")


def page(
    predictions: PredictionQuerySet, *, limit: int, cursor: Cursor | None
) -> tuple[list[Prediction], Cursor | None]:
    """The newest records, or those behind a place, and where the next page begins.

    Nothing is counted and nothing is skipped, so the thousandth page is as fast as the first.
    """
    if cursor:
        predictions = cursor.older(predictions)
    found = list(newest_first(predictions)[: limit + 1])
    more = Cursor.at(found[limit - 1]) if len(found) > limit else None
    return found[:limit], more
