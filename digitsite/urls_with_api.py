"""All addresses, those of the API among them: what a request to the API is resolved with.

What reads and writes the API's documents (Ninja, Pydantic) takes 10 to 15 MB, which a worker that
no program asks anything can do without.
"""

from __future__ import annotations

from django.urls import include, path

from digitsite.urls import handler400
from recognition.api.endpoints import api

__all__ = ["handler400", "urlpatterns"]

urlpatterns = [
    path("api/v1/", api.urls),
    path("", include("digitsite.urls")),
]
