"""Whose a prediction is: the signed-in person's, or this browser's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from recognition import browsers
from recognition.models import Prediction


def keeper(request: HttpRequest) -> dict[str, Any]:
    """The fields `owner` or `visitor` of the next prediction of the person who asks.

    Raises:
        PermissionDenied: nothing is kept for this person; ask `may_keep` first.
    """
    if isinstance(request.user, User):
        return {"owner": request.user}
    if not may_keep(request):
        raise PermissionDenied("Nothing is kept without an account.")
    return {"visitor": browsers.number(request)}


def may_keep(request: HttpRequest) -> bool:
    """Whether what is read for this person is stored."""
    return not settings.REQUIRE_SIGN_IN_TO_KEEP or request.user.is_authenticated


def for_templates(request: HttpRequest) -> dict[str, bool]:
    """A context processor: pages offer to keep only what can be kept."""
    return {"may_keep": may_keep(request)}


def adopt(request: HttpRequest) -> None:
    """Give a person who has signed in what this browser had read before."""
    visitor = browsers.known(request)
    if visitor and isinstance(request.user, User):
        browsers.leave(visitor, browsers.Left(owner_id=request.user.pk))
        unowned = Prediction.objects.filter(owner=None, visitor=visitor)
        unowned.update(owner=request.user, visitor=None)
    browsers.forget(request)


def forget(request: HttpRequest) -> None:
    """Delete the person's records and pictures, and what the browser knows of them."""
    visitor = browsers.known(request)
    if visitor and not request.user.is_authenticated:
        browsers.leave(visitor, browsers.Left(owner_id=None))
    for batch in Prediction.objects.for_visitor(request).order_by("created_at").batches():
        batch.delete()
    request.session.pop("several", None)
    browsers.forget(request)
