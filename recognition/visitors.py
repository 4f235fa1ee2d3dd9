"""Whose a prediction is: the signed-in person's, or this browser's."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest


def keeper(request: HttpRequest) -> dict[str, Any]:
    """The fields `owner` or `visitor` of the next prediction of the person who asks."""
    if isinstance(request.user, User):
        return {"owner": request.user}
    visitor = request.session.setdefault("visitor", str(uuid.uuid4()))
    return {"visitor": uuid.UUID(visitor)}


def may_keep(request: HttpRequest) -> bool:
    """Whether what is read for this person is stored."""
    return True
