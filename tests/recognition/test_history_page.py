"""What was read for this visitor, the newest first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recognition import views
from recognition.models import Prediction

pytestmark = pytest.mark.django_db
Make = Callable[..., Prediction]


def listed(client: Client, page: int = 1) -> list[Prediction]:
    found: list[Prediction] = client.get(f"/history/?page={page}").context["predictions"]
    return found


def test_somebody_new_is_invited_to_read_a_digit(client: Client) -> None:
    response = client.get("/history/")

    assert response.status_code == 200
    assert "Nothing yet" in response.text


def test_the_newest_is_first(client: Client, visitor: uuid.UUID, make_prediction: Make) -> None:
    now = timezone.now()
    ages = (2, 0, 1)
    old = [make_prediction(visitor=visitor, created_at=now - timedelta(age)) for age in ages]

    assert listed(client) == [old[1], old[2], old[0]]


def test_each_is_listed_with_thumbnail_digit_confidence_and_verdict(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    prediction = make_prediction(visitor=visitor)

    page = client.get("/history/").text

    assert reverse("picture", args=[prediction.public_id]) in page
    assert 'loading="lazy"' in page
    assert prediction.get_absolute_url() in page
    assert "98.00%" in page
    assert "Sure enough to use" in page


def test_a_visitor_sees_nothing_of_others(
    client: Client, visitor: uuid.UUID, make_prediction: Make
) -> None:
    make_prediction(visitor=uuid.uuid4())
    make_prediction(visitor=None)
    make_prediction(owner=User.objects.create_user("teacher"))

    assert listed(client) == []


def test_a_signed_in_person_sees_what_is_theirs(client: Client, make_prediction: Make) -> None:
    teacher = User.objects.create_user("teacher")
    client.force_login(teacher)
    own = make_prediction(owner=teacher)
    make_prediction(visitor=uuid.uuid4())

    assert listed(client) == [own]


def test_what_is_older_is_on_the_next_page(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    for _ in range(3):
        make_prediction(visitor=visitor)

    assert [len(listed(client, page)) for page in (1, 2, 3)] == [2, 1, 0]
    assert "?page=2" in client.get("/history/").text
    last = client.get("/history/?page=2").text
    assert "?page=1" in last
    assert "?page=3" not in last


@pytest.mark.parametrize("page", ["x", "-1", "1e3", "", "²", "123456", "1;drop"])
def test_a_page_that_is_no_number_is_not_found(client: Client, page: str) -> None:
    assert client.get("/history/", {"page": page}).status_code == 404


@pytest.mark.parametrize("page", ["0", "99999"])
def test_a_page_out_of_range_is_harmless(client: Client, page: str) -> None:
    assert client.get("/history/", {"page": page}).status_code == 200


def test_the_number_of_queries_does_not_grow(
    client: Client,
    visitor: uuid.UUID,
    make_prediction: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(12):
        make_prediction(visitor=visitor)

    with django_assert_num_queries(2):  # session, predictions
        client.get("/history/")


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/history/").status_code == 405
