from __future__ import annotations

from django.urls import path

from recognition import api_page, predict, views
from recognition.api import api

urlpatterns = [
    path("", views.recognize, name="recognize"),
    path("p/<uuid:public_id>/", views.result, name="result"),
    path("p/<uuid:public_id>/picture", views.picture, name="picture"),
    path("p/<uuid:public_id>/field/<int:number>", views.field, name="field"),
    path("p/<uuid:public_id>/delete", views.delete, name="delete"),
    path("history/", views.history, name="history"),
    path("model/", views.model, name="model"),
    path("predict", predict.predict, name="predict"),
    path("api/", api_page.api_page, name="api"),
    path("api/v1/", api.urls),
    path("healthz", views.healthz, name="healthz"),
]
