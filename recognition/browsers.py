"""Which browser asks: a number in a signed cookie, so that no visitor needs a row of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "visitor"
YEAR = 365 * 24 * 60 * 60  # seconds
DAY = 24 * 60 * 60  # seconds


def known(request: HttpRequest, *, within: int = YEAR) -> uuid.UUID | None:
    """The browser's number; None before anything was kept for it, or when it is forged or old."""
    signed = request.COOKIES.get(COOKIE, "")
    try:
        return uuid.UUID(_signer().unsign(signed, max_age=within))
    except (signing.BadSignature, ValueError):
        return None


def number(request: HttpRequest) -> uuid.UUID:
    """The browser's number; a new browser gets one."""
    found = known(request)
    if found is None:
        found = uuid.uuid4()
        request.COOKIES[COOKIE] = sign(found)
    return found


def forget(request: HttpRequest) -> None:
    """Let the browser be a new one."""
    request.COOKIES.pop(COOKIE, None)


def remember(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware that tells the browser what became of the request's cookie.

    A browser that comes back and opens a page has its year anew, at most once a day.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        before = request.COOKIES.get(COOKIE)
        opens = before and request.method == "GET"
        if opens and not known(request, within=DAY) and (found := known(request)):
            request.COOKIES[COOKIE] = sign(found)
        response = get_response(request)
        after = request.COOKIES.get(COOKIE)
        if after is None and before is not None:
            response.delete_cookie(COOKIE, samesite="Lax")
        elif after is not None and after != before:
            response.set_cookie(
                COOKIE,
                after,
                max_age=YEAR,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    return middleware


def sign(browser: uuid.UUID) -> str:
    """The cookie's value for a browser with this number."""
    return _signer().sign(str(browser))


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="recognition.browsers")
