from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from recognition.models import Prediction

register = template.Library()


@register.inclusion_tag("admin/auth/user/_what_stays.html")
def what_stays(accounts: User | QuerySet[User]) -> dict[str, Any]:
    """What accounts leave behind that are about to be deleted, and where it is found."""
    users = [accounts] if isinstance(accounts, User) else accounts
    keys = [user.pk for user in users]
    kept = Prediction.objects.filter(owner__in=keys).aggregate(
        records=Count("pk"), pictures=Count("pk", filter=~Q(picture=""))
    )
    return {"kept": kept, "owners": ",".join(map(str, keys))}
