from __future__ import annotations

import uuid

import pytest
from django.test import Client


@pytest.fixture
def visitor(client: Client) -> uuid.UUID:
    """Who sits at the browser that `client` is, without an account."""
    visitor = uuid.uuid4()
    session = client.session
    session["visitor"] = str(visitor)
    session.save()
    return visitor
