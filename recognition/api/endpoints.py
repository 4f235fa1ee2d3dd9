"""`/api/v1/`: the same records for programs. What goes in and out is in `schemas`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import pydantic
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import NinjaAPI, Query, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.operation import Operation
from ninja.security import APIKeyCookie, HttpBearer

from ml.images import PictureError
from ml.scripts import LATIN
from recognition import (
    converters,  # noqa: F401  registers the ids of records
    cursors,
    intake,
    limits,
    recognizers,
    replies,
    views,
    visitors,
)
from recognition.api import documents, keys, schemas
from recognition.api.documents import may_fail
from recognition.api.problems import problem
from recognition.cursors import Cursor
from recognition.models import ApiKey, NotStored, Prediction, PredictionQuerySet, TrainedModel

logger = logging.getLogger(__name__)
Body = TypeVar("Body", bound=pydantic.BaseModel)
JSON, FORM = "application/json", "multipart/form-data"


# Who asks


class KeyAuth(HttpBearer):
    openapi_description = "A key made in the admin, as `Authorization: Bearer <key>`."

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        return keys.let_in(request)


class SessionAuth(APIKeyCookie):
    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "For the site's own pages, which send `X-CSRFToken` with every change."

    def __call__(self, request: HttpRequest) -> User | None:
        limits.spend(request)
        if not isinstance(request.user, User):
            return None
        keys.check_forgery(request)
        return request.user

    def authenticate(self, request: HttpRequest, key: str | None) -> None:
        """Not used: Django's own session says who it is."""


def anybody(request: HttpRequest) -> bool:
    """Strangers too, unless the site is for people with an account. Wrong keys are refused."""
    known = KeyAuth()(request) or SessionAuth()(request)
    return bool(known) or not settings.REQUIRE_SIGN_IN


# What is answered when something is wrong


class Api(NinjaAPI):
    def get_root_path(self, path_params: Any) -> str:
        return reverse("api:api-root", urlconf=settings.API_URLCONF, kwargs=path_params)

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        return documents.complete(super().get_openapi_schema(**kwargs))

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        match exc:
            case keys.WrongKey() | AuthenticationError():
                return problem(401, headers={"WWW-Authenticate": "Bearer"})
            case keys.Forged():
                return problem(403, str(exc))
            case limits.TooManyRequests():
                return problem(429, str(exc), headers={"Retry-After": str(exc.retry_after)})
            case PictureError() | intake.BadRequest():
                return _refusal(exc)
            case ValidationError() | pydantic.ValidationError():
                errors = exc.errors if isinstance(exc, ValidationError) else exc.errors()
                return _invalid(errors)
            case recognizers.ModelUnavailable():
                logger.exception("No usable model")
                return problem(503)
            case NotStored():
                return _not_stored()
            case Http404() | Prediction.DoesNotExist():
                return problem(404)
            case HttpError():
                return problem(exc.status_code, exc.message)
        raise exc


def _refusal(error: PictureError | intake.BadRequest) -> HttpResponse:
    if isinstance(error, intake.BadRequest):
        return problem(error.status, str(error))
    return problem(413 if error.code == "too_large" else 422, str(error), code=error.code)


def _not_stored() -> HttpResponse:
    logger.exception("A picture was not stored")
    return problem(503, replies.NOT_STORED, code="not_stored")


def _invalid(errors: Sequence[Mapping[str, Any]]) -> HttpResponse:
    entries = [
        {"where": ".".join(map(str, error["loc"])) or "body", "message": error["msg"]}
        for error in errors
    ]
    detail = "; ".join(f"{entry['where']}: {entry['message']}" for entry in entries)
    return problem(422, detail, code="invalid", errors=entries)


router = Router(auth=[KeyAuth(), SessionAuth()])


# Predictions


@router.post(
    "/predictions",
    response={201: schemas.Prediction},
    summary="Read a picture",
    openapi_extra=documents.NEW_PREDICTION | may_fail(400, 411, 413, 415, 422, 503),
)
def create_prediction(request: HttpRequest, response: HttpResponse) -> schemas.Prediction:
    """Reads one digit and stores the answer with the picture.

    Send a file in the field `picture` of a form, or base64 in JSON.
    """
    if request.content_type == JSON:
        data = intake.decode(_body(request, schemas.NewPrediction).picture)
    else:
        data = intake.read(_one(_files(request, "picture")))
    prediction = _read(request, data)
    response["Location"] = reverse("api:get_prediction", args=[prediction.id])
    return prediction


