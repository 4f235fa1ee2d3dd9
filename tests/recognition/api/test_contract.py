"""The API keeps to its own OpenAPI document, whatever is sent to it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.transport.serialization import Binary

from digitsite.wsgi import application
from recognition.api import examples
from recognition.models import ApiKey, Prediction, TrainedModel

pytestmark = pytest.mark.django_db

KNOWN = uuid.UUID("0b7c1a52-4c8e-4a60-9a57-1f0f8e5d2c11")
PICTURE = base64.b64decode(examples.PICTURE)
CURSOR = "1772323200000000-7"
schemathesis.openapi.format("binary", st.just(Binary(PICTURE)))
schemathesis.openapi.format(
    "picture", st.sampled_from([examples.PICTURE, f"data:image/png;base64,{examples.PICTURE}"])
)
schemathesis.openapi.format("cursor", st.just(CURSOR))
schemathesis.openapi.format("uuid", st.one_of(st.just(str(KNOWN)), st.uuids().map(str)))


def whole(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The application, with its answers read to the end and closed, as a server does."""
    response = application(environ, start_response)
    try:
        return [b"".join(response)]
    finally:
        response.close()


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", whole)
schema.config.checks.negative_data_rejection.expected_statuses += ["413"]
bounded = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The test's transaction goes on from request to request, as with Django's own client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@bounded
def test_with_a_key(
    case: schemathesis.Case[Any],
    digit_model: TrainedModel,
    api_key: ApiKey,
    make_prediction: Callable[..., Prediction],
) -> None:
    if not Prediction.objects.filter(public_id=KNOWN).exists():
        make_prediction(public_id=KNOWN, owner=api_key.owner)

    case.call_and_validate(headers={"Authorization": f"Bearer {api_key.token}"})


@schema.parametrize()
@bounded
def test_without_a_key(case: schemathesis.Case[Any], digit_model: TrainedModel) -> None:
    response = case.call_and_validate()

    needs_key = "security" in case.operation.definition.raw
    assert (response.status_code in {401, 404, 405}) or not needs_key
    assert not Prediction.objects.exists()


def test_an_unchanged_picture_is_in_the_document(
    api_key: ApiKey, make_prediction: Callable[..., Prediction]
) -> None:
    make_prediction(public_id=KNOWN, owner=api_key.owner)
    operation = schema["/api/v1/predictions/{id}/picture"]["GET"]
    headers = {"Authorization": f"Bearer {api_key.token}"}
    asked = operation.Case(path_parameters={"id": str(KNOWN)}, headers=headers)
    first = asked.call_and_validate()
    headers["If-None-Match"] = first.headers["etag"][0]

    again = operation.Case(path_parameters={"id": str(KNOWN)}, headers=headers)
    response = again.call_and_validate()

    assert (response.status_code, response.content) == (304, b"")


def test_the_document_has_every_operation() -> None:
    found = {
        f"{method.upper()} {path}"
        for path, operations in schema.raw_schema["paths"].items()
        for method in operations
    }

    assert found == {
        "DELETE /api/v1/predictions/{id}",
        "GET /api/v1/health",
        "GET /api/v1/models",
        "GET /api/v1/predictions",
        "GET /api/v1/predictions/{id}",
        "GET /api/v1/predictions/{id}/picture",
        "PATCH /api/v1/predictions/{id}",
        "POST /api/v1/predictions",
        "POST /api/v1/predictions/batch",
    }
