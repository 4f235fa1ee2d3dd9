"""What a program is told when something goes wrong: problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

CONTENT_TYPE = "application/problem+json"
PAGES = "/api/"  # the page about the API, and the API
PATHS = "/api/v1/"
PREDICT = "/predict"
DETAILS = {
    400: "The request is not understood.",
    401: "Send a valid API key as Authorization: Bearer <key>, or sign in.",
    403: "This request is not allowed.",
    404: "There is nothing here, or it belongs to somebody else.",
    405: "This address does not know this method.",
    500: "The fault is ours. It was written down, and trying again may help.",
    503: "The site cannot read pictures at the moment. Try again later.",
}


def problem(
    status: int, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: Any
) -> HttpResponse:
    """A response that says what happened; `more` are further members of the document."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or DETAILS.get(status, HTTPStatus(status).description),
        **more,
    }
    response = HttpResponse(json.dumps(document), status=status, headers=headers)
    response.headers["Content-Type"] = CONTENT_TYPE
    response.headers["Content-Length"] = str(len(response.content))
    return response


def in_the_api(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let requests to the API have its addresses; turn the pages that Django answers with there
    into problem details, and into `error` at `/predict`; answer HEAD as GET; store nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PAGES):
            request.urlconf = settings.API_URLCONF
        if request.path_info == PREDICT:
            return _without_page(get_response(request))
        if not request.path_info.startswith(PATHS):
            return get_response(request)

        asked = request.method
        if asked == "HEAD":  # as GET, which the API knows; the server leaves out the body
            request.method = "GET"
        response = get_response(request)
        request.method = asked
        response.headers.setdefault("Cache-Control", "no-store")  # it depends on the key
        if response.status_code < 400 or response.headers.get("Content-Type") == CONTENT_TYPE:
            return response
        return problem(response.status_code, headers=_not_about_the_body(response))

    return middleware


def _without_page(response: HttpResponse) -> HttpResponse:
    if response.status_code < 400 or response.headers.get("Content-Type") == "application/json":
        return response
    document = {"error": DETAILS.get(response.status_code, response.reason_phrase)}
    headers = _not_about_the_body(response)
    return JsonResponse(document, status=response.status_code, headers=headers)


def _not_about_the_body(response: HttpResponse) -> dict[str, str]:
    return {name: value for name, value in response.items() if not name.startswith("Content-")}