@router.post(
    "/predictions/batch",
    response=schemas.Results,
    summary="Read many pictures",
    openapi_extra=documents.NEW_PREDICTIONS | may_fail(400, 411, 413, 415, 422, 503),
)
def create_predictions(request: HttpRequest) -> schemas.Results:
    """Reads up to 100 pictures. A bad picture does not stop the others: its result is a problem.

    Send files in the field `pictures` of a form, or a list in JSON. Each picture counts as a
    request.
    """
    pictures = _pictures(request)
    auth = getattr(request, "auth", None)
    key = auth if isinstance(auth, ApiKey) else None
    limits.spend(request, key, cost=len(pictures) - 1, is_let_in=True)
    recognizers.active(LATIN.code)  # or none of them is read
    results = [_result(request, picture) for picture in pictures]
    return schemas.Results(results=results)


@router.get(
    "/predictions",
    response=schemas.Page,
    summary="List predictions",
    openapi_extra=may_fail(422),
)
def list_predictions(request: HttpRequest, filters: Query[schemas.Filters]) -> schemas.Page:
    """Your own, the newest first."""
    _check_names(request, schemas.Filters)
    mine = Prediction.objects.for_visitor(request).with_models()
    found, more = cursors.page(
        _filtered(mine, filters), limit=filters.limit, cursor=_place(filters.cursor)
    )
    items = [_described(prediction) for prediction in found]
    return schemas.Page(items=items, next=str(more) if more else None)


@router.get(
    "/predictions/{record:id}",
    response=schemas.Prediction,
    summary="Get a prediction",
    openapi_extra=may_fail(404),
)
def get_prediction(request: HttpRequest, id: UUID) -> schemas.Prediction:
    return _described(_mine(request, id))


@router.get(
    "/predictions/{record:id}/picture",
    summary="Get the picture",
    openapi_extra=documents.picture(404),
)
def get_picture(request: HttpRequest, id: UUID) -> HttpResponseBase:
    """The picture as it is kept: upright, at most 1600 pixels a side, PNG or JPEG.

    Who has it already sends the `ETag` that came with it, and may be told that it is unchanged.
    """
    return views.picture_file(request, _mine(request, id))


@router.patch(
    "/predictions/{record:id}",
    response=schemas.Prediction,
    summary="Correct a prediction",
    openapi_extra=documents.CORRECTION | may_fail(400, 404, 411, 413, 415, 422),
)
def correct_prediction(request: HttpRequest, id: UUID) -> schemas.Prediction:
    """Says what the picture really shows. It can be changed again."""
    prediction = _mine(request, id)
    true_text = _body(request, schemas.Correction).true_text
    if true_text is None:
        prediction.withdraw_review()
        return _described(prediction)

    prediction.review(true_text, by=_person(request))
    return _described(prediction)


@router.delete(
    "/predictions/{record:id}",
    response={204: None},
    summary="Delete a prediction",
    openapi_extra=may_fail(404),
)
def delete_prediction(request: HttpRequest, id: UUID) -> None:
    """Deletes the record and its picture."""
    _mine(request, id).delete()


# The site


@router.get(
    "/models",
    auth=anybody,
    response=list[schemas.Model],
    summary="List models",
    openapi_extra=may_fail(401, 429, needs_key=False),
)
def list_models(request: HttpRequest) -> list[schemas.Model]:
    """The models that this site knows, the newest first.

    Needs a key only where the whole site needs an account.
    """
    models = TrainedModel.objects.defer("card").order_by("-created_at", "-pk")[:100]
    return [
        schemas.Model(
            version=model.version,
            script=model.script,
            active=model.is_active,
            test_accuracy=model.test_accuracy,
            sha256=model.sha256,
            created_at=model.created_at,
        )
        for model in models
    ]


