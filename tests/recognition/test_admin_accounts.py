"""Who deletes an account in the admin is told what stays of it."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from recognition.models import Prediction

Make = Callable[..., Prediction]
LIST = "admin:auth_user_changelist"


def test_deleting_an_account_tells_of_the_records_that_stay_and_where_they_are(
    admin_client: Client, make_prediction: Make
) -> None:
    owner = User.objects.create_user("teacher")
    own = {make_prediction(owner=owner), make_prediction(owner=owner, picture="")}
    make_prediction()

    asked = admin_client.get(reverse("admin:auth_user_delete", args=[owner.pk])).text

    assert "2 records with 1 picture will stay, without an owner" in asked
    link = re.findall(r'href="([^"]*owner__in=[^"]*)"', asked)[0]
    assert set(admin_client.get(link).context["cl"].result_list) == own


def test_deleting_several_accounts_tells_of_the_records_of_all(
    admin_client: Client, make_prediction: Make
) -> None:
    owners = [User.objects.create_user(name) for name in ("teacher", "pupil")]
    own = {make_prediction(owner=owner) for owner in owners}
    fields = {"action": "delete_selected", "index": "0"}
    fields["_selected_action"] = [owner.pk for owner in owners]  # type: ignore[assignment]

    asked = admin_client.post(reverse(LIST), fields).text

    assert "2 records with 2 pictures will stay, without an owner" in asked
    link = re.findall(r'href="([^"]*owner__in=[^"]*)"', asked)[0]
    assert set(admin_client.get(link).context["cl"].result_list) == own


def test_an_account_without_records_is_deleted_without_more_words(
    admin_client: Client, admin_user: User
) -> None:
    pupil = User.objects.create_user("pupil")

    asked = admin_client.get(reverse("admin:auth_user_delete", args=[pupil.pk])).text

    assert "will stay" not in asked
    assert "Are you sure" in asked
