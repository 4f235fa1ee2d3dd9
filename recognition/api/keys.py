"""Who a program is: the owner of the API key that it sends."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from recognition import intake, limits
from recognition.models import ApiKey


class WrongKey(Exception):
    """A key was sent that is unknown or revoked, or whose owner's account is closed."""


class Forged(Exception):
    """A browser's request without the token that the pages of this site have."""


def sign_in(request: HttpRequest) -> ApiKey | None:
    """Let the owner of the key in the request be who asks; None when there is no key.

    The key is sent as `Authorization: Bearer <key>`, which no browser sends by itself: a request
    that has one needs no protection against forgery.

    Raises:
        WrongKey: there is one and it opens nothing.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None

    usable = ApiKey.objects.usable().select_related("owner")
    key = usable.filter(sha256=ApiKey.hash(token.strip())).first()
    if key is None:
        raise WrongKey
    key.note_use()
    request.user = key.owner
    return key


def let_in(request: HttpRequest) -> ApiKey | None:
    """As `sign_in`, and count the request, one with a wrong key too.

    Raises:
        WrongKey: see `sign_in`.
        limits.TooManyRequests: the allowance is used up.
    """
    try:
        key = sign_in(request)
    except WrongKey:
        limits.spend(request)
        raise
    limits.spend(request, key)
    return key


def check_forgery(request: HttpRequest) -> None:
    """Refuse what a browser was made to send by another site's page.

    Raises:
        Forged: the CSRF token is missing or wrong, or the page's origin is another.
    """
    try:
        intake.files(request, "")  # the token may be in the form, and the form may be broken
    except intake.BadRequest as error:
        raise Forged("CSRF token missing or wrong") from error
    if _is_without_token(request):
        raise Forged("CSRF token missing or wrong")


def _is_without_token(request: HttpRequest) -> bool:
    """What Django's middleware finds, which leaves out the views that let programs in."""
    check = CsrfViewMiddleware(lambda request: HttpResponse())
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    check.process_request(request)
    return check.process_view(request, lambda request: HttpResponse(), (), {}) is not None