@router.get(
    "/health",
    auth=None,
    response=schemas.Health,
    summary="Is the site well?",
    openapi_extra=may_fail(503, needs_key=False),
)
def get_health(request: HttpRequest) -> schemas.Health:
    """Whether the database answers and a model can be used. Needs no key and is not limited."""
    try:
        recognizers.active(LATIN.code)
    except DatabaseError as error:
        logger.exception("The database does not answer")
        raise HttpError(503, "The database does not answer.") from error
    return schemas.Health(status="ok")


api = Api(
    title="Digits",
    version="1.0.0",
    description=documents.DESCRIPTION,
    docs_url=None,  # `page`, in the site's look
    urls_namespace="api",
)
api.add_router("", router)


# Steps of the above


def _mine(request: HttpRequest, id: UUID) -> Prediction:
    mine = Prediction.objects.for_visitor(request).filter(public_id=id)
    prediction = mine.select_related("model").defer("model__card").first()
    if prediction is None:
        raise Http404
    return prediction


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "Only who signed in gets here."
    return request.user


def _described(prediction: Prediction) -> schemas.Prediction:
    url = reverse("api:get_picture", args=[prediction.public_id])
    return schemas.Prediction.of(prediction, url)


def _read(request: HttpRequest, data: bytes) -> schemas.Prediction:
    answer = recognizers.answer(data, LATIN.code)
    source = Prediction.Source.API
    return _described(Prediction.record(answer, source=source, **visitors.keeper(request)))


def _result(request: HttpRequest, picture: str | UploadedFile[Any]) -> schemas.Result:
    name = None if isinstance(picture, str) else picture.name
    try:
        data = intake.decode(picture) if isinstance(picture, str) else intake.read(picture)
        return schemas.Result(name=name, prediction=_read(request, data), problem=None)
    except PictureError as error:
        refusal = _refusal(error)
    except NotStored:
        refusal = _not_stored()
    found = schemas.Problem.model_validate_json(refusal.content)
    return schemas.Result(name=name, prediction=None, problem=found)


def _pictures(request: HttpRequest) -> list[str] | list[UploadedFile[Any]]:
    if request.content_type == JSON:
        return _body(request, schemas.NewPredictions).pictures
    files = _files(request, "pictures")
    if not files:
        raise _wrong("body.pictures", "At least one file is needed")
    return files


def _files(request: HttpRequest, field: str) -> list[UploadedFile[Any]]:
    if request.content_type != FORM:
        raise intake.UnknownType(f"Send {FORM} or {JSON}.")
    return intake.files(request, field)


def _one(files: list[UploadedFile[Any]]) -> UploadedFile[Any]:
    if len(files) != 1:
        raise _wrong("body.picture", "One file is needed; /predictions/batch takes several")
    return files[0]


def _body(request: HttpRequest, model: type[Body]) -> Body:
    if request.content_type != JSON:
        raise intake.UnknownType(f"Send {JSON}.")
    return model.model_validate(intake.json_body(request))


def _filtered(predictions: PredictionQuerySet, filters: schemas.Filters) -> PredictionQuerySet:
    asked = {
        "verdict": filters.verdict,
        "source": filters.source,
        "text": filters.text,
        "created_at__gte": filters.since,
        "created_at__lt": filters.until,
    }
    found = predictions
    for name, value in asked.items():
        if value is not None:
            found = found.filter(**{name: value})
    if filters.reviewed is not None:
        found = found.filter(reviewed_at__isnull=not filters.reviewed)
    if filters.right is not None:
        found = found.read_right() if filters.right else found.read_wrong()
    return found


def _place(cursor: str | None) -> Cursor | None:
    if cursor is None:
        return None
    try:
        return Cursor.parse(cursor)
    except ValueError as error:
        raise _wrong("query.cursor", "Use `next` of the page before, unchanged") from error


def _check_names(request: HttpRequest, filters: type[pydantic.BaseModel]) -> None:
    """A misspelt filter would return everything, and of two of a kind one would be forgotten."""
    for name in sorted(request.GET):
        if name not in filters.model_fields:
            raise _wrong(f"query.{name}", "There is no such filter")
        if len(request.GET.getlist(name)) > 1:
            raise _wrong(f"query.{name}", "Give this filter once")


def _wrong(where: str, message: str) -> ValidationError:
    return ValidationError([{"loc": [where], "msg": message}])
