"""`POST /predict`: the smallest way in for a program. The larger one is `api`."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ml.images import PictureError
from ml.scripts import LATIN
from recognition import browsers, intake, limits, recognizers, visitors
from recognition.api import keys
from recognition.models import ApiKey, NotStored, Prediction

logger = logging.getLogger(__name__)


class NoPicture(Exception):
    """The request has no picture in it."""


class NotSignedIn(Exception):
    """The site is for people with an account, and the request has neither key nor session."""


@login_not_required  # a closed site is answered for in `_check_sender`
@never_cache
@csrf_exempt  # what a browser sends is checked in `_check_sender`
def predict(request: HttpRequest) -> JsonResponse:
    if request.method != "POST":
        return _refuse("Method not allowed", status=405, headers={"Allow": "POST"})

    try:
        key = _check_sender(request)
        answer = recognizers.answer(_picture(request), LATIN.code)
    except keys.WrongKey:
        return _refuse("API key not valid", status=401, headers={"WWW-Authenticate": "Bearer"})
    except NotSignedIn:
        return _refuse("API key needed", status=401, headers={"WWW-Authenticate": "Bearer"})
    except keys.Forged as error:
        return _refuse(str(error), status=403)
    except limits.TooManyRequests as error:
        wait = {"Retry-After": str(error.retry_after)}
        return _refuse("Too many requests", status=429, headers=wait, detail=str(error))
    except NoPicture as error:
        return _refuse(str(error))
    except intake.BadRequest as error:
        return _refuse("Could not process image", detail=str(error), code="bad_request")
    except PictureError as error:
        return _refuse("Could not process image", detail=str(error), code=error.code)
    except recognizers.ModelUnavailable:
        logger.exception("No usable model")
        return _refuse("No model can be used at the moment", status=503)

    try:
        prediction = _keep(request, key, answer)
    except NotStored:
        logger.exception("A picture was not stored")
        return _refuse("Could not store the picture", status=503)
    return JsonResponse(_describe(answer, prediction))


def _check_sender(request: HttpRequest) -> ApiKey | None:
    """Whose request this is, counted. A browser must show that its page is one of ours.

    A program sends no cookie and no `Origin`. A browser sends one of them with every POST that
    another site's page could make it send, so nobody's cookie is used behind their back.

    Raises:
        keys.WrongKey: the API key opens nothing.
        limits.TooManyRequests: the allowance is used up.
        keys.Forged: a browser's request without the CSRF token.
        NotSignedIn: the site is for people with an account.
    """
    key = keys.let_in(request)
    if key is None and (_has_cookie(request) or "Origin" in request.headers):
        keys.check_forgery(request)
    if settings.REQUIRE_SIGN_IN and not request.user.is_authenticated:
        raise NotSignedIn
    return key


def _picture(request: HttpRequest) -> bytes:
    if request.content_type == "application/json":
        return intake.decode(_encoded(intake.json_body(request)))

    files = intake.files(request, "file")
    if files:
        return intake.read(files[-1])
    # A form whose file was not chosen has the field, with an empty name and no bytes.
    raise NoPicture("No selected file" if "file" in request.POST else "No file uploaded")


def _encoded(body: Any) -> str:
    fields = body if isinstance(body, dict) else {}
    found = fields.get("file", fields.get("image"))
    if not isinstance(found, str):
        raise NoPicture("No file uploaded")
    if not found:
        raise NoPicture("No selected file")
    return found


def _keep(
    request: HttpRequest, key: ApiKey | None, answer: recognizers.Answer
) -> Prediction | None:
    """Store it for the key's owner, the person or the browser; without them for nobody."""
    if not visitors.may_keep(request):
        return None
    is_someone = key is not None or _has_cookie(request)
    keeper = visitors.keeper(request) if is_someone else {}
    return Prediction.record(answer, source=Prediction.Source.API, **keeper)


def _has_cookie(request: HttpRequest) -> bool:
    """Whether the request says whose it is, as a browser does without being asked."""
    return not request.COOKIES.keys().isdisjoint({settings.SESSION_COOKIE_NAME, browsers.COOKIE})


def _describe(answer: recognizers.Answer, prediction: Prediction | None) -> dict[str, Any]:
    reading = answer.reading
    return {
        "prediction": int(reading.text) if reading.text else None,
        "text": reading.text,
        "confidence": reading.confidence,
        "verdict": reading.verdict.value,
        "reason": reading.reason.value if reading.reason else None,
        "probabilities": reading.digits[0].rounded if reading.digits else [],
        "model": answer.model.version,
        "id": str(prediction.public_id) if prediction else None,
    }


def _refuse(
    error: str, *, status: int = 400, headers: dict[str, str] | None = None, **more: str
) -> JsonResponse:
    return JsonResponse({"error": error, **more}, status=status, headers=headers)
