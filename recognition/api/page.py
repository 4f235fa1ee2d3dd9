"""The page about the API: examples, and a reference made from the OpenAPI document."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from recognition import intake
from recognition.api import examples


@dataclass(frozen=True)
class Parameter:
    name: str
    values: str
    description: SafeString


@dataclass(frozen=True)
class Answer:
    status: int
    phrase: str
    description: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    paragraphs: list[SafeString]
    needs_key: bool
    parameters: list[Parameter]
    bodies: list[tuple[str, str]]  # type, example
    answers: list[Answer]


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    site = request.build_absolute_uri("/").rstrip("/")
    context = {
        "examples": [
            {"title": found.title, "language": found.language, "code": found.on(site)}
            for found in examples.EXAMPLES
        ],
        "operations": _operations(),
        "prediction": _readable(examples.PREDICTION),
        "everybody": not settings.REQUIRE_SIGN_IN,
        "keeps_for_everybody": not settings.REQUIRE_SIGN_IN_TO_KEEP,
        "per_key": settings.API_LIMIT_PER_KEY,
        "per_address": settings.API_LIMIT_PER_ADDRESS,
        "json_megabytes": intake.MAX_JSON_BYTES // 1_000_000,
        "form_megabytes": intake.MAX_FORM_BYTES // 1_000_000,
        "pictures": intake.MAX_PICTURES,
    }
    return render(request, "recognition/api.html", context)


@functools.cache
def _operations() -> list[Operation]:
    from recognition.api.endpoints import api  # loaded only where the API is used

    paths: dict[str, dict[str, Any]] = api.get_openapi_schema()["paths"]
    return [
        _operation(method.upper(), path, details)
        for path, operations in paths.items()
        for method, details in operations.items()
    ]


def _operation(method: str, path: str, details: dict[str, Any]) -> Operation:
    content = details.get("requestBody", {}).get("content", {})
    return Operation(
        id=details["operationId"].replace("_", "-"),
        method=method,
        path=path,
        summary=details["summary"],
        paragraphs=[_with_code(text) for text in details.get("description", "").split("\n\n")],
        needs_key="security" in details,
        parameters=[_parameter(found) for found in details["parameters"]],
        bodies=[(kind, _example(body)) for kind, body in content.items()],
        answers=[
            Answer(int(status), HTTPStatus(int(status)).phrase, answer["description"])
            for status, answer in details["responses"].items()
        ],
    )


def _parameter(details: dict[str, Any]) -> Parameter:
    return Parameter(
        details["name"], _values(details["schema"]), _with_code(details.get("description", ""))
    )


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema["type"] == "boolean":
        return "true, false"
    if schema["type"] == "integer":
        return f"{schema['minimum']} to {schema['maximum']}, else {schema['default']}"
    if schema.get("format") == "date-time":
        return "2026-03-01T00:00:00Z"
    return "the prediction's id" if schema.get("format") == "uuid" else "text"


def _example(body: dict[str, Any]) -> str:
    """The body as a person would write it; for a form its fields."""
    if "example" not in body:
        return "\n".join(f"{name}=@file" for name in body["schema"]["properties"])
    return _readable(body["example"]).replace(examples.PICTURE, examples.PICTURE[:16] + "…")


def _readable(example: Any) -> str:
    """JSON over several lines, but numbers beside each other."""
    text = json.dumps(example, indent=2)
    return re.sub(r"\[[^][{}\"]+\]", lambda found: " ".join(found[0].split()), text)


def _with_code(text: str) -> SafeString:
    """What stands between backticks is code."""
    parts = (
        (f"<code>{part}</code>" if n % 2 else part)
        for n, part in enumerate(escape(text).split("`"))
    )
    return mark_safe("".join(parts))
