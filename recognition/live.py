"""Answers while the pen moves: the pages that draw and film, and what their scripts ask."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ml.images import PictureError
from ml.scripts import LATIN, SCRIPTS
from recognition import corrections, recognizers, replies, views, visitors, wording
from recognition.forms import KeepForm, PictureForm
from recognition.models import NotStored, Prediction
from recognition.recognizers import Glance

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def draw(request: HttpRequest) -> HttpResponse:
    return _page(request, Prediction.Source.DRAW)


@never_cache
@require_safe
def camera(request: HttpRequest) -> HttpResponse:
    return _page(request, Prediction.Source.CAMERA)


@never_cache
@require_POST
def live(request: HttpRequest) -> HttpResponse:
    """Read a picture and forget it: no record, no file, no session."""
    form = PictureForm(request.POST, request.FILES)
    if not form.is_valid():
        return replies.mistake(form)

    try:
        glance = recognizers.glance(form.cleaned_data["picture"].read(), LATIN.code)
    except PictureError as error:
        form.reject(error)
        return replies.mistake(form)
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        return replies.unavailable()

    return JsonResponse(_describe(glance))


@never_cache
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Read a picture again and record it, with what it really shows where that is said.

    A form without a script shows a stranger the answer where nothing is kept without an account.
    """
    form = KeepForm(request.POST, request.FILES)
    if not form.is_valid():
        return _refuse(request, form)
    may_keep = visitors.may_keep(request)
    if not may_keep and replies.wants_json(request):
        form.add_error(None, ValidationError("Sign in to keep what is read.", code="sign_in"))
        return _refuse(request, form)

    try:
        answer = recognizers.answer(form.cleaned_data["picture"].read(), LATIN.code)
    except PictureError as error:
        form.reject(error)
        return _refuse(request, form)
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        if replies.wants_json(request):
            return replies.unavailable()
        return render(request, "recognition/unavailable.html", status=503)

    source = form.cleaned_data["source"]
    if not may_keep:
        return views.show_unkept(request, answer, source)

    true_text = form.cleaned_data["true_text"]
    try:
        prediction = Prediction.record(answer, source=source, **visitors.keeper(request))
        if true_text is not None:
            by = request.user if isinstance(request.user, User) else None
            prediction.review(true_text, by=by)
    except (NotStored, Prediction.DoesNotExist):  # or deleted in another window at once
        logger.exception("A picture was not stored")
        return replies.not_stored(request)

    if replies.wants_json(request):
        return JsonResponse(_links(prediction), status=201)
    return redirect(prediction)


def _page(
    request: HttpRequest, source: str, *, form: KeepForm | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "source": source,
        "form": form,
        "numerals": LATIN.numerals,
        "verdicts": [{"verdict": verdict} for verdict in Prediction.Verdict],
    }
    template = "camera" if source == Prediction.Source.CAMERA else "draw"
    return render(request, f"recognition/{template}.html", context, status=status)


def _refuse(request: HttpRequest, form: KeepForm) -> HttpResponse:
    if replies.wants_json(request):
        return replies.mistake(form)
    return _page(request, form.data.get("source", ""), form=form, status=422)


def _describe(glance: Glance) -> dict[str, Any]:
    reading = glance.reading
    digit = reading.digits[0] if reading.digits else None
    what, what_to_do = wording.explain(reading.reason.value) if reading.reason else ("", "")
    return {
        "text": reading.text,
        "confidence": reading.confidence,
        "verdict": reading.verdict.value,
        "reason": reading.reason.value if reading.reason else "",
        "what": what,
        "what_to_do": what_to_do,
        "probabilities": digit.rounded if digit else [],
        "numerals": SCRIPTS[glance.model.script].numerals,
        "box": list(digit.box) if digit else None,
        "model": glance.model.version,
        "duration_ms": round(glance.duration_ms, 2),
    }


def _links(prediction: Prediction) -> dict[str, str]:
    """Where a script finds what was kept, and where it sends a correction."""
    return {
        "url": prediction.get_absolute_url(),
        "correct_url": reverse("correct", args=[prediction.public_id]),
        **corrections.state(prediction),
    }
