"""What the OpenAPI document says beyond the types: errors, bodies of two kinds, examples."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from recognition import intake
from recognition.api import examples, problems, schemas

DESCRIPTION = (
    "Reads handwritten digits. A key is made in the admin and sent as "
    "`Authorization: Bearer <key>`; it sees what its owner sees. Errors are problem details "
    "(RFC 9457)."
)
REASONS = {
    400: "The body cannot be read.",
    401: "The key is missing or wrong.",
    403: "A session without the CSRF token.",
    404: "It is not there, or belongs to somebody else.",
    411: "The body came in pieces, without Content-Length.",
    413: "A picture of more than 20 MB, JSON of more than 10 MB, or too many pictures or fields.",
    415: "The body has another type.",
    422: "A field is wrong, or the picture cannot be read.",
    429: "Too many requests in this minute.",
    503: "No model can be used, or no picture stored, at the moment.",
}


def may_fail(*statuses: int, needs_key: bool = True) -> dict[str, Any]:
    """The errors of an operation, with those that every one has."""
    always = (401, 403, 429, 500) if needs_key else (500,)
    return {"responses": {status: _failure(status) for status in sorted({*statuses, *always})}}


def _failure(status: int) -> dict[str, Any]:
    description = REASONS.get(status, HTTPStatus(status).phrase)
    schema = {"$ref": "#/components/schemas/Problem"}
    failure: dict[str, Any] = {
        "description": description,
        "content": {problems.CONTENT_TYPE: {"schema": schema}},
    }
    if status == 429:
        seconds = {"type": "integer", "minimum": 1}
        failure["headers"] = {
            "Retry-After": {"description": "seconds", "required": True, "schema": seconds}
        }
    return failure


def complete(document: Any) -> Any:
    """Add what no operation's own types bring into the document."""
    schema = schemas.Problem.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization"
    )
    document["components"]["schemas"] |= schema.pop("$defs") | {"Problem": schema}
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                _leave_out_null(parameter["schema"])
    return document


def _leave_out_null(schema: dict[str, Any]) -> None:
    """A filter is left out, not null."""
    for option in schema.pop("anyOf", ()):
        if option != {"type": "null"}:
            schema.update(option)


def _body(form: dict[str, Any], json: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {
        "application/json": {"schema": json, "example": example},
        "multipart/form-data": {"schema": form},
    }
    return {"requestBody": {"required": True, "content": content}}


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {field: schema}, "required": [field]}


FILE = {"type": "string", "format": "binary"}
NEW_PREDICTION = _body(
    _form("picture", FILE),
    schemas.NewPrediction.model_json_schema(),
    {"picture": examples.PICTURE},
)
NEW_PREDICTIONS = _body(
    _form(
        "pictures",
        {"type": "array", "items": FILE, "minItems": 1, "maxItems": intake.MAX_PICTURES},
    ),
    schemas.NewPredictions.model_json_schema(),
    {"pictures": [examples.PICTURE, "data:image/png;base64," + examples.PICTURE]},
)
CORRECTION = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": schemas.Correction.model_json_schema(),
                "example": {"true_text": "7"},
            }
        },
    }
}


def picture(*failures: int) -> dict[str, Any]:
    """The answer of an operation that gives a picture, says that it is unchanged, or fails."""
    tag = {"schema": {"type": "string"}}
    success = {
        "description": "The picture",
        "headers": {"ETag": {"description": "names it as it is", "required": True, **tag}},
        "content": {"image/png": {"schema": FILE}, "image/jpeg": {"schema": FILE}},
    }
    unchanged = {"description": "The picture that is there already is still the one."}
    asked = {
        "in": "header",
        "name": "If-None-Match",
        "description": "The `ETag` of the picture that is there already.",
        "required": False,
        **tag,
    }
    responses = {200: success, 304: unchanged, **may_fail(*failures)["responses"]}
    return {"parameters": [asked], "responses": responses}
