from __future__ import annotations

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = "Reading digits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from recognition import checks  # noqa: F401  registers the system checks
