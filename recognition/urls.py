from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from recognition import accounts, history, several, views

urlpatterns = [
    path("", views.recognize, name="recognize"),
    path("p/<uuid:public_id>/", views.result, name="result"),
    path("p/<uuid:public_id>/picture", views.picture, name="picture"),
    path("p/<uuid:public_id>/field/<int:number>", views.field, name="field"),
    path("p/<uuid:public_id>/delete", views.delete, name="delete"),
    path("several/", several.add, name="several_add"),
    path("several/<uuid:key>/", several.table, name="several"),
    path("several/<uuid:key>.csv", several.table_csv, name="several_csv"),
    path("history/", history.history, name="history"),
    path("history.csv", history.download_csv, name="history_csv"),
    path("history.json", history.download_json, name="history_json"),
    path("model/", views.model, name="model"),
    path("sign-in/", accounts.sign_in, name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.change_password, name="password_change"),
    path("password/changed/", accounts.password_changed, name="password_change_done"),
    path("your-data/", accounts.your_data, name="your_data"),
    path("your-data/delete/", accounts.delete_your_data, name="delete_your_data"),
    path("healthz", views.healthz, name="healthz"),
]
