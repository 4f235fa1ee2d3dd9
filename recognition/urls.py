from __future__ import annotations

from django.urls import path

from recognition import views

urlpatterns = [
    path("", views.recognize, name="recognize"),
    path("p/<uuid:public_id>/", views.result, name="result"),
    path("p/<uuid:public_id>/picture", views.picture, name="picture"),
    path("p/<uuid:public_id>/field/<int:number>", views.field, name="field"),
    path("p/<uuid:public_id>/delete", views.delete, name="delete"),
    path("history/", views.history, name="history"),
    path("model/", views.model, name="model"),
    path("model/<str:version>/<slug:plot>.png", views.model_plot, name="model_plot"),
    path("healthz", views.healthz, name="healthz"),
]
