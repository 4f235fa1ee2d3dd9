from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from django.utils import formats, timezone
from django.utils.text import capfirst

register = template.Library()


@register.inclusion_tag("admin/date_hierarchy.html")
def prediction_dates(changelist: ChangeList) -> dict[str, Any]:
    """Years, then months, then days to go to, as Django's own `date_hierarchy`.

    That one groups every record by date, which takes a second with a hundred thousand. This one
    looks up the first and the last in the index and offers all dates between them.
    """
    year, month, day = (_chosen(changelist, part) for part in ("year", "month", "day"))
    if year and month and day:
        date = datetime.date(year, month, day)
        return {
            "show": True,
            "back": {"link": _link(changelist, year=year, month=month), "title": _month(date)},
            "choices": [{"title": _day(date)}],
        }
    bounds = _bounds(changelist)
    if bounds is None:
        return {"show": False}
    if year and month:
        return {
            "show": True,
            "back": {"link": _link(changelist, year=year), "title": str(year)},
            "choices": [
                {"link": _link(changelist, year=year, month=month, day=date.day),
                 "title": _day(date)}
                for date in _days(*bounds)
            ],
        }  # fmt: skip
    if year or bounds[0].year == bounds[1].year:
        return {
            "show": True,
            "back": {"link": _link(changelist), "title": "All dates"} if year else None,
            "choices": [
                {"link": _link(changelist, year=date.year, month=date.month), "title": _month(date)}
                for date in _months(*bounds)
            ],
        }
    return {
        "show": True,
        "choices": [
            {"link": _link(changelist, year=number), "title": str(number)}
            for number in range(bounds[0].year, bounds[1].year + 1)
        ],
    }


def _chosen(changelist: ChangeList, part: str) -> int | None:
    value: str | None = changelist.params.get(f"{changelist.date_hierarchy}__{part}")
    return int(value) if value else None


def _bounds(changelist: ChangeList) -> tuple[datetime.date, datetime.date] | None:
    field = changelist.date_hierarchy
    moments = changelist.queryset.order_by(field).values_list(field, flat=True)
    first = moments.first()
    if first is None:
        return None
    return timezone.localdate(first), timezone.localdate(moments.last())


def _days(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    for number in range((last - first).days + 1):
        yield first + datetime.timedelta(days=number)


def _months(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + datetime.timedelta(days=31)).replace(day=1)


def _link(changelist: ChangeList, **parts: int) -> str:
    field = changelist.date_hierarchy
    chosen = {f"{field}__{part}": number for part, number in parts.items()}
    link: str = changelist.get_query_string(chosen, [f"{field}__"])
    return link


def _month(date: datetime.date) -> str:
    return capfirst(formats.date_format(date, "YEAR_MONTH_FORMAT"))


def _day(date: datetime.date) -> str:
    return capfirst(formats.date_format(date, "MONTH_DAY_FORMAT"))
