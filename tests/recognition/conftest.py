from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.models import ApiKey


@pytest.fixture
def visitor(client: Client) -> uuid.UUID:
    """Who sits at the browser that `client` is, without an account."""
    visitor = uuid.uuid4()
    session = client.session
    session["visitor"] = str(visitor)
    session.save()
    return visitor


@pytest.fixture
def api_key(db: None) -> ApiKey:
    """A key whose `token` is known, of an account called "program"."""
    key = ApiKey.draw(owner=User.objects.create_user("program"), name="a test")
    key.save()
    return key
