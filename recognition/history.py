"""What was read for a person: found again, narrowed down, taken along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recognition import cursors, exports
from recognition.cursors import Cursor, newest_first
from recognition.models import Prediction, PredictionQuerySet
from recognition.templatetags.reading import VERDICTS

PAGE_SIZE = 24  # fills two, three and four columns
CHUNK = 1000  # records a query when all are taken along
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "zip": "application/zip",
}
DAYS = (  # whatever the time zone, the moment is one that every database can hold
    MinValueValidator(date(1970, 1, 2), "Please choose a day from 1970 on."),
    MaxValueValidator(date(2200, 1, 1), "Please choose a day before 2200."),
)


class Filters(forms.Form):
    verdict = forms.ChoiceField(
        label="How sure", required=False, choices=[("", "Any"), *VERDICTS.items()]
    )
    source = forms.ChoiceField(
        label="Came by", required=False, choices=[("", "Any way"), *Prediction.Source.choices]
    )
    right = forms.ChoiceField(
        label="Was it right",
        required=False,
        choices=[("", "Any"), ("yes", "Right"), ("no", "Wrong"), ("unsaid", "Not said")],
    )
    since = forms.DateField(label="From", required=False, validators=DAYS)
    until = forms.DateField(label="To", required=False, validators=DAYS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            error = ValidationError("The last day is before the first.", code="order")
            self.add_error("until", error)

    @property
    def is_set(self) -> bool:
        return self.is_valid() and any(self.cleaned_data.values())

    def narrow(self, predictions: PredictionQuerySet) -> PredictionQuerySet:
        asked = self.cleaned_data
        if asked["verdict"]:
            # Not `verdict=`: that has an index of its own, in which everybody's records lie.
            others = set(Prediction.Verdict.values) - {asked["verdict"]}
            predictions = predictions.exclude(verdict__in=sorted(others))
        if asked["source"]:
            predictions = predictions.filter(source=asked["source"])
        if asked["right"]:
            predictions = _said(predictions, asked["right"])
        if asked["since"]:
            predictions = predictions.filter(created_at__gte=_moment(asked["since"], time.min))
        if asked["until"]:
            predictions = predictions.filter(created_at__lte=_moment(asked["until"], time.max))
        return predictions


def _said(predictions: PredictionQuerySet, right: str) -> PredictionQuerySet:
    if right == "unsaid":
        return predictions.not_reviewed()
    return predictions.read_right() if right == "yes" else predictions.read_wrong()


def _moment(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))


@dataclass(frozen=True)
class Page:
    """Some records, the newest first, and the places from which the list goes on."""

    predictions: list[Prediction]
    newer: Cursor | None = None
    older: Cursor | None = None


def page_of(predictions: PredictionQuerySet, *, before: str = "", after: str = "") -> Page:
    """One page, found without counting: one row more than is shown says whether there is more."""
    try:
        if before:
            return _page_before(predictions, Cursor.parse(before))
        if after:
            return _page_after(predictions, Cursor.parse(after))
    except ValueError as error:
        raise Http404("There is no such place in the history.") from error
    return _page_before(predictions, None)


def _page_before(predictions: PredictionQuerySet, cursor: Cursor | None) -> Page:
    shown, older = cursors.page(predictions, limit=PAGE_SIZE, cursor=cursor)
    newer = cursor and (Cursor.at(shown[0]) if shown else cursor.including())
    return Page(shown, newer, older)


def _page_after(predictions: PredictionQuerySet, cursor: Cursor) -> Page:
    found = list(cursor.newer(predictions).order_by("created_at", "pk")[: PAGE_SIZE + 1])
    if len(found) <= PAGE_SIZE:
        return _page_before(predictions, None)
    shown = found[PAGE_SIZE - 1 :: -1]
    return Page(shown, Cursor.at(shown[0]), Cursor.at(shown[-1]))


def walk(predictions: PredictionQuerySet) -> Iterator[Prediction]:
    """All of them, the newest first, so that few are in memory at a time.

    `iterator()` is not enough: MySQL's driver fetches the whole answer first.
    """
    rest = predictions
    while True:
        chunk = list(newest_first(rest)[:CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return
        rest = Cursor.at(chunk[-1]).older(predictions)


@never_cache
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    filters = Filters(request.GET)
    if not filters.is_valid():
        context: dict[str, Any] = {"filters": filters, "page": Page([])}
        return render(request, "recognition/history.html", context, status=422)

    found = filters.narrow(Prediction.objects.for_visitor(request).defer("digits"))
    before, after = request.GET.get("before", ""), request.GET.get("after", "")
    context = {"filters": filters, "page": page_of(found, before=before, after=after)}
    return render(request, "recognition/history.html", context)


@never_cache
@require_safe
def download_csv(request: HttpRequest) -> HttpResponseBase:
    return _download(request, "csv")


@never_cache
@require_safe
def download_json(request: HttpRequest) -> HttpResponseBase:
    return _download(request, "json")


@never_cache
@require_safe
def download_zip(request: HttpRequest) -> HttpResponseBase:
    """The records as JSON, with their pictures."""
    return _download(request, "zip")


def _download(request: HttpRequest, suffix: str) -> HttpResponseBase:
    filters = Filters(request.GET)
    if not filters.is_valid():
        return redirect(f"{reverse('history')}?{request.GET.urlencode()}")

    own = Prediction.objects.for_visitor(request).with_models()
    found = filters.narrow(own).defer("digits")
    response = StreamingHttpResponse(_parts(found, suffix), content_type=CONTENT_TYPES[suffix])
    response["Content-Disposition"] = f'attachment; filename="digits.{suffix}"'
    return response


def _parts(predictions: PredictionQuerySet, suffix: str) -> Iterator[bytes]:
    if suffix == "zip":
        return exports.own_zip(lambda: walk(predictions))
    lines = exports.own_csv if suffix == "csv" else exports.own_json
    return (line.encode() for line in lines(walk(predictions)))
