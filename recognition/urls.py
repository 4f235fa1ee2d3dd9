from __future__ import annotations

from django.urls import path

from recognition import corrections, live, views

urlpatterns = [
    path("", views.recognize, name="recognize"),
    path("draw/", live.draw, name="draw"),
    path("camera/", live.camera, name="camera"),
    path("live/", live.live, name="live"),
    path("keep/", live.keep, name="keep"),
    path("p/<uuid:public_id>/", views.result, name="result"),
    path("p/<uuid:public_id>/correct", corrections.correct, name="correct"),
    path("p/<uuid:public_id>/picture", views.picture, name="picture"),
    path("p/<uuid:public_id>/field/<int:number>", views.field, name="field"),
    path("p/<uuid:public_id>/delete", views.delete, name="delete"),
    path("history/", views.history, name="history"),
    path("model/", views.model, name="model"),
    path("healthz", views.healthz, name="healthz"),
]
