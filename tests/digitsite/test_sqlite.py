from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "digitsite.sqlite",
    reason="about SQLite's backend; the suite's run on SQLite has it",
)


@pytest.mark.django_db
def test_an_insert_is_over_when_it_returns() -> None:
    with CaptureQueriesContext(connection) as queries:
        user = User.objects.create(username="one")

    (insert,) = queries.captured_queries
    assert "RETURNING" not in insert["sql"]
    assert User.objects.get(pk=user.pk).username == "one"


@pytest.mark.django_db
def test_many_rows_are_inserted_at_once() -> None:
    with CaptureQueriesContext(connection) as queries:
        User.objects.bulk_create([User(username=name) for name in ("one", "two", "three")])

    inserts = [query for query in queries.captured_queries if "INSERT" in query["sql"]]
    assert len(inserts) == 1
    assert User.objects.count() == 3
