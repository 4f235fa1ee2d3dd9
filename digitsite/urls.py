from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from recognition import accounts

handler400 = "recognition.several.bad_request"

urlpatterns = [
    path("admin/login/", accounts.guarded(admin.site.login)),
    path("admin/", admin.site.urls),
    path("", include("recognition.urls")),
]
