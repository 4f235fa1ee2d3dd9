"""Was it right? What a picture really shows, said by the person it belongs to."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from recognition import replies, wording
from recognition.forms import CorrectionForm
from recognition.models import Prediction, ReviewedMeanwhile


@never_cache
@require_POST
def correct(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    prediction = Prediction.objects.for_visitor(request).filter(public_id=public_id).first()
    if prediction is None:
        raise Http404

    form = CorrectionForm(request.POST)
    if not form.is_valid():
        if replies.wants_json(request):
            return replies.mistake(form)
        context = {"form": form, "prediction": prediction}
        return render(request, "recognition/not_corrected.html", context, status=422)

    by = request.user if isinstance(request.user, User) else None
    try:
        prediction.review(form.cleaned_data["true_text"], by=by, seen=form.cleaned_data["seen"])
    except Prediction.DoesNotExist as error:
        raise Http404 from error
    except ReviewedMeanwhile:
        return _tell_reviewed(request, prediction)
    if replies.wants_json(request):
        return JsonResponse(state(prediction))
    return redirect(replies.way_back(request, otherwise=prediction.get_absolute_url()))


def state(prediction: Prediction) -> dict[str, str]:
    """What a script shows of the review, and sends back as seen with the next one."""
    return {"said": wording.review(prediction), "seen": prediction.review_code}


def _tell_reviewed(request: HttpRequest, prediction: Prediction) -> HttpResponse:
    message = wording.reviewed_meanwhile(prediction)
    if replies.wants_json(request):
        reply = {"message": message, "code": "reviewed_meanwhile", **state(prediction)}
        return JsonResponse(reply, status=409)
    context = {"message": message, "prediction": prediction}
    return render(request, "recognition/not_corrected.html", context, status=409)
