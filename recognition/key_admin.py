from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from recognition.look_ups import CheckedLists
from recognition.models import ApiKey, ApiKeyQuerySet


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("valid", "valid"),
            ("revoked", "revoked"),
            ("inactive", "of an inactive account"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        keys = cast(ApiKeyQuerySet, queryset)
        match self.value():
            case "valid":
                return keys.usable()
            case "revoked":
                return keys.filter(revoked_at__isnull=False)
            case "inactive":
                return keys.filter(owner__is_active=False)
        return keys


@admin.register(ApiKey)
class ApiKeyAdmin(CheckedLists, admin.ModelAdmin):  # type: ignore[type-arg]
    """Keys are made here, shown once, and revoked; only a superuser makes them for others."""

    list_display = ("name", "owner", "begins", "created_at", "last_used_at", "valid")
    list_filter = (StateFilter,)
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "prefix")
    ordering = ("-pk",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("owner", "name")
        return ("name", "owner", "begins", "created_at", "last_used_at", "revoked_at", "valid")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)[1:]

    def get_queryset(self, request: HttpRequest) -> ApiKeyQuerySet:
        keys: ApiKeyQuerySet = super().get_queryset(request)  # type: ignore[assignment]
        return keys if _is_superuser(request) else keys.filter(owner_id=request.user.pk)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "owner":
            owners = User.objects.filter(is_active=True)
            if not _is_superuser(request):
                owners = owners.filter(username=request.user.get_username())
            field.queryset = owners
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.draw_token()
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key in this answer, and nowhere else: not in a message, which is a cookie."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The new API key",
            "opts": self.opts,
            "key": obj,
        }
        return TemplateResponse(request, "admin/recognition/apikey/made.html", context)

    @admin.display(description="starts with", ordering="prefix")
    def begins(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(boolean=True, ordering="revoked_at")
    def valid(self, key: ApiKey) -> bool:
        return key.is_usable

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: ApiKeyQuerySet) -> None:
        count = keys.revoke()
        text = f"{count} API key{'' if count == 1 else 's'} revoked. Nothing can use them now."
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
