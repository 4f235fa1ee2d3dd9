"""Nobody reads, corrects or deletes what belongs to another: every address of a prediction."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from ml import images
from recognition.models import Prediction
from recognition.urls import urlpatterns
from tests.recognition.conftest import be_browser

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]
OTHERS = {"number": 0}  # what an address wants besides the prediction
FIELD = base64.b64encode(images.to_png(np.eye(28, dtype=np.uint8) * 255)).decode()
DIGIT = {"label": "7", "probabilities": [0.1] * 10, "box": [5, 10, 30, 40], "field": FIELD}
METHODS = ("get", "post", "put", "patch", "delete")
OWN = [
    pattern
    for pattern in urlpatterns  # api/test_ownership.py walks the API
    if "public_id" in pattern.pattern.converters
]


def address(pattern: URLPattern, prediction: Prediction) -> str:
    names = pattern.pattern.converters
    values = {"public_id": prediction.public_id, **OTHERS}
    return reverse(str(pattern.name), kwargs={name: values[name] for name in names})


def someone_new() -> Client:
    return Client()


def another_visitor() -> Client:
    client = Client()
    be_browser(client, uuid.uuid4())
    return client


def another_person() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("student"))
    return client


def the_visitor_as_someone_signed_in(visitor: uuid.UUID) -> Client:
    """Signed in, what the cookie says of the browser counts no more."""
    client = another_person()
    be_browser(client, visitor)
    return client


@pytest.mark.parametrize("stranger", [someone_new, another_visitor, another_person])
@pytest.mark.parametrize("pattern", OWN, ids=lambda pattern: str(pattern.name))
def test_a_stranger_finds_nothing_and_changes_nothing(
    pattern: URLPattern, stranger: Callable[[], Client], make_prediction: Make
) -> None:
    teacher = User.objects.create_user("teacher")
    client = stranger()
    for owner in ({"owner": teacher}, {"visitor": uuid.uuid4()}, {}):
        prediction = make_prediction(**owner, digits=[DIGIT])
        before = Prediction.objects.filter(pk=prediction.pk).values().get()

        answers = {
            getattr(client, method)(address(pattern, prediction), {"true_text": "1"}).status_code
            for method in METHODS
        }

        assert answers <= {404, 405}
        assert 404 in answers
        assert Prediction.objects.filter(pk=prediction.pk).values().get() == before
        assert Path(prediction.picture.path).exists()


@pytest.mark.parametrize("write", [str.lower, str.upper])
@pytest.mark.parametrize("pattern", OWN, ids=lambda pattern: str(pattern.name))
def test_the_owner_is_answered_at_every_address(
    pattern: URLPattern,
    write: Callable[[str], str],
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
) -> None:
    """Without this, the test above would pass for addresses that nobody finds."""
    prediction = make_prediction(visitor=visitor, digits=[DIGIT])
    public_id = str(prediction.public_id)
    there = address(pattern, prediction).replace(public_id, write(public_id))

    shown = client.get(there)
    shown.getvalue()  # a picture is open until it is read
    sent = client.post(there, {"true_text": "1"})

    answers = {shown.status_code, sent.status_code}
    assert answers & {200, 302, 204}
    assert 404 not in answers


def test_a_record_without_an_account_is_not_of_someone_signed_in(
    visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)
    client = the_visitor_as_someone_signed_in(visitor)

    assert client.get(prediction.get_absolute_url()).status_code == 404


def test_every_kind_of_address_is_looked_at() -> None:
    assert {"result", "picture", "thumbnail", "field", "delete"} <= {
        str(pattern.name) for pattern in OWN
    }
