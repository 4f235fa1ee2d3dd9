"""With 100 000 records the database still goes straight to the page that is asked for."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognition import history
from recognition.cursors import Cursor
from recognition.models import Prediction, PredictionQuerySet

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the words of SQLite's plans"),
]
ROWS = 100_000
MULTIPLY = """
    WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < %s)
    INSERT INTO recognition_prediction ({names}) SELECT {values}
    FROM recognition_prediction, counter WHERE id = %s
"""
SOME = {"verdict": "unsure", "source": "draw", "right": "no", "since": "2026-01-01"}
CHOICES = [dict(part) for n in range(5) for part in itertools.combinations(SOME.items(), n)]


@pytest.fixture
def many(make_prediction: Callable[..., Prediction]) -> dict[str, PredictionQuerySet]:
    """What two people own who made half of the records each."""
    teacher, visitor = User.objects.create_user("teacher"), uuid.uuid4()
    for owner in ({"owner": teacher}, {"visitor": visitor}):
        multiply(make_prediction(picture="", digits=[], **owner), ROWS // 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert Prediction.objects.count() == ROWS + 2
    own = Prediction.objects.filter
    return {"owner": own(owner=teacher), "visitor": own(owner=None, visitor=visitor)}


def multiply(prediction: Prediction, times: int) -> None:
    columns = {str(field.column): str(field.column) for field in Prediction._meta.concrete_fields}
    del columns["id"]
    columns["public_id"] = "lower(hex(randomblob(16)))"
    columns["created_at"] = "datetime('2026-06-01', '-' || n || ' minutes') || '.000000'"
    columns["verdict"] = "CASE n % 3 WHEN 0 THEN 'unsure' ELSE verdict END"
    columns["reason"] = "CASE n % 3 WHEN 0 THEN 'unsure' ELSE reason END"
    query = MULTIPLY.format(names=", ".join(columns), values=", ".join(columns.values()))
    with connection.cursor() as cursor:
        cursor.execute(query.replace("% 3", "%% 3"), [times, prediction.pk])


def test_every_page_is_found_by_the_index_of_its_owner(many: dict[str, PredictionQuerySet]) -> None:
    place = str(Cursor(datetime(2026, 5, 15, tzinfo=UTC), 50_000))
    for (who, own), choice in itertools.product(many.items(), CHOICES):
        filters = history.Filters(choice)
        assert filters.is_valid()
        for way in ({}, {"before": place}, {"after": place}):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                history.page_of(filters.narrow(own.defer("digits")), **way)

            for query in queries:
                plan = explain(query["sql"])
                assert f"USING INDEX prediction_{who} " in plan, (choice, way, plan)
                assert "TEMP B-TREE" not in plan, (choice, way, plan)


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return " ".join(str(row[3]) for row in cursor.fetchall())
