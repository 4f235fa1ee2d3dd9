"""Which browser asks: a number in a signed cookie, so that no visitor needs a row of their own."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

COOKIE = "visitor"
YEAR = 365 * 24 * 60 * 60  # seconds
DAY = 24 * 60 * 60  # seconds
LATE = 10 * 60  # seconds, in which a picture is stored that was being read


@dataclass(frozen=True)
class Left:
    """What became of a browser's records: they are an account's, or, without one, deleted."""

    owner_id: int | None


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
        found = _new(request)
        request.COOKIES[COOKIE] = sign(found)
    return found


def _new(request: HttpRequest) -> uuid.UUID:
    """A number that is the same for all that a new browser sends before it has an answer.

    Two tabs that send at once have the cookie in common that its forms are known by, and no other
    browser has that. Where the records of this number went a moment ago, the next ones stay.
    """
    secret = request.COOKIES.get(settings.CSRF_COOKIE_NAME)
    if not secret:
        return uuid.uuid4()
    digest = salted_hmac("recognition.browsers", secret, algorithm="sha256").digest()
    found = uuid.UUID(bytes=digest[:16], version=4)
    return uuid.uuid4() if left(found) else found


def forget(request: HttpRequest) -> None:
    """Let the browser be a new one."""
    request.COOKIES.pop(COOKIE, None)


def leave(browser: uuid.UUID, left: Left) -> None:
    """Note where a browser's records go, before they go: the pictures being read will follow."""
    try:
        caches["left"].set(str(browser), left.owner_id, LATE)
    except OSError:
        logger.exception("CACHE_ROOT does not tell pictures being read where the others went")


def left(browser: uuid.UUID) -> Left | None:
    """Where the browser's records went, if they did a moment ago."""
    stayed = object()
    try:
        owner_id = caches["left"].get(str(browser), stayed)
    except OSError:
        return None  # `leave` has complained
    return None if owner_id is stayed else Left(owner_id)


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
