"""Several pictures at once: one row for each file, readable or not."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from django import forms
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.core.exceptions import TooManyFilesSent, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ml.images import PictureError
from ml.scripts import LATIN
from recognition import exports, intake, recognizers, replies, visitors, wording
from recognition.forms import PictureForm
from recognition.models import NotStored, Prediction

logger = logging.getLogger(__name__)

MAX_FILES = intake.MAX_PICTURES
MAX_TOTAL_BYTES = intake.MAX_FORM_BYTES
TABLES_KEPT = 3  # in the visitor's session; the records themselves stay
NAME_LENGTH = 100
COLUMNS = ("file", "text", "confidence", "verdict", "reason", "problem", "id", *exports.REVIEW)
TOO_MANY = (
    f"At most {MAX_FILES} pictures can be sent at once. Nothing was stored. "
    "Please choose fewer and send the others afterwards."
)
SIGN_IN = "Please send one picture at a time, or sign in: without an account nothing is kept."
Pictures: TypeAlias = "list[UploadedFile[Any]]"
Tables: TypeAlias = dict[str, list[dict[str, str]]]  # by their keys, the newest last


class SeveralForm(forms.Form):
    """The form's files together; each is looked at by itself when it is read."""

    picture = forms.Field(required=False, widget=forms.FileInput)
    table = forms.UUIDField(required=False)

    def __init__(self, *args: Any, may_keep: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_keep = may_keep

    def clean_picture(self) -> Pictures:
        if not self.may_keep:
            raise ValidationError(SIGN_IN, code="sign_in")
        pictures: Pictures = self.files.getlist("picture")
        if not pictures:
            raise ValidationError("Please select an image file.", code="required")
        if len(pictures) > MAX_FILES:
            raise ValidationError(TOO_MANY, code="too_many_files")
        total = sum(picture.size or 0 for picture in pictures)
        if total > MAX_TOTAL_BYTES:
            raise ValidationError(
                f"The files have {total / 1e6:.0f} MB together; at most "
                f"{MAX_TOTAL_BYTES / 1e6:.0f} MB can be sent at once. Nothing was stored. "
                "Please choose fewer and send the others afterwards.",
                code="too_large_together",
            )
        return pictures


@dataclass(frozen=True)
class Row:
    """What became of one file: a prediction, or what was wrong."""

    name: str
    prediction: Prediction | None
    problem: str = ""

    @property
    def has_answer(self) -> bool:
        return self.prediction is not None and bool(self.prediction.text)

    @property
    def why(self) -> str:
        """Why a picture was not read, in words; empty when it was."""
        if self.prediction is None or self.has_answer:
            return ""
        return wording.explain(self.prediction.reason)[0]


def read(request: HttpRequest, pictures: Pictures) -> uuid.UUID:
    """Read and keep the pictures; returns the key of their table.

    Raises:
        ModelUnavailable: before anything is stored.
    """
    recognizers.active(LATIN.code)
    key = uuid.uuid4()
    _remember(request, key, [_read_one(request, picture) for picture in pictures])
    return key


@never_cache
@require_POST
def add(request: HttpRequest) -> JsonResponse:
    """Read some more pictures of a table that grows while the visitor looks at it."""
    form = SeveralForm(request.POST, request.FILES, may_keep=visitors.may_keep(request))
    if not form.is_valid():
        return replies.mistake(form)

    key, pictures = form.cleaned_data["table"], form.cleaned_data["picture"]
    known = _entries(request, key) if key else []
    if len(known) + len(pictures) > MAX_FILES:
        form.add_error("picture", ValidationError(TOO_MANY, code="too_many_files"))
        return replies.mistake(form)

    try:
        recognizers.active(LATIN.code)
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        return replies.unavailable()

    key = key or uuid.uuid4()
    rows = [_read_one(request, picture) for picture in pictures]
    _remember(request, key, rows)
    html = render_to_string("recognition/_several_rows.html", {"rows": rows}, request)
    return JsonResponse(
        {"table": str(key), "address": reverse("several", args=[key]), "rows": html}
    )


@never_cache
@require_safe
def table(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    rows = _rows(request, key)
    read = sum(row.has_answer for row in rows)
    context = {"key": key, "rows": rows, "read": read, "others": len(rows) - read}
    return render(request, "recognition/several.html", context)


@never_cache
@require_safe
def table_csv(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    lines = "".join(_csv_lines(_rows(request, key)))
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="digits.csv"'
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The site's `handler400`: the one mistake that people make gets words of its own."""
    if isinstance(exception, TooManyFilesSent):
        return render(request, "recognition/too_many.html", {"most": MAX_FILES}, status=400)
    return defaults.bad_request(request, exception)


def _read_one(request: HttpRequest, picture: UploadedFile[Any]) -> Row:
    name = (picture.name or "")[:NAME_LENGTH]
    form = PictureForm({}, MultiValueDict({"picture": [picture]}))
    if not form.is_valid():
        return Row(name, None, str(form.errors["picture"][0]))
    try:
        answer = recognizers.answer(picture.read(), LATIN.code)
    except PictureError as error:
        return Row(name, None, str(error))
    source = Prediction.Source.UPLOAD
    try:
        return Row(name, Prediction.record(answer, source=source, **visitors.keeper(request)))
    except NotStored:
        logger.exception("A picture was not stored")
        return Row(name, None, replies.NOT_STORED)


def _remember(request: HttpRequest, key: uuid.UUID, rows: list[Row]) -> None:
    """Add rows to a table in the session, which forgets the oldest tables.

    A session is saved whole. While the pictures were read, another tab of the same visitor may
    have added to its own table, so what is stored now is read once more and locked meanwhile.
    """
    session = request.session
    tables: Tables = session.get("several", {})
    if session.session_key is None:  # nothing is stored yet; Django does it after the answer
        session["several"] = _with_rows(tables, key, rows)
        return

    with transaction.atomic():
        stored = Session.objects.select_for_update().filter(pk=session.session_key).first()
        if stored is None:
            raise SessionInterrupted("The visitor signed out meanwhile.")
        session["several"] = _with_rows(stored.get_decoded().get("several", {}), key, rows)
        session.save()
    session.modified = False  # saved; once more would undo what comes in between


def _with_rows(tables: Tables, key: uuid.UUID, rows: list[Row]) -> Tables:
    entries = tables.pop(str(key), []) + [_entry(row) for row in rows]
    return dict([*tables.items(), (str(key), entries)][-TABLES_KEPT:])


def _entry(row: Row) -> dict[str, str]:
    if row.prediction is None:
        return {"name": row.name, "problem": row.problem}
    return {"name": row.name, "id": str(row.prediction.public_id)}


def _entries(request: HttpRequest, key: uuid.UUID) -> list[dict[str, str]]:
    try:
        entries: list[dict[str, str]] = request.session.get("several", {})[str(key)]
    except KeyError as error:
        raise Http404("There is no such table in this session.") from error
    return entries


def _rows(request: HttpRequest, key: uuid.UUID) -> list[Row]:
    """The table as it is now: what was deleted since is gone, what was corrected is corrected."""
    entries = _entries(request, key)
    own = Prediction.objects.for_visitor(request).defer("digits")
    ids = [entry["id"] for entry in entries if "id" in entry]
    found = {str(prediction.public_id): prediction for prediction in own.filter(public_id__in=ids)}
    return [_row(entry, found.get(entry.get("id", ""))) for entry in entries]


def _row(entry: dict[str, str], prediction: Prediction | None) -> Row:
    problem = "" if prediction else entry.get("problem", "It was deleted since.")
    return Row(entry["name"], prediction, problem)


def _csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    yield exports.csv_head(COLUMNS)
    for row in rows:
        read = row.prediction
        if read is None:
            yield exports.csv_line((row.name, "", "", "", "", row.problem, "", "", ""))
            continue
        what = wording.explain(read.reason)[0] if read.reason else ""
        values = (read.text, wording.rounded(read.confidence), read.verdict, read.reason, what)
        reviewed = [exports.COLUMNS[name](read) for name in exports.REVIEW]
        yield exports.csv_line((row.name, *values, str(read.public_id), *reviewed))
