"""Lists of the admin: what an address asks of them may be wrong in ways that Django lets fail."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DatabaseError, DataError, OperationalError, ProgrammingError
from django.db.models import Model, QuerySet
from django.http import HttpRequest


class CheckedList(ChangeList):
    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        with wrong_ones(self.model):
            return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        with wrong_ones(self.model):
            super().get_results(request)


class CheckedLists:
    """For a model's admin: its list leads from a wrong look-up to the whole list, as others do."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CheckedList


@contextlib.contextmanager
def wrong_ones(model: type[Model]) -> Iterator[None]:
    """What is asked of a year that has no next one is a wrong look-up; Django lets it fail.

    So is what the database refuses, such as half of a pattern, while it answers without look-ups.
    """
    try:
        yield
    except (ValueError, OverflowError, DataError) as error:
        raise IncorrectLookupParameters(error) from error
    except (OperationalError, ProgrammingError) as error:
        if not _is_answering(model):
            raise
        raise IncorrectLookupParameters(error) from error


def _is_answering(model: type[Model]) -> bool:
    try:
        model._default_manager.order_by().exists()
    except DatabaseError:
        return False
    return True
