"""Accounts and groups, as Django has them."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import admin as django_admin
from django.contrib.auth.models import Group, User

from recognition.look_ups import CheckedLists

admin.site.unregister((User, Group))


@admin.register(User)
class UserAdmin(CheckedLists, django_admin.UserAdmin):  # type: ignore[type-arg]
    pass


@admin.register(Group)
class GroupAdmin(CheckedLists, django_admin.GroupAdmin):
    pass
