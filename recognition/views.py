from __future__ import annotations

import base64
import io
import logging
import uuid
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models.fields.files import FieldFile
from django.forms import Form
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml import images, reports
from ml.images import PictureError
from ml.scripts import LATIN
from recognition import inside, model_facts, recognizers, replies, several, visitors, wording
from recognition.forms import PictureForm
from recognition.models import NotStored, Prediction, TrainedModel

logger = logging.getLogger(__name__)

THUMBNAIL = 192  # px, twice what lists show, for dense screens
CONTENT_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}  # what `images.keep` writes


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recognize(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show_form(request, PictureForm())

    if len(request.FILES.getlist("picture")) > 1:
        return _recognize_several(request)

    form = PictureForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show_form(request, form, status=422)

    try:
        answer = recognizers.answer(form.cleaned_data["picture"].read(), LATIN.code)
    except PictureError as error:
        form.reject(error)
        return _show_form(request, form, status=422)
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        return render(request, "recognition/unavailable.html", status=503)

    if not visitors.may_keep(request):
        return show_unkept(request, answer)

    source = Prediction.Source.UPLOAD
    try:
        return redirect(Prediction.record(answer, source=source, **visitors.keeper(request)))
    except NotStored:
        logger.exception("A picture was not stored")
        return replies.not_stored(request)


def _recognize_several(request: HttpRequest) -> HttpResponse:
    form = several.SeveralForm(request.POST, request.FILES, may_keep=visitors.may_keep(request))
    if not form.is_valid():
        return _show_form(request, form, status=422)

    try:
        key = several.read(request, form.cleaned_data["picture"])
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        return render(request, "recognition/unavailable.html", status=503)

    return redirect("several", key)


def show_unkept(
    request: HttpRequest,
    answer: recognizers.Answer,
    source: str = Prediction.Source.UPLOAD,
) -> HttpResponse:
    """Show what was read to a person for whom nothing is kept."""
    prediction = Prediction.of(answer, source=source)
    context = {**_about(prediction), "is_own": False}
    return render(request, "recognition/not_kept.html", context)


def _show_form(request: HttpRequest, form: Form, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "most_files": several.MAX_FILES,
        "most_bytes": several.MAX_TOTAL_BYTES,
    }
    return render(request, "recognition/recognize.html", context, status=status)


@never_cache
@require_safe
def result(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    prediction = _find(request, public_id)
    is_own = Prediction.objects.for_visitor(request).filter(pk=prediction.pk).exists()
    return render(request, "recognition/result.html", {**_about(prediction), "is_own": is_own})


def _about(prediction: Prediction) -> dict[str, Any]:
    what, what_to_do = wording.explain(prediction.reason)
    return {
        "prediction": prediction,
        "numerals": prediction.model.card.get("labels", LATIN.numerals),
        "what": what,
        "what_to_do": what_to_do,
    }


@never_cache
@require_safe
def look_inside(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    prediction = _find(request, public_id)
    context = {
        "prediction": prediction,
        "numerals": prediction.model.card.get("labels", LATIN.numerals),
        "inside": inside.gather(prediction),
    }
    return render(request, "recognition/inside.html", context)


@require_POST
def delete(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    prediction = Prediction.objects.for_visitor(request).filter(public_id=public_id).first()
    if prediction is None:
        raise Http404

    prediction.delete()
    return redirect(replies.way_back(request, otherwise=reverse("history")))


@require_safe
def picture(request: HttpRequest, public_id: uuid.UUID) -> HttpResponseBase:
    return picture_file(request, _find(request, public_id))


@require_safe
def thumbnail(request: HttpRequest, public_id: uuid.UUID) -> HttpResponseBase:
    """The picture as lists show it: made when it is asked for, kept by the browser alone."""
    return picture_file(request, _find(request, public_id), side=THUMBNAIL)


def picture_file(
    request: HttpRequest, prediction: Prediction, *, side: int | None = None
) -> HttpResponseBase:
    """The picture of a prediction, reduced to a side, for somebody who may see it."""
    kept, public_id = prediction.picture, prediction.public_id
    if not kept:
        raise Http404("The picture was removed.")

    etag = quote_etag(f"{prediction.picture_sha256}-{side}" if side else prediction.picture_sha256)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged:
        return _private(unchanged)

    try:
        file = _shrink(kept, side) if side else kept.open()
    except OSError as error:
        logger.exception("The picture of prediction %s is missing or damaged", public_id)
        raise Http404("The picture is missing.") from error

    suffix = Path(str(kept.name)).suffix
    content_type = CONTENT_TYPES.get(suffix, "application/octet-stream")
    response = FileResponse(file, filename=f"{public_id}{suffix}", content_type=content_type)
    response["ETag"] = etag
    return _private(response)


def _shrink(kept: FieldFile, side: int) -> io.BytesIO:
    with kept.open() as file:
        return io.BytesIO(images.shrink(file.read(), side))


@require_safe
def field(request: HttpRequest, public_id: uuid.UUID, number: int) -> HttpResponseBase:
    digits = _find(request, public_id).digits
    encoded = digits[number].get("field") if number < len(digits) else None
    if not encoded:
        raise Http404("What the network saw was removed.")

    return _private(HttpResponse(base64.b64decode(encoded), content_type="image/png"))


def _find(request: HttpRequest, public_id: uuid.UUID) -> Prediction:
    """A prediction that this person may see: a stranger learns not even that it is there."""
    objects = Prediction.objects
    may_see = objects.all() if _sees_all(request, "prediction") else objects.for_visitor(request)
    prediction = may_see.filter(public_id=public_id).select_related("model").first()
    if prediction is None:
        raise Http404
    return prediction


def _sees_all(request: HttpRequest, kind: str) -> bool:
    """Whether the admin shows all records of this kind to the person who asks."""
    user = request.user
    return user.is_staff and any(
        user.has_perm(f"recognition.{may}_{kind}") for may in ("view", "change")
    )


def _private(response: HttpResponseBase) -> HttpResponseBase:
    """For one person only, never shown as anything but the picture that it is.

    The browser asks each time, so that a picture does not open after its owner has signed out.
    """
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def model(request: HttpRequest) -> HttpResponse:
    trained = TrainedModel.objects.active(LATIN.code)
    if trained is None:
        return render(request, "recognition/unavailable.html", status=503)

    context = {
        "model": trained,
        "facts": model_facts.gather(trained.card, reports.read(trained.directory)),
        "plots": model_facts.plots(trained.directory),
    }
    return render(request, "recognition/model.html", context)


@require_safe
def model_plot(request: HttpRequest, version: str, plot: str) -> HttpResponseBase:
    """A plot of the active model for everybody, of the others for who sees them in the admin."""
    trained = TrainedModel.objects.defer("card").filter(version=version).first()
    if trained is None:
        raise Http404

    if not trained.is_active and not _sees_all(request, "trainedmodel"):
        raise Http404

    try:
        file = reports.plot_path(trained.directory, plot).open("rb")
    except (ValueError, OSError) as error:
        raise Http404 from error

    response = FileResponse(file, content_type="image/png")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """For whoever watches the server: does the database answer, is there a usable model?"""
    try:
        recognizers.active(LATIN.code)
    except DatabaseError:
        logger.exception("The database does not answer")
        return JsonResponse({"status": "no database"}, status=503)
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        return JsonResponse({"status": "no model"}, status=503)
    return JsonResponse({"status": "ok"})
