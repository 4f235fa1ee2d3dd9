"""What follows a form: for the site's own scripts some JSON, for browsers a page."""

from __future__ import annotations

from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure

UNAVAILABLE = "No picture can be read just now. Nothing was stored. Please try again later."
NOT_STORED = "The picture cannot be stored just now. Please try again later."
SIGNED_OUT = "You are signed out. Please sign in again."
OPEN_TOO_LONG = "This page has been open for too long. Load it again, please."


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asks; a browser that follows a form prefers a page."""
    preferred = request.get_preferred_type(["text/html", "application/json"])
    return preferred == "application/json"


def mistake(form: forms.Form) -> JsonResponse:
    """The first thing that is wrong with what was sent, in the words of the form."""
    error = next(error for errors in form.errors.as_data().values() for error in errors)
    return JsonResponse({"message": error.messages[0], "code": error.code or ""}, status=422)


def unavailable() -> JsonResponse:
    return JsonResponse({"message": UNAVAILABLE, "code": "unavailable"}, status=503)


def not_stored(request: HttpRequest) -> HttpResponse:
    """Where a picture was read and cannot be kept: a script gets JSON, a browser the page."""
    if wants_json(request):
        return JsonResponse({"message": NOT_STORED, "code": "not_stored"}, status=503)
    context = {"cannot_store": True}
    return render(request, "recognition/unavailable.html", context, status=503)


def signed_out() -> JsonResponse:
    return JsonResponse({"message": SIGNED_OUT, "code": "signed_out"}, status=401)


def open_too_long(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Where a form's token is wrong or gone; a script has its page's, which is too old then."""
    if wants_json(request):
        return JsonResponse({"message": OPEN_TOO_LONG, "code": "csrf"}, status=403)
    return csrf_failure(request, reason)


def way_back(request: HttpRequest, otherwise: str) -> str:
    """The page of this site that a form names to go back to, by its path, if it names one."""
    address: str = request.POST.get("next", "")
    is_path = address.startswith("/") and _is_ours(address, request)
    return address if is_path else otherwise


def page_before(request: HttpRequest) -> str:
    """The page of this site that a form was sent from, as the browser says; else the first one."""
    address = request.headers.get("Referer", "")
    if not _is_ours(address, request):
        return reverse("recognize")
    _, _, path, query, _ = urlsplit(address)
    return f"{path}?{query}" if query else path


def _is_ours(address: str, request: HttpRequest) -> bool:
    return url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
