from __future__ import annotations

import base64
import logging
import uuid
from pathlib import Path

from django.db import DatabaseError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml import reports
from ml.images import PictureError
from ml.scripts import LATIN
from recognition import model_facts, recognizers, visitors, wording
from recognition.forms import PictureForm
from recognition.models import Prediction, TrainedModel

logger = logging.getLogger(__name__)

PAGE_SIZE = 24  # fills two, three and four columns
MAX_PAGE = 10_000
CONTENT_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}  # what `images.keep` writes


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recognize(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show_form(request, PictureForm())

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

    source = Prediction.Source.UPLOAD
    return redirect(Prediction.record(answer, source=source, **visitors.keeper(request)))


def _show_form(request: HttpRequest, form: PictureForm, *, status: int = 200) -> HttpResponse:
    return render(request, "recognition/recognize.html", {"form": form}, status=status)


@never_cache
@require_safe
def result(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    prediction = _find(request, public_id)
    what, what_to_do = wording.explain(prediction.reason)
    context = {
        "prediction": prediction,
        "numerals": prediction.model.card.get("labels", LATIN.numerals),
        "what": what,
        "what_to_do": what_to_do,
        "is_own": Prediction.objects.for_visitor(request).filter(pk=prediction.pk).exists(),
    }
    return render(request, "recognition/result.html", context)


@require_POST
def delete(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    prediction = Prediction.objects.for_visitor(request).filter(public_id=public_id).first()
    if prediction is None:
        raise Http404

    prediction.delete()
    return redirect("history")


@require_safe
def picture(request: HttpRequest, public_id: uuid.UUID) -> HttpResponseBase:
    kept = _find(request, public_id).picture
    if not kept:
        raise Http404("The picture was removed.")

    try:
        file = kept.open()
    except FileNotFoundError as error:
        logger.exception("The picture of prediction %s is missing", public_id)
        raise Http404("The picture is missing.") from error

    suffix = Path(str(kept.name)).suffix
    content_type = CONTENT_TYPES.get(suffix, "application/octet-stream")
    return _private(FileResponse(file, filename=f"{public_id}{suffix}", content_type=content_type))


@require_safe
def field(request: HttpRequest, public_id: uuid.UUID, number: int) -> HttpResponseBase:
    digits = _find(request, public_id).digits
    encoded = digits[number].get("field") if number < len(digits) else None
    if not encoded:
        raise Http404("What the network saw was removed.")

    return _private(HttpResponse(base64.b64decode(encoded), content_type="image/png"))


def _find(request: HttpRequest, public_id: uuid.UUID) -> Prediction:
    """A prediction that this person may see: a stranger learns not even that it is there."""
    user = request.user
    objects = Prediction.objects
    may_see = objects.all() if user.is_active and user.is_staff else objects.for_visitor(request)
    prediction = may_see.filter(public_id=public_id).select_related("model").first()
    if prediction is None:
        raise Http404
    return prediction


def _private(response: HttpResponseBase) -> HttpResponseBase:
    """For one person only, never shown as anything but the picture that it is."""
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@never_cache
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    page = _page_number(request)
    start = (page - 1) * PAGE_SIZE
    mine = Prediction.objects.for_visitor(request).order_by("-created_at", "-pk").defer("digits")
    found = list(mine[start : start + PAGE_SIZE + 1])
    context = {
        "predictions": found[:PAGE_SIZE],
        "page": page,
        "newer": page - 1,
        "older": page + 1 if len(found) > PAGE_SIZE else None,
    }
    return render(request, "recognition/history.html", context)


def _page_number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "1")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 5):
        raise Http404
    return min(max(int(asked), 1), MAX_PAGE)


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
    """A plot of the active model for everybody, of the others for staff."""
    trained = TrainedModel.objects.defer("card").filter(version=version).first()
    if trained is None:
        raise Http404

    user = request.user
    if not trained.is_active and not (user.is_active and user.is_staff):
        raise Http404

    try:
        file = reports.plot_path(trained.directory, plot).open("rb")
    except (ValueError, OSError) as error:
        raise Http404 from error

    return _private(FileResponse(file, content_type="image/png"))


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
