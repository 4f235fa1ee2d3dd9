from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition import browsers
from recognition.models import ApiKey


def be_browser(client: Client, visitor: uuid.UUID) -> None:
    """Give a client the cookie of a browser that something was kept for."""
    client.cookies[browsers.COOKIE] = browsers.sign(visitor)


@pytest.fixture
def visitor(client: Client) -> uuid.UUID:
    """Who sits at the browser that `client` is, without an account."""
    visitor = uuid.uuid4()
    be_browser(client, visitor)
    return visitor


@pytest.fixture
def api_key(db: None) -> ApiKey:
    """A key whose `token` is known, of an account called "program"."""
    key = ApiKey.draw(owner=User.objects.create_user("program"), name="a test")
    key.save()
    return key
