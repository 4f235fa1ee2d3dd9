from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from recognition import (
    accounts,
    converters,  # noqa: F401  registers the ids of records
    corrections,
    history,
    live,
    several,
    views,
)
from recognition.api import page, predict

urlpatterns = [
    path("", views.recognize, name="recognize"),
    path("draw/", live.draw, name="draw"),
    path("camera/", live.camera, name="camera"),
    path("live/", live.live, name="live"),
    path("keep/", live.keep, name="keep"),
    path("p/<record:public_id>/", views.result, name="result"),
    path("p/<record:public_id>/correct", corrections.correct, name="correct"),
    path("p/<record:public_id>/picture", views.picture, name="picture"),
    path("p/<record:public_id>/thumbnail", views.thumbnail, name="thumbnail"),
    path("p/<record:public_id>/field/<int:number>", views.field, name="field"),
    path("p/<record:public_id>/inside", views.look_inside, name="inside"),
    path("p/<record:public_id>/delete", views.delete, name="delete"),
    path("several/", several.add, name="several_add"),
    path("several/<record:key>/", several.table, name="several"),
    path("several/<record:key>.csv", several.table_csv, name="several_csv"),
    path("history/", history.history, name="history"),
    path("history.csv", history.download_csv, name="history_csv"),
    path("history.json", history.download_json, name="history_json"),
    path("history.zip", history.download_zip, name="history_zip"),
    path("model/", views.model, name="model"),
    path("predict", predict.predict, name="predict"),
    path("api/", page.show, name="api"),
    path("model/<str:version>/<slug:plot>.png", views.model_plot, name="model_plot"),
    path("sign-in/", accounts.sign_in, name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.change_password, name="password_change"),
    path("password/changed/", accounts.password_changed, name="password_change_done"),
    path("your-data/", accounts.your_data, name="your_data"),
    path("your-data/delete/", accounts.delete_your_data, name="delete_your_data"),
    path("healthz", views.healthz, name="healthz"),
]
