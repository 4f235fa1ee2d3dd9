"""Each list of the admin leads from a wrong look-up in its address to the whole list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import OperationalError
from django.db.models import Model, QuerySet
from django.test import Client
from django.urls import reverse

from recognition.models import ApiKey, Prediction, TrainedModel

TEXTS = {"user": "username", "group": "name", "apikey": "name", "trainedmodel": "version",
         "modelactivation": "why", "prediction": "text"}  # fmt: skip
TIMES = {"user": "date_joined", "apikey": "created_at", "trainedmodel": "created_at",
         "modelactivation": "activated_at", "prediction": "created_at"}  # fmt: skip
QUERIES = {
    "a word for a number": "id__exact=abc",
    "half of a pattern": "{text}__regex=(",
    "a word for a time": "{time}__gte=foo",
    "a year before all years": "{time}__year=0",
    "a time before all times": "{time}__gte=0001-01-01 00:00:00%2B14:00",
}
pytestmark = pytest.mark.django_db


@pytest.fixture
def one_of_each(
    api_key: ApiKey, second_model: TrainedModel, make_prediction: Callable[..., Prediction]
) -> None:
    Group.objects.create(name="teachers")
    second_model.activate(why="to try it")
    make_prediction()


def name(model: type[Model]) -> str:
    return str(model._meta.model_name)


def address(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{name(model)}_changelist")


@pytest.mark.usefixtures("one_of_each")
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("model", admin.site._registry, ids=name)
def test_a_wrong_look_up_leads_to_the_whole_list(
    admin_client: Client, model: type[Model], query: str
) -> None:
    asked = query.format(text=TEXTS[name(model)], time=TIMES.get(name(model), "no_time"))

    response = admin_client.get(f"{address(model)}?{asked}")

    assert response.headers["Location"] == f"{address(model)}?e=1"
    assert admin_client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("model", admin.site._registry, ids=name)
def test_a_database_that_fails_is_no_wrong_look_up(
    admin_client: Client, model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: QuerySet[Model]) -> int:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(QuerySet, "count", fail)
    monkeypatch.setattr(QuerySet, "exists", fail)

    with pytest.raises(OperationalError, match="disk I/O error"):
        admin_client.get(address(model), {"id": "3"})
